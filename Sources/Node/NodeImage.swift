public import Artefact
public import SystemPackage

/// A node with every choice made: what the recipe says, what it leaves to defaults, and the stamp of the build.
///
/// Overlay and seed are both made from this one value, so that they cannot disagree.
public struct NodeImage: Hashable, Sendable {
    /// The first part of every artefact's name.
    public var name: String
    /// The host name, RFC 1123; becomes the name of the Kubernetes node.
    public var hostname: String
    /// The processor architecture.
    public var architecture: Architecture
    /// The Alpine release that boots.
    public var alpine: AlpineRelease
    /// The KubeSolo that runs on it.
    public var kubesolo: KubeSolo
    /// How it reaches its networks.
    public var network: Network
    /// Who may log in.
    public var access: Access
    /// Where its state lives.
    public var dataDisk: DataDisk
    /// The packages in `/etc/apk/world`, sorted, without `alpine-base`.
    public var packages: [String]
    /// Lines for `/etc/apk/repositories` that a person can use after boot; init itself uses what is on the media.
    public var repositories: [String]
    /// Directories that are laid over the generated tree, in this order.
    public var layers: [FilePath]
    /// The consoles that get a login: `tty0` (stands for the first virtual terminal), `ttyS0`.
    public var consoles: [String]
    /// Further words for the kernel command line.
    public var kernelParameters: [String]
    /// What the NoCloud seed says beyond what follows from the rest.
    public var seed: SeedSettings
    /// When it counts as healthy.
    public var health: HealthGate
    /// Packages that are not Alpine's, and the key that vouches for them.
    public var ownPackages: OwnPackages?
    /// How it reports to Portainer, if it does.
    public var portainer: Portainer?
    /// The proxies through which it reaches what is outside.
    public var proxy: Proxy?
    /// Mirrors of registries, sorted by registry.
    public var registries: [RegistryMirrors]
    /// Version and time of the build.
    public var stamp: BuildStamp
    /// Its name in a fleet; `nil` where the recipe is for one node.
    public var member: String?

    /// Joins the parts.
    public init(
        name: String, hostname: String, architecture: Architecture, alpine: AlpineRelease, kubesolo: KubeSolo,
        network: Network, access: Access, dataDisk: DataDisk, packages: [String], repositories: [String],
        layers: [FilePath], consoles: [String], kernelParameters: [String], seed: SeedSettings,
        health: HealthGate = HealthGate(), portainer: Portainer? = nil, proxy: Proxy? = nil,
        registries: [RegistryMirrors] = [], ownPackages: OwnPackages? = nil,
        stamp: BuildStamp
    ) {
        self.name = name
        self.hostname = hostname
        self.architecture = architecture
        self.alpine = alpine
        self.kubesolo = kubesolo
        self.network = network
        self.access = access
        self.dataDisk = dataDisk
        self.packages = packages
        self.repositories = repositories
        self.layers = layers
        self.consoles = consoles
        self.kernelParameters = kernelParameters
        self.seed = seed
        self.health = health
        self.ownPackages = ownPackages
        self.portainer = portainer
        self.proxy = proxy
        self.registries = registries
        self.stamp = stamp
    }

    /// The stem of the names of artefacts that belong to one version: `kubesolo-1.4.0-x86_64`.
    public var releaseName: String {
        ([name, member, stamp.version, architecture.alpineName] as [String?]).compactMap { $0 }.joined(separator: "-")
    }
}

/// Packages that are not Alpine's: files of the user's, and the key that signs the index of them.
public struct OwnPackages: Hashable, Sendable {
    /// The directory that holds the files `*.apk`.
    public var directory: FilePath
    /// The private key, `NAME.rsa`; it goes into no artefact.
    public var key: FilePath

    /// Joins the two.
    public init(directory: FilePath, key: FilePath) {
        self.directory = directory
        self.key = key
    }
}

/// What a NoCloud seed says beyond what follows from the node.
public struct SeedSettings: Hashable, Sendable {
    /// How the instance-id comes about.
    ///
    /// cloud-init takes a new one for a new machine and runs first-boot work again.
    public enum InstanceIdentifier: Hashable, Sendable {
        /// From the digest of the other seed files: changes when, and only when, they do.
        case content
        /// A text of the user's.
        case fixed(String)
    }

    /// How the instance-id comes about.
    public var instanceIdentifier: InstanceIdentifier
    /// A `#cloud-config` of the user's, which is laid over the generated one key by key; a secret.
    public var userData: [UInt8]?
    /// Vendor-data, taken as it is.
    public var vendorData: [UInt8]?

    /// Joins the parts.
    public init(
        instanceIdentifier: InstanceIdentifier = .content, userData: [UInt8]? = nil, vendorData: [UInt8]? = nil
    ) {
        self.instanceIdentifier = instanceIdentifier
        self.userData = userData
        self.vendorData = vendorData
    }
}
