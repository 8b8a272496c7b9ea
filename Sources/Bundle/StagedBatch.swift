public import Artefact
public import SystemPackage

/// The files of the nodes of a fleet, which are made together and first: thousands of small files that become durable at once.
///
/// They are not kept as objects of the store, for no other version has the same.
public struct StagedBatch {
    /// A file that is to be made.
    public struct File: Hashable, Sendable {
        /// What it is for.
        public var role: Manifest.Role
        /// The node that it is for.
        public var node: String
        /// Its name.
        public var file: String

        /// Joins the parts.
        public init(role: Manifest.Role, node: String, file: String) {
            self.role = role
            self.node = node
            self.file = file
        }

        /// Where it stands in the bundle's directory.
        public var path: String { "\(BundleNode.directory)/\(node)/\(file)" }
    }

    /// A file that was made.
    public struct Made: Hashable, Sendable {
        /// Which.
        public var file: File
        /// Whether it holds a secret, so that only the owner may read it.
        public var isSecret: Bool
        /// What was written; it need not be durable yet.
        public var written: WrittenFile

        /// Joins the parts.
        public init(_ file: File, isSecret: Bool, written: WrittenFile) {
            self.file = file
            self.isSecret = isSecret
            self.written = written
        }
    }

    /// Writes every file below the staging directory and tells of them in the order given; it makes the directory
    /// `nodes/NODE` of each node, for its owner alone.
    public typealias Writer = (_ folder: FilePath) throws -> [Made]

    /// What is to be made.
    public let files: [File]
    let writer: Writer

    /// Takes what is to be made, and how.
    public init(_ files: [File], writer: @escaping Writer) {
        self.files = files
        self.writer = writer
    }
}
