public import Artefact
public import SystemPackage

/// Writes trees as `.tar.gz`, the same bytes for the same tree on every machine.
///
/// Members come in the order of ``FileTree``, those of a ``TarBeginning`` first; directories with a trailing slash and
/// before what they hold, owners as numbers without names; names never begin with `./`. The whole is one gzip member
/// without name or time.
/// The bytes depend on the version of zlib; those of the tar archive inside do not.
public enum TarGzip {
    /// Writes a tree; contents are streamed, and the file appears only when it is complete and durable.
    ///
    /// - Parameters:
    ///   - tree: What to write; its root is not a member.
    ///   - beginning: The members that come first, as they are in `tree`.
    ///   - target: Where to write it.
    ///   - mode: The permission bits of the file.
    ///   - durability: When it lasts through a power failure.
    ///   - check: Reads the finished file before it appears; what it throws leaves what was at `target`.
    /// - Returns: What was written, with its SHA-256.
    /// - Throws: ``ArtefactError`` when the target cannot be written or a content has changed since the tree was made,
    ///   ``ArchiveError`` with ``ArchiveError/Code/system`` when there is no memory, or what `check` throws.
    @discardableResult
    public static func write(
        _ tree: FileTree, after beginning: TarBeginning, to target: FilePath, mode: EntryMode = .file,
        durability: StagedFile.Durability = .immediate, check: (FilePath) throws -> Void = { _ in }
    ) throws -> WrittenFile {
        var file = try StagedFile(target, digesting: true)
        try file.write(beginning.bytes)
        var deflater = try beginning.continued()
        let first = Set(beginning.entries.map(\.path))
        let rest = tree.entries.filter { !first.contains($0.path) }
        try writeMembers(rest, epoch: beginning.epoch) { bytes in
            try deflater.write(bytes) { output in try file.write(output) }
        }
        try deflater.write(TarEncoder.endMark.span) { output in try file.write(output) }
        try deflater.finish { output in try file.write(output) }
        try file.readBack(check)
        return try file.commit(mode: mode, durability: durability)
    }

    /// Writes a tree with all its members in the order of ``FileTree``.
    ///
    /// - Parameters:
    ///   - tree: What to write; its root is not a member.
    ///   - epoch: The time of every entry that states none, in seconds since 1970-01-01.
    ///   - target: Where to write it.
    ///   - mode: The permission bits of the file.
    ///   - check: Reads the finished file before it appears; what it throws leaves what was at `target`.
    /// - Returns: What was written, with its SHA-256.
    /// - Throws: ``ArtefactError``, ``ArchiveError`` or what `check` throws, as where several archives begin alike.
    @discardableResult
    public static func write(
        _ tree: FileTree, epoch: Int64, to target: FilePath, mode: EntryMode = .file,
        check: (FilePath) throws -> Void = { _ in }
    ) throws -> WrittenFile {
        try write(tree, after: TarBeginning([], epoch: epoch), to: target, mode: mode, check: check)
    }

    /// Gives the bytes of the tar archive, uncompressed, to `sink`.
    ///
    /// - Throws: ``ArtefactError`` when a content has changed or cannot be read, or what `sink` throws.
    package static func writeTar(_ tree: FileTree, epoch: Int64, to sink: (Span<UInt8>) throws -> Void) throws {
        try writeMembers(tree.entries, epoch: epoch, to: sink)
        try sink(TarEncoder.endMark.span)
    }

    /// Gives the bytes of some members to `sink`.
    ///
    /// - Throws: ``ArtefactError`` when a content has changed or cannot be read, or what `sink` throws.
    static func writeMembers(
        _ entries: [TreeEntry], epoch: Int64, to sink: (Span<UInt8>) throws -> Void
    ) throws {
        let encoder = TarEncoder(epoch: epoch)
        for entry in entries {
            let headers = encoder.headers(entry)
            try sink(headers.span)
            guard case .file(let content) = entry.kind else { continue }
            try content.forEachChunk(sink)
            let padding = TarEncoder.padding(content.size)
            if !padding.isEmpty { try sink(padding.span) }
        }
    }
}
