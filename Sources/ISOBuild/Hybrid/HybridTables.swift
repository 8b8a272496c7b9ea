public import SystemPackage

/// The partition tables by which an ISO image is a disk as well: in its first 32 KiB, which ISO 9660 leaves to others, and at
/// its end.
///
/// ```
/// block of 512 bytes
///      0        master boot record
///      1        GPT header, or entry 1 of an Apple map with blocks of 512 bytes
///      2…63     GPT entries; entries of an Apple map with blocks of 2048 bytes at 4, 8, …
///     64…       the volume: descriptors, trees, files
///      …        partitions that were appended, which the volume does not hold
///      last     backup of the GPT header, its entries before it
/// ```
public struct HybridTables: Hashable, Sendable {
    /// The bytes of an image that ISO 9660 leaves to others.
    static let systemArea = 32768

    /// The master boot record.
    public let mbr: MasterBootRecord?
    /// The GPT; absent where it is damaged, which ``faults`` tells.
    public let gpt: GUIDPartitionTable?
    /// The Apple maps, at most one of each block size.
    public let apple: [ApplePartitionMap]
    /// The bytes of the image.
    public let imageSize: UInt64
    /// Where a partition holds a volume of its own with other addresses than the image's (`-partition_offset`): the first
    /// byte of the partition.
    public let offsetVolume: UInt64?
    /// What contradicts itself, another table or the size of the image, one line each.
    public let faults: [String]
    /// The image, for messages.
    let subject: String

    /// Whether the image has any table.
    public var isEmpty: Bool { mbr == nil && gpt == nil && apple.isEmpty && faults.isEmpty }

    /// Reads the tables of an image.
    ///
    /// - Throws: ``ISOError`` or `ArtefactError` where the file cannot be read; what is wrong with the tables is in
    ///   ``faults``.
    public init(_ path: FilePath) throws {
        let image = try ImageFile(path)
        try self.init(image)
    }

    /// Reads the tables of an open image.
    init(_ image: borrowing ImageFile) throws {
        let size = image.size
        let area = Fields(
            bytes: try image.read(
                at: 0, count: Int(Swift.min(size, UInt64(Self.systemArea))), what: "the system area"))
        func blocks(_ block: UInt64, _ count: Int) throws -> [UInt8]? {
            guard block < size / 512, UInt64(count) <= size - block * 512 else { return nil }
            return try image.read(at: block * 512, count: count, what: "a partition table")
        }
        imageSize = size
        subject = image.path.string
        var faults: [String] = []
        mbr = MasterBootRecord(area)
        var apple: [ApplePartitionMap] = []
        for blockSize in [512, 2048] {
            switch ApplePartitionMap.read(area, blockSize: blockSize) {
            case .map(let map): apple.append(map)
            case .fault(let fault): faults.append("the Apple partition map with blocks of \(blockSize) bytes \(fault)")
            case nil: break
            }
        }
        self.apple = apple
        gpt = try Self.primary(blocks, &faults)
        var offsetVolume: UInt64?
        for partition in mbr?.partitions ?? [] where partition.start > 0 && partition.start <= 64 {
            let descriptor = try blocks(UInt64(partition.start) + 64, 6) ?? []
            if Array(descriptor.dropFirst()) == ISOFormat.standardIdentifier {
                offsetVolume = UInt64(partition.start) * 512
            }
        }
        self.offsetVolume = offsetVolume
        self.faults = faults + Self.contradictions(mbr, gpt, apple, size)
    }

    /// The GPT of block 1, where its backup agrees with it.
    private static func primary(
        _ blocks: (UInt64, Int) throws -> [UInt8]?, _ faults: inout [String]
    ) throws -> GUIDPartitionTable? {
        var table: GUIDPartitionTable
        switch try GUIDPartitionTable.read(at: 1, blocks) {
        case nil: return nil
        case .fault(let fault):
            faults.append("the GPT is damaged: \(fault)")
            return nil
        case .table(let found): table = found
        }
        switch try GUIDPartitionTable.read(at: table.backupBlock, blocks) {
        case nil: faults.append("the GPT has no backup in block \(table.backupBlock), where its header says that it is")
        case .fault(let fault): faults.append("the backup of the GPT is damaged: \(fault)")
        case .table(let backup):
            if backup.disk != table.disk || backup.entries != table.entries || backup.backupBlock != 1 {
                faults.append("the GPT and its backup differ")
            }
            let (end, overflow) = backup.entriesBlock.addingReportingOverflow(backup.entryBlocks)
            if overflow || end > table.backupBlock || backup.entriesBlock <= table.lastUsable {
                faults.append("the entries of the GPT's backup do not lie between the partitions and its header")
            }
            if table.entriesBlock < 2 || table.entriesBlock + table.entryBlocks > 64 {
                faults.append("the entries of the GPT do not lie in the first 32 KiB, which the volume leaves free")
            }
            table.backupEntries = backup.entriesBlock
        }
        return table
    }

    /// Where tables and image size exclude each other.
    private static func contradictions(
        _ mbr: MasterBootRecord?, _ gpt: GUIDPartitionTable?, _ apple: [ApplePartitionMap], _ size: UInt64
    ) -> [String] {
        var faults: [String] = []
        for partition in mbr?.partitions ?? [] where partition.end * 512 > size {
            if partition.type == MasterBootRecord.protectiveType && partition.blocks == .max { continue }
            faults.append(
                "partition \(partition.number) of the MBR ends at byte \(partition.end * 512), the image at \(size)")
        }
        if gpt == nil, mbr?.kind == .protective {
            faults.append("the MBR protects a GPT, and there is none")
        }
        for partition in gpt?.partitions ?? [] where partition.last >= size / 512 || partition.first > partition.last {
            faults.append(
                "partition \(partition.number) of the GPT is said to lie in blocks \(partition.first) to"
                    + " \(partition.last) of an image that has \(size / 512)")
        }
        for map in apple {
            for partition in map.partitions where partition.end * UInt64(map.blockSize) > size {
                faults.append(
                    "partition \(partition.number) of the Apple map ends at byte"
                        + " \(partition.end * UInt64(map.blockSize)), the image at \(size)")
            }
        }
        return faults
    }
}
