/// The partition table of UEFI (2.10 §5.3): a header in block 1, entries, and a copy of both at the end; blocks of 512 bytes.
public struct GUIDPartitionTable: Hashable, Sendable {
    /// A GUID as the format stores it: the first three fields little-endian.
    public struct Identifier: Hashable, Sendable, CustomStringConvertible {
        /// The sixteen bytes as stored.
        public let bytes: [UInt8]

        /// The usual text, upper-case.
        public var description: String {
            guard bytes.count == 16 else { return "" }
            let digits = Array("0123456789ABCDEF")
            let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
            var text = ""
            for (place, index) in order.enumerated() {
                if [4, 6, 8, 10].contains(place) { text += "-" }
                text.append(digits[Int(bytes[index] >> 4)])
                text.append(digits[Int(bytes[index] & 15)])
            }
            return text
        }

        /// Data of Windows and of ISO images (EBD0A0A2-…).
        static let basicData = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
    }

    /// One partition.
    public struct Partition: Hashable, Sendable {
        /// Its place in the table, from 1.
        public let number: Int
        /// What it is for.
        public let type: Identifier
        /// Its own identity.
        public let identifier: Identifier
        /// The first block.
        public let first: UInt64
        /// The last block, which belongs to it.
        public let last: UInt64
        /// The attribute bits.
        public let attributes: UInt64
        /// Its name.
        public let name: String

        /// The block behind it.
        public var end: UInt64 { last == .max ? last : last + 1 }
        /// Whether it may be made larger: data, neither an EFI system partition nor an HFS+ volume.
        var isData: Bool { type.description == Identifier.basicData }
    }

    static let signature = Array("EFI PART".utf8)
    /// The most entries that are read.
    static let maximumEntries = 1024

    /// The identity of the disk.
    public let disk: Identifier
    /// The block of the other header: the backup, as the primary header says.
    public let backupBlock: UInt64
    /// The first block of the entries.
    public let entriesBlock: UInt64
    /// The entries that there is room for.
    public let entryCount: Int
    /// The first block that a partition may have.
    public let firstUsable: UInt64
    /// The last block that a partition may have.
    public let lastUsable: UInt64
    /// The partitions, in the order of the table.
    public let partitions: [Partition]
    /// The first block of the backup's entries, as the backup says.
    var backupEntries: UInt64
    /// The header's block as it stands.
    let header: [UInt8]
    /// The entries as they stand.
    let entries: [UInt8]

    /// The blocks that the entries fill.
    var entryBlocks: UInt64 { UInt64((entries.count + 511) / 512) }
    /// The bytes of one entry.
    var entrySize: Int { entries.count / entryCount }

    /// Reads the header in `block` and its entries.
    ///
    /// - Parameters:
    ///   - block: The place of the header.
    ///   - read: The bytes at a place in blocks; `nil` where they lie outside of the image.
    /// - Throws: What `read` throws.
    /// - Returns: The table; or what is wrong with it, or `nil` where no header is.
    static func read(
        at block: UInt64, _ read: (_ block: UInt64, _ count: Int) throws -> [UInt8]?
    ) throws -> Reading? {
        guard let header = try read(block, 512) else { return .fault("its header would lie outside of the image") }
        guard header.starts(with: signature) else { return nil }
        let fields = Fields(bytes: header)
        let size = Int(fields.little32(12))
        guard (92...512).contains(size) else { return .fault("its header claims \(size) bytes") }
        var covered = Array(header.prefix(size))
        covered.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        guard CRC32.of(covered) == fields.little32(16) else { return .fault("the checksum of its header is wrong") }
        guard fields.little64(24) == block else {
            return .fault("its header stands in block \(block) and says that it is that of \(fields.little64(24))")
        }
        let count = Int(fields.little32(80))
        let entrySize = Int(fields.little32(84))
        guard entrySize >= 128, entrySize <= 4096, entrySize & (entrySize - 1) == 0,
            (1...maximumEntries).contains(count)
        else { return .fault("it claims \(count) entries of \(entrySize) bytes") }
        guard let entries = try read(fields.little64(72), count * entrySize) else {
            return .fault("its entries would lie outside of the image")
        }
        guard CRC32.of(entries) == fields.little32(88) else { return .fault("the checksum of its entries is wrong") }
        return .table(GUIDPartitionTable(header: header, fields, entries: entries, count: count))
    }

    /// What was found where a header may be.
    enum Reading {
        case table(GUIDPartitionTable)
        case fault(String)
    }

    private init(header: [UInt8], _ fields: Fields, entries: [UInt8], count: Int) {
        self.header = header
        self.entries = entries
        disk = Identifier(bytes: fields.slice(56, 16))
        backupBlock = fields.little64(32)
        firstUsable = fields.little64(40)
        lastUsable = fields.little64(48)
        entriesBlock = fields.little64(72)
        entryCount = count
        backupEntries = 0
        let stored = Fields(bytes: entries)
        let entrySize = entries.count / count
        partitions = (0..<count).compactMap { index in
            let at = index * entrySize
            let type = stored.slice(at, 16)
            guard type.contains(where: { $0 != 0 }) else { return nil }
            var units = stride(from: at + 56, to: at + 128, by: 2).map { stored.little16($0) }
            if let end = units.firstIndex(of: 0) { units.removeSubrange(end...) }
            return Partition(
                number: index + 1, type: Identifier(bytes: type),
                identifier: Identifier(bytes: stored.slice(at + 16, 16)),
                first: stored.little64(at + 32), last: stored.little64(at + 40), attributes: stored.little64(at + 48),
                name: String(decoding: units, as: UTF16.self))
        }
    }
}

/// The checksum of the GPT and of gzip (ISO 3309), polynomial 0xEDB88320.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
    }
}
