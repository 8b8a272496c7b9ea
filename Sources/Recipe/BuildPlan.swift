public import Artefact
internal import Bundle
public import Node
internal import SystemPackage

/// What a build will make, from what, and how every file of it comes about; made before anything is written.
///
/// A plan shows no secret: of an entry or input that is one it holds neither bytes nor digest, and of the node's
/// settings only that there is one.
public struct BuildPlan: Hashable, Sendable {
    /// A file that will be made.
    public struct Output: Hashable, Sendable {
        /// What it is for: `overlay`, `seed`.
        public var role: String
        /// Its name in the output directory or the bundle.
        public var name: String
        /// Whether it will hold a secret, and so be readable by its owner alone.
        public var holdsSecrets: Bool

        /// Joins the parts.
        public init(role: String, name: String, holdsSecrets: Bool) {
            self.role = role
            self.name = name
            self.holdsSecrets = holdsSecrets
        }
    }

    /// A node of a fleet.
    public struct Member: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its host name.
        public var hostname: String
        /// The address of the card that it boots from.
        public var hardwareAddress: String?
        /// Its SMBIOS UUID.
        public var uuid: String?
        /// Whether its overlay or its seed will hold a secret.
        public var holdsSecrets: Bool
    }

    /// What is said of a fleet as a whole.
    public struct FleetPlan: Hashable, Sendable {
        /// The nodes, by name.
        public var members: [Member]
        /// The places in overlays where not every node has what the recipe without its nodes has.
        public var ownPaths: Set<EntryPath>
    }

    /// The files that one of the outputs will hold.
    public struct Tree: Hashable, Sendable {
        /// The role of the output that it becomes.
        public var role: String
        /// Its entries in the order of the tree.
        public var entries: [Entry]
    }

    /// One entry of a tree.
    public struct Entry: Hashable, Sendable {
        /// Where it stands in the tree.
        public var path: EntryPath
        /// `directory`, `file` or `symlink`.
        public var kind: String
        /// Its permission bits.
        public var mode: EntryMode
        /// The number of its owner.
        public var owner: UInt32
        /// The number of its group.
        public var group: UInt32
        /// The size in bytes of a file.
        public var size: UInt64
        /// The target of a symbolic link.
        public var target: String?
        /// The digest of a file; `nil` for anything else and for secrets.
        public var digest: Digest?
        /// Who puts it there.
        public var origin: String
        /// Who put there what it covers, nearest first.
        public var covers: [String]
        /// Whether its bytes must not be shown.
        public var isSecret: Bool
    }

    /// A package that the node installs.
    public struct Package: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its version.
        public var version: String
        /// The size of its file in bytes.
        public var size: UInt64
        /// The repository that it comes from.
        public var origin: String
        /// Why it is there.
        public var reason: String
    }

    /// An entry that another one covers, as layers do.
    public struct Covered: Hashable, Sendable {
        /// Where both stand.
        public var path: EntryPath
        /// Who put the covered one there.
        public var origin: String

        /// Joins the two.
        public init(path: EntryPath, origin: String) {
            self.path = path
            self.origin = origin
        }
    }

    /// A file that the build reads.
    public struct Input: Hashable, Sendable {
        /// What is known of it.
        public enum State: String, Hashable, Sendable {
            /// It is there and its bytes are known.
            case present
            /// It is there, and nothing says what its bytes should be.
            case unpinned
            /// It is not there; what needs it cannot be made.
            case missing
        }

        /// What it is for: `recipe`, `alpine`, `kubesolo`, or the key that refers to it.
        public var role: String
        /// Its path, or the name it has upstream where it is not at hand.
        public var name: String
        /// What is known of it.
        public var state: State
        /// Its size in bytes.
        public var size: UInt64?
        /// Its digest, or the one that it must have; `nil` for secrets.
        public var digest: Digest?
        /// Whether its bytes must not be shown.
        public var isSecret: Bool

        /// Joins the parts; the digest of a secret is dropped.
        public init(
            role: String, name: String, state: State, size: UInt64? = nil, digest: Digest? = nil,
            isSecret: Bool = false
        ) {
            self.role = role
            self.name = name
            self.state = state
            self.size = size
            self.digest = isSecret ? nil : digest
            self.isSecret = isSecret
        }
    }

    /// The recipe as it was named.
    public let recipe: String
    /// The fleet, where the plan is for all of its nodes.
    public let fleet: FleetPlan?
    /// The node, all choices made, or what the nodes of a fleet have without what each says for itself; holds secrets, which neither rendering shows.
    public let node: NodeImage
    /// The virtual machine.
    public let machine: MachineSettings
    /// The names of the keys of which one must sign.
    public let trust: [String]
    /// The files that will be made.
    public let outputs: [Output]
    /// What they will hold; of a fleet, what is the same in all nodes.
    public let trees: [Tree]
    /// What the build reads: the recipe, the files that it refers to, and what comes from upstream.
    public let inputs: [Input]
    /// The packages that the node installs, by name; empty where no image is at hand.
    public let packages: [Package]
    /// What is doubtful.
    public let warnings: [String]
    /// What could not be checked, and what it would take.
    public let unchecked: [String]

    /// Joins what the rooms have worked out.
    ///
    /// - Parameters:
    ///   - recipe: The recipe, which brings the files that it refers to and its warnings.
    ///   - node: The node that it gives.
    ///   - fleet: The fleet, where all of its nodes are planned.
    ///   - outputs: The files that will be made.
    ///   - trees: What they will hold, by role.
    ///   - covered: The entries of the first tree that layers cover.
    ///   - inputs: What comes from upstream.
    ///   - packages: The packages that the node installs.
    ///   - warnings: What is doubtful beyond the recipe.
    ///   - unchecked: What could not be checked.
    /// - Throws: ``ArtefactError`` where a file of a tree cannot be read.
    public init(
        recipe: DecodedRecipe, node: NodeImage, fleet: FleetPlan? = nil, outputs: [Output],
        trees: [(role: String, tree: FileTree)],
        covered: [Covered] = [], inputs: [Input] = [], packages: [Package] = [], warnings: [String] = [],
        unchecked: [String] = []
    ) throws {
        self.recipe = recipe.file
        self.node = node
        self.fleet = fleet
        machine = recipe.recipe.machine
        trust = recipe.recipe.trust.map(\.identifier)
        self.outputs = outputs
        let ownPaths = fleet?.ownPaths ?? []
        self.trees = try trees.enumerated().map { index, pair in
            Tree(
                role: pair.role,
                entries: try pair.tree.entries.filter { !ownPaths.contains($0.path) }.map { entry in
                    let origins = index == 0 ? covered.filter { $0.path == entry.path }.map(\.origin) : []
                    return try Entry(entry, covers: origins)
                })
        }
        self.inputs =
            recipe.inputs.map { input in
                Input(
                    role: input.keyPath.isEmpty ? "recipe" : input.keyPath, name: input.path.string, state: .present,
                    size: input.size, digest: input.digest, isSecret: input.isSecret)
            } + inputs
        self.packages = packages
        self.warnings = recipe.warnings.map(\.description) + warnings
        self.unchecked = unchecked
    }

    /// Whether every input is at hand.
    public var isComplete: Bool { !inputs.contains { $0.state == .missing } }
}

extension BuildPlan.Entry {
    fileprivate init(_ entry: TreeEntry, covers: [String]) throws {
        path = entry.path
        mode = entry.mode
        owner = entry.owner
        group = entry.group
        size = entry.size
        origin = entry.origin
        isSecret = entry.isSecret
        self.covers = covers
        target = nil
        digest = nil
        switch entry.kind {
        case .directory: kind = "directory"
        case .symlink(let target):
            kind = "symlink"
            self.target = target
        case .file(let content):
            kind = "file"
            guard !entry.isSecret else { return }
            var stream = DigestStream()
            try content.forEachChunk { stream.update($0) }
            digest = stream.finalize()
        }
    }
}
