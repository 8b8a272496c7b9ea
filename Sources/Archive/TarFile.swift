public import Artefact
public import SystemPackage

/// Trees in tar archives that are not compressed, for files that are compressed already.
public enum TarFile {
    /// Writes a tree; the same bytes for the same tree on every machine.
    ///
    /// - Parameters:
    ///   - tree: What to write; its root is not a member.
    ///   - epoch: The time of every entry that states none, in seconds since 1970-01-01.
    ///   - target: Where to write it.
    ///   - mode: The permission bits of the file.
    /// - Returns: What was written, with its SHA-256.
    /// - Throws: `ArtefactError` when the target cannot be written or a content has changed since the tree was made.
    @discardableResult
    public static func write(
        _ tree: FileTree, epoch: Int64, to target: FilePath, mode: EntryMode = .file
    ) throws -> WrittenFile {
        var file = try StagedFile(target, digesting: true)
        try TarGzip.writeTar(tree, epoch: epoch) { bytes in try file.write(bytes) }
        return try file.commit(mode: mode)
    }

    /// Reads an archive that was written as ``write(_:epoch:to:mode:)`` does: the bytes go to files in a folder, and the
    /// entries of the tree refer to those.
    ///
    /// - Parameters:
    ///   - path: The archive.
    ///   - folder: A directory for the bytes; it must last as long as the tree is used.
    ///   - origin: Who put the entries there.
    /// - Returns: The directories and regular files of the archive.
    /// - Throws: ``ArchiveError`` for an archive that does not read to its end or holds other members, `ArtefactError`
    ///   for a path that no tree holds, for two members of one name, or what the system says.
    public static func extract(_ path: FilePath, into folder: FilePath, origin: String) throws -> FileTree {
        var archive = try ArchiveReader(path)
        var tree = FileTree()
        var count = 0
        while let member = try archive.next() {
            let name = member.name.hasSuffix("/") ? String(member.name.dropLast()) : member.name
            let place = try EntryPath(name)
            switch member.kind {
            case .directory:
                try tree.insert(TreeEntry(path: place, kind: .directory, mode: member.mode, origin: origin))
            case .file:
                count += 1
                let target = folder.appending("member-\(count)")
                var file = try StagedFile(target)
                try archive.forEachChunk { chunk in try file.write(chunk) }
                let written = try file.commit()
                try tree.insert(
                    TreeEntry(
                        path: place, kind: .file(.file(target, size: written.size)), mode: member.mode,
                        origin: origin))
            default:
                throw ArchiveError(
                    .unsupportedMember, subject: path.string,
                    detail: "holds \(printable(member.name)), which is neither a file nor a directory")
            }
        }
        return tree
    }
}
