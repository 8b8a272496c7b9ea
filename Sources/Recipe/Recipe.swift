public import Artefact
public import Bundle
public import Node
public import SystemPackage

/// A recipe as it is written: `nil` where it leaves a choice to the defaults, files that it refers to already read.
public struct Recipe: Hashable, Sendable {
    /// What it says of Alpine.
    public struct Alpine: Hashable, Sendable {
        /// The release: an exact one, a branch, or `latest-stable`.
        public var release: String?
        /// The flavour of the image.
        public var flavor: AlpineRelease.Flavor?
        /// The processor architecture.
        public var architecture: Architecture?
        /// The digest that the image is pinned to.
        public var sha256: Digest?
    }

    /// What it says of KubeSolo.
    public struct KubeSolo: Hashable, Sendable {
        /// The exact release; `nil` also where the newest one is asked for.
        public var release: KubeSoloVersion?
        /// Whether the newest release is asked for, whichever that is.
        public var isLatest = false
        /// Whether it carries its images.
        public var variant: Node.KubeSolo.Variant?
        /// The digest that the tarball or the binary is pinned to.
        public var sha256: Digest?
        /// KubeSolo's own configuration, keys in the order written.
        public var configuration: [ConfigValue.Pair] = []
    }

    /// What it says of one user.
    public struct User: Hashable, Sendable {
        /// The login name.
        public var name: String
        /// The fixed number.
        public var identifier: UInt32?
        /// Whether the user may become root.
        public var doas: Bool?
        /// The keys that may log in.
        public var authorizedKeys: [SSHPublicKey] = []
        /// A hash for the console; a secret.
        public var passwordHash: String?
    }

    /// What it says of the data disk.
    public struct DataDisk: Hashable, Sendable {
        /// The label of the file system.
        public var label: String?
        /// Which disk may be formatted.
        public var match: Node.DataDisk.Match?
        /// Where it is mounted.
        public var mountPoint: String?
        /// Whether it may be formatted.
        public var format: Node.DataDisk.Format?
        /// How many snapshots of the datastore are kept.
        public var snapshots: Int?
    }

    /// The first part of every artefact's name.
    public var name: String?
    /// The host name.
    public var hostname: String?
    /// The Alpine release.
    public var alpine = Alpine()
    /// The KubeSolo.
    public var kubesolo = KubeSolo()
    /// The interfaces, those that others stand on first.
    public var interfaces: [Interface]?
    /// Name servers, those of single interfaces included.
    public var nameservers: [IPAddress] = []
    /// Search domains.
    public var searchDomains: [String] = []
    /// The users in the order written.
    public var users: [User]?
    /// Where the host keys come from.
    public var hostKeys: Access.HostKeys?
    /// The data disk.
    public var dataDisk = DataDisk()
    /// Packages beside those that every node has.
    public var packages: [String] = []
    /// Lines for `/etc/apk/repositories`.
    public var repositories: [String] = []
    /// Directories that are laid over the generated tree.
    public var layers: [FilePath] = []
    /// Packages that are not Alpine's.
    public var ownPackages: OwnPackages?
    /// What the recipe itself calls the directories and files above that are named by their place.
    public var placesAsWritten: [FilePath: String] = [:]
    /// The consoles that get a login.
    public var consoles: [String]?
    /// Further words for the kernel.
    public var kernelParameters: [String] = []
    /// What the seed says beyond what follows from the rest.
    public var seed = SeedSettings()
    /// Whether it says how the instance-id comes about; where it does not, that of a fleet's node follows from its name.
    public var isInstanceIdentifierGiven = false
    /// When the node counts as healthy.
    public var health = HealthGate()
    /// How the node reports to Portainer.
    public var portainer: Portainer?
    /// The proxies of the node.
    public var proxy: Proxy?
    /// Mirrors of registries, in the order written.
    public var registries: [RegistryMirrors] = []
    /// The time of the build, in seconds since 1970.
    public var epoch: Int64?
    /// The keys of which one must have signed a bundle that becomes live.
    public var trust: [MinisignPublicKey] = []
    /// The virtual machine.
    public var machine = MachineSettings()
    /// The nodes of a fleet, sorted by name; empty where the recipe is for one node.
    public var nodes: [FleetNode] = []
}

/// The virtual machine that a recipe describes.
public struct MachineSettings: Hashable, Sendable {
    /// Its memory in bytes.
    public var memory: UInt64 = 1 << 30
    /// Its processors.
    public var processors = 2
    /// The size of its data disk in bytes.
    public var disk: UInt64 = 8 << 30
    /// The libvirt network it is attached to.
    public var network = "default"

    /// Makes the default machine.
    public init() {}
}

/// What a recipe means where it says nothing; each choice boots.
extension Recipe {
    /// The first part of every artefact's name.
    public static let defaultName = "kubesolo"
    /// The Alpine release.
    public static let defaultAlpineVersion = "3.23.6"
    /// The KubeSolo release.
    public static let defaultKubeSoloVersion = KubeSoloVersion.recommended.description
    /// The oldest KubeSolo that runs on Alpine.
    public static let oldestKubeSoloVersion = KubeSoloVersion.oldestOnAlpine.description
    /// The user of a recipe that names none.
    public static let defaultUser = "alpine"
    /// The packages that every node has; Alpine's virt image carries them.
    public static let basePackages = ["chrony", "doas", "e2fsprogs", "e2fsprogs-extra", "openssh", "openssl"]
    /// The consoles that get a login.
    public static let defaultConsoles = ["tty0", "ttyS0"]
    /// The kernel's names of the modes of a bond.
    static let bondModes = [
        "active-backup", "balance-rr", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb",
    ]
}
