public import Artefact
public import SystemPackage

/// A bundle that is to be published: what is said of it, and how each artefact comes about.
public struct Stage {
    /// What is said of the whole.
    public var description: BundleDescription
    /// The artefacts in the order in which they are made; a later one may use the files of earlier ones.
    public var artefacts: [StagedArtefact]

    /// Finds out what the media are that the artefacts are composed to; the dictionary has them by file name.
    public typealias MediaWriter = (_ folder: FilePath, _ artefacts: [String: WrittenFile]) throws -> [MediumRecipe]
    /// How the media come about, if there are any; it keeps no file in the folder, which readers do not see.
    public var media: MediaWriter?
    /// The files of the nodes of a fleet, made before the artefacts.
    public var batch: StagedBatch?
    /// Who signs the bundle, if anyone does.
    public var signer: BundleSigner?

    /// Joins the parts.
    public init(
        _ description: BundleDescription, artefacts: [StagedArtefact], batch: StagedBatch? = nil,
        media: MediaWriter? = nil, signer: BundleSigner? = nil
    ) {
        self.description = description
        self.artefacts = artefacts
        self.batch = batch
        self.media = media
        self.signer = signer
    }
}

/// One artefact that is to be published and where its bytes come from.
public struct StagedArtefact {
    /// Writes the artefact to the path given, durably; the dictionary has the artefacts made before it by file name.
    public typealias Writer = (_ target: FilePath, _ earlier: [String: WrittenFile]) throws -> WrittenFile

    enum Source {
        case bytes([UInt8])
        case file(FilePath, Digest?)
        case writer(Writer)
    }

    /// What it is for.
    public let role: Manifest.Role
    /// Its name in the bundle.
    public let file: String
    /// Whether it holds a secret, so that only the owner may read it.
    public let isSecret: Bool
    let source: Source

    private init(_ role: Manifest.Role, file: String, isSecret: Bool, source: Source) {
        self.role = role
        self.file = file
        self.isSecret = isSecret
        self.source = source
    }

    /// An artefact whose bytes are at hand.
    public init(_ role: Manifest.Role, file: String, isSecret: Bool = false, bytes: [UInt8]) {
        self.init(role, file: file, isSecret: isSecret, source: .bytes(bytes))
    }

    /// An artefact that is a file on the host, taken byte for byte.
    ///
    /// Where `digest` is given and the store has the file already, the one on the host is not read at all.
    ///
    /// - Parameters:
    ///   - role: What it is for.
    ///   - file: Its name in the bundle.
    ///   - isSecret: Whether only the owner may read it.
    ///   - source: The file on the host; it is copied, never linked.
    ///   - digest: The digest that it must have, where that is known.
    public init(
        _ role: Manifest.Role, file: String, isSecret: Bool = false, copying source: FilePath, digest: Digest?
    ) {
        self.init(role, file: file, isSecret: isSecret, source: .file(source, digest))
    }

    /// An artefact that a writer makes.
    public init(_ role: Manifest.Role, file: String, isSecret: Bool = false, writer: @escaping Writer) {
        self.init(role, file: file, isSecret: isSecret, source: .writer(writer))
    }

    /// The permission bits it gets: nobody writes it, and the KubeSolo binary can be run.
    var mode: EntryMode {
        switch (role == .kubesolo, isSecret) {
        case (true, false): EntryMode(0o555)
        case (true, true): EntryMode(0o500)
        case (false, false): EntryMode(0o444)
        case (false, true): EntryMode(0o400)
        }
    }
}

/// What publishing a bundle came to.
public struct Publication: Hashable, Sendable {
    /// Whether anything changed.
    public enum Outcome: Hashable, Sendable {
        /// The version is new and stands complete.
        case published
        /// The very same bundle was there already, and nothing changed.
        case identical
    }

    /// Whether anything changed.
    public let outcome: Outcome
    /// What the bundle holds.
    public let manifest: Manifest
    /// Where it stands.
    public let path: FilePath
    /// The bytes of artefacts that the store did not have before.
    public let newBytes: UInt64
}
