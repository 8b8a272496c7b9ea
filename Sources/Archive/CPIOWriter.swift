public import Artefact
public import SystemPackage

/// Writes the regular files of a tree as a cpio archive of the kind that the kernel unpacks into its first root.
///
/// The form is `newc` (`070701`) of `buffer-format.rst` in the kernel's documentation: headers of 110 ASCII bytes, names
/// and data padded to four bytes. The bytes depend on the tree and the epoch alone; owners are root.
public enum CPIOWriter {
    /// Writes an archive.
    ///
    /// - Parameters:
    ///   - tree: Its entries; directories, files and links.
    ///   - epoch: Seconds since 1970-01-01 for each entry that states no time.
    ///   - target: Where it will stand.
    ///   - mode: The permission bits of the archive.
    ///   - durability: When it lasts through a power failure.
    /// - Returns: What stands there.
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/unrepresentable`` for a file of 4 GiB and more or a time
    ///   outside of 32 bits; `ArtefactError` when a file cannot be read or written.
    @discardableResult
    public static func write(
        _ tree: FileTree, epoch: Int64, to target: FilePath, mode: EntryMode,
        durability: StagedFile.Durability = .immediate
    ) throws -> WrittenFile {
        var file = try StagedFile(target)
        for (index, entry) in tree.entries.enumerated() {
            let type: UInt32
            var size = entry.size
            switch entry.kind {
            case .directory: type = 0o040000
            case .file: type = 0o100000
            case .symlink(let link):
                type = 0o120000
                size = UInt64(link.utf8.count)
            }
            guard let length = UInt32(exactly: size), let time = UInt32(exactly: entry.modified ?? epoch) else {
                throw ArchiveError(
                    .unrepresentable, subject: entry.path.string,
                    detail: "has a size or time that does not fit into the 32 bits of a cpio archive")
            }
            try file.write(
                header(
                    entry.path.string, serial: UInt32(truncatingIfNeeded: index + 1),
                    mode: type | UInt32(entry.mode.bits), links: entry.isDirectory ? 2 : 1, time: time, size: length))
            switch entry.kind {
            case .directory: break
            case .file(let content): try content.forEachChunk { chunk in try file.write(chunk) }
            case .symlink(let link): try file.write(Array(link.utf8))
            }
            try file.write([UInt8](repeating: 0, count: padding(Int(length % 4))))
        }
        try file.write(header("TRAILER!!!", serial: 0, mode: 0, links: 1, time: 0, size: 0))
        return try file.commit(mode: mode, durability: durability)
    }

    private static func padding(_ count: Int) -> Int { (4 - count % 4) % 4 }

    private static func header(
        _ name: String, serial: UInt32, mode: UInt32, links: UInt32, time: UInt32, size: UInt32
    ) -> [UInt8] {
        var bytes = Array("070701".utf8)
        let name = Array(name.utf8) + [0]
        // Serial, mode, owner, group, links, time, size, device and special device by major and minor, name, checksum.
        let fields: [UInt32] = [serial, mode, 0, 0, links, time, size, 0, 0, 0, 0, UInt32(name.count), 0]
        for field in fields {
            let digits = Array(String(field, radix: 16, uppercase: true).utf8)
            bytes += [UInt8](repeating: UInt8(ascii: "0"), count: 8 - digits.count) + digits
        }
        bytes += name
        bytes += [UInt8](repeating: 0, count: padding(bytes.count))
        return bytes
    }
}
