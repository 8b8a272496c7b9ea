/// The names in directories of a SquashFS 4.0 image, as far as its metadata is compressed with gzip, xz or zstd, or not at all
/// (`Documentation/filesystems/squashfs.rst`, `fs/squashfs/squashfs_fs.h`).
///
/// ```
/// 0        superblock, 96 bytes
/// …        data
/// inodes   metadata blocks: two bytes of length and flag, then at most 8 KiB before compression
/// names    metadata blocks: the directories
/// ```
public struct SquashFSReader {
    /// The bytes at a place in the image; fewer where it ends.
    public typealias Read = (_ offset: UInt64, _ count: Int) throws -> [UInt8]

    /// The most bytes of one directory that are read.
    public static let maximumDirectoryBytes = 1 << 20

    private let compression: ForeignBlock.Method
    private let inodes: UInt64
    private let names: UInt64
    private let root: UInt64
    private let subject: String

    /// The names of the directories in a directory of an image, in the order of the image.
    ///
    /// - Parameters:
    ///   - path: The components from the root on.
    ///   - name: What errors call the image.
    ///   - read: What reads the image.
    /// - Returns: `nil` where no directory has that path.
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/notAnArchive``,
    ///   ``ArchiveError/Code/unsupportedCompression``, ``ArchiveError/Code/malformed`` or
    ///   ``ArchiveError/Code/limitExceeded``; what `read` throws.
    public static func directories(in path: [String], named name: String, read: Read) throws -> [String]? {
        try SquashFSReader(named: name, read: read).directories(in: path, read: read)
    }

    /// Reads the superblock.
    private init(named name: String, read: Read) throws {
        let block = try LittleEndian(read(0, 96))
        guard block.bytes.count == 96, block.bytes.starts(with: "hsqs".utf8), block.number(28, 2) == 4 else {
            throw ArchiveError(.notAnArchive, subject: name, detail: "is no SquashFS 4.0 image")
        }
        switch block.number(20, 2) {
        case 1: compression = .zlib
        case 4: compression = .xz
        case 6: compression = .zstd
        default:
            throw ArchiveError(
                .unsupportedCompression, subject: name,
                detail: "is SquashFS with compression \(block.number(20, 2)); only gzip, xz and zstd are read")
        }
        root = block.number(32, 8)
        inodes = block.number(64, 8)
        names = block.number(72, 8)
        subject = name
    }

    private func directories(in path: [String], read: Read) throws -> [String]? {
        var inode = root
        for component in path {
            guard let next = try entries(of: inode, read).first(where: { $0.name == component }) else { return nil }
            inode = next.inode
        }
        return try entries(of: inode, read).map(\.name)
    }

    private struct Entry {
        let name: String
        let inode: UInt64
    }

    /// The directories in the directory whose inode a reference names: the block's place from the table on and the offset in
    /// the block's bytes, 16 bits.
    private func entries(of reference: UInt64, _ read: Read) throws -> [Entry] {
        let inode = LittleEndian(
            try metadata(from: inodes, block: reference >> 16, offset: Int(reference & 0xFFFF), count: 40, read))
        let (block, offset, size): (UInt64, UInt64, UInt64)
        switch inode.number(0, 2) {
        case 1: (block, offset, size) = (inode.number(16, 4), inode.number(26, 2), inode.number(24, 2))
        case 8: (block, offset, size) = (inode.number(24, 4), inode.number(34, 2), inode.number(20, 4))
        default: throw fault("a directory is none")
        }
        // The size counts `.` and `..` as three bytes.
        guard size > 3 else { return [] }
        guard size <= UInt64(Self.maximumDirectoryBytes) else {
            throw ArchiveError(
                .limitExceeded, subject: subject, detail: "has a directory of \(size) bytes")
        }
        let list = LittleEndian(
            try metadata(from: names, block: block, offset: Int(offset), count: Int(size) - 3, whole: true, read))
        var found: [Entry] = []
        var position = 0
        while position + 12 <= list.bytes.count {
            let count = list.number(position, 4) + 1
            let start = list.number(position + 4, 4)
            position += 12
            guard count <= 256 else { throw fault("a directory has a run of \(count) entries") }
            for _ in 0..<count {
                guard position + 8 <= list.bytes.count else { throw fault("a directory ends within an entry") }
                let length = Int(list.number(position + 6, 2)) + 1
                guard position + 8 + length <= list.bytes.count else { throw fault("a directory ends within a name") }
                let name = String(decoding: list.bytes[(position + 8)..<(position + 8 + length)], as: UTF8.self)
                if [1, 8].contains(list.number(position + 4, 2)) {
                    found.append(Entry(name: name, inode: start << 16 | list.number(position, 2)))
                }
                position += 8 + length
            }
        }
        return found
    }

    /// Bytes out of a table of metadata blocks; fewer at its end, unless they must be `whole`.
    private func metadata(
        from table: UInt64, block: UInt64, offset: Int, count: Int, whole: Bool = false, _ read: Read
    ) throws -> [UInt8] {
        var place = table.addingReportingOverflow(block)
        var bytes: [UInt8] = []
        while bytes.count < offset + count {
            guard !place.overflow, place.partialValue < UInt64(Int64.max) else { throw fault("a table lies nowhere") }
            let header = LittleEndian(try read(place.partialValue, 2))
            let size = Int(header.number(0, 2) & 0x7FFF)
            guard header.bytes.count == 2, size > 0, size <= 8192 else {
                if whole || bytes.count <= offset { throw fault("a metadata block has \(size) bytes") }
                break
            }
            let stored = try read(place.partialValue + 2, size)
            guard stored.count == size else { throw fault("a metadata block ends early") }
            let isStored = header.number(0, 2) & 0x8000 != 0
            guard let content = isStored ? stored : ForeignBlock.expand(stored, compression, limit: 8192),
                !content.isEmpty
            else {
                if whole || bytes.count <= offset { throw fault("a metadata block cannot be expanded") }
                break
            }
            bytes += content
            place = place.partialValue.addingReportingOverflow(UInt64(size) + 2)
        }
        return Array(bytes.dropFirst(offset).prefix(count))
    }

    private func fault(_ detail: String) -> ArchiveError {
        ArchiveError(.malformed, subject: subject, detail: "is a damaged SquashFS image: \(detail)")
    }
}

/// Little-endian numbers; what lies outside reads as zero.
private struct LittleEndian {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func number(_ offset: Int, _ size: Int) -> UInt64 {
        (0..<size).reduce(0) { sum, index in
            sum | (bytes.indices.contains(offset + index) ? UInt64(bytes[offset + index]) << (8 * UInt64(index)) : 0)
        }
    }
}
