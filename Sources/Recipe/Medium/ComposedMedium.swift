public import Artefact
internal import ISOBuild
internal import SystemPackage

/// A medium that is composed and has no name yet.
public struct ComposedMedium: ~Copyable {
    private let file: StagedFile
    /// Its size in bytes.
    public let size: UInt64
    /// Its digest.
    public let digest: Digest
    private let mode: EntryMode

    /// Grafts a tree onto an image and reads the result back.
    ///
    /// - Parameters:
    ///   - tree: What is added.
    ///   - base: The image to which it is added.
    ///   - epoch: Seconds since 1970-01-01 for all that is added.
    ///   - target: Where the medium would stand.
    ///   - holdsSecrets: Whether only the owner may read it.
    /// - Throws: `ISOError` for an image that cannot be grafted, ``BuildError`` with ``BuildError/Code/defect`` where it
    ///   does not read back as it was meant.
    init(_ tree: FileTree, on base: FilePath, epoch: Int64, for target: FilePath, holdsSecrets: Bool) throws {
        var file = try ISOGraft(base, epoch: epoch).stage(tree, for: target)
        var size: UInt64 = 0
        var digest: Digest?
        try file.readBack { path in
            try ReadBack.require(tree, graftedOnto: base, in: path, meantFor: target)
            size = try HostFile.status(of: path).size
            digest = try Digest(ofFile: path)
        }
        self.file = file
        self.size = size
        self.digest = digest ?? Digest(of: [])
        mode = holdsSecrets ? .secret : .file
    }

    /// Gives it its name, durably.
    ///
    /// - Throws: `ArtefactError`; what stood there is then still there.
    public consuming func commit() throws -> WrittenFile { try file.commit(mode: mode) }
}
