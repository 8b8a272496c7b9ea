public import Artefact

/// What is said of a bundle besides the list of its artefacts.
public struct BundleDescription: Hashable, Sendable {
    /// The first part of every artefact's name.
    public var name: String
    /// The version.
    public var version: Version
    /// Seconds since 1970-01-01T00:00:00Z that every time stamp in every artefact has.
    public var epoch: Int64
    /// The processor architecture by Alpine's name: `x86_64`, `aarch64`.
    public var architecture: String
    /// The host name, where the bundle is for one node.
    public var hostname: String?
    /// The state on the data disk that the release reads and writes.
    public var datastore: Datastore
    /// The Alpine release that boots.
    public var alpine: Alpine
    /// The KubeSolo release that runs.
    public var kubesolo: KubeSolo
    /// What the bundle was made from, besides the recipe.
    public var inputs: [Input]
    /// The digest of the recipe.
    public var recipe: Digest
    /// The nodes of a fleet, sorted by name; empty where the bundle is for one node.
    public var nodes: [BundleNode]

    /// Joins the parts.
    public init(
        name: String, version: Version, epoch: Int64, architecture: String, hostname: String?, datastore: Datastore,
        alpine: Alpine, kubesolo: KubeSolo, inputs: [Input], recipe: Digest, nodes: [BundleNode] = []
    ) {
        self.name = name
        self.version = version
        self.epoch = epoch
        self.architecture = architecture
        self.hostname = hostname
        self.datastore = datastore
        self.alpine = alpine
        self.kubesolo = kubesolo
        self.inputs = inputs.sorted { ($0.name, $0.sha256) < ($1.name, $1.sha256) }
        self.recipe = recipe
        self.nodes = nodes.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The same, as if nothing had been verified.
    var ignoringTrust: BundleDescription {
        var description = self
        for index in inputs.indices { description.inputs[index].trust = .none }
        return description
    }

    /// What decides whether one release can use the state that another left: KubeSolo migrates it at minor releases.
    public struct Datastore: Hashable, Sendable {
        /// KubeSolo's major and minor number, `1.2`.
        public var kubesolo: String
        /// How the state is stored; `kine-sqlite` for every KubeSolo release so far.
        public var format: String

        /// Joins the two.
        public init(kubesolo: String, format: String = "kine-sqlite") {
            self.kubesolo = kubesolo
            self.format = format
        }
    }

    /// An Alpine release.
    public struct Alpine: Hashable, Sendable {
        /// The exact version, `3.23.6`.
        public var release: String
        /// The flavour of the image: `virt`, `standard`, `extended`.
        public var flavor: String

        /// Joins the two.
        public init(release: String, flavor: String) {
            self.release = release
            self.flavor = flavor
        }
    }

    /// A KubeSolo release.
    public struct KubeSolo: Hashable, Sendable {
        /// The tag, `v1.2.2`.
        public var version: String
        /// Whether it carries its images: `online`, `offline`.
        public var variant: String

        /// Joins the two.
        public init(version: String, variant: String) {
            self.version = version
            self.variant = variant
        }
    }

    /// A file of somebody else's that went into the bundle.
    public struct Input: Hashable, Sendable {
        /// How a file was found to be the one that is meant.
        public enum Trust: String, Hashable, Sendable, CaseIterable {
            /// Recipe or lock pins its digest.
            case pinned
            /// A checksum file that came with it has its digest: the transfer was whole, which says nothing of who made it.
            case checksumFile = "checksum-file"
            /// Nothing says what its digest should be.
            case none
        }

        /// Its name upstream, without the suffix of the archive that it comes in.
        public var name: String
        /// The digest of the file as the bundle holds it, whatever it came in.
        public var sha256: Digest
        /// How it was verified.
        public var trust: Trust

        /// Joins the parts.
        public init(name: String, sha256: Digest, trust: Trust) {
            self.name = name
            self.sha256 = sha256
            self.trust = trust
        }
    }
}
