/// Which entries of the tables grow, and the bytes that says it.
struct GrowthPlan {
    /// An end that is this near to where the free room ends is meant to reach it: the alignment of any partition program
    /// that writes ISO images, in blocks.
    private static let slack: UInt64 = 64
    /// The first block of the volume's own partition is at most this: the end of the system area.
    private static let systemBlocks: UInt64 = 64

    private let tables: HybridTables
    private let oldEnd: UInt64
    private var patches: [HybridGrowth.Patch] = []
    private var obsolete: [Range<UInt64>] = []
    private var notes: [String] = []

    init(_ tables: HybridTables, oldEnd: UInt64) {
        self.tables = tables
        self.oldEnd = oldEnd
    }

    mutating func growth(to contentEnd: UInt64) throws(ISOError) -> HybridGrowth {
        let growing = mbrPartitions()
        let imageSize = newSize(contentEnd, growing)
        if tables.mbr != nil { try patchMBR(growing, imageSize) }
        if let gpt = tables.gpt { patchGPT(gpt, imageSize) }
        for map in tables.apple { try patchApple(map, imageSize) }
        return HybridGrowth(
            imageSize: imageSize, patches: patches.sorted { $0.offset < $1.offset }, obsolete: obsolete, notes: notes)
    }

    /// The partitions of the MBR that are the volume or protect the whole.
    private func mbrPartitions() -> [MasterBootRecord.Partition] {
        let oldBlocks = Swift.min(oldEnd, tables.imageSize) / 512
        return (tables.mbr?.partitions ?? []).filter { partition in
            if partition.type == MasterBootRecord.protectiveType { return partition.blocks != .max }
            return UInt64(partition.start) <= Self.systemBlocks && partition.end >= oldBlocks
        }
    }

    private func newSize(_ contentEnd: UInt64, _ growing: [MasterBootRecord.Partition]) -> UInt64 {
        var unit: UInt64 = 2048
        if !tables.isEmpty && tables.imageSize % 4096 == 0 { unit = 4096 }
        for partition in growing where partition.type != MasterBootRecord.protectiveType {
            guard let geometry = PartitionGeometry.of(address: partition.endAddress, end: partition.end),
                partition.end % geometry.cylinder == 0
            else { continue }
            unit = Self.leastCommonMultiple(unit, geometry.cylinder * 512)
        }
        let tail = tables.gpt.map { ($0.entryBlocks + 1) * 512 } ?? 0
        return HybridTables.roundUp(HybridTables.roundUp(contentEnd, tail == 0 ? 2048 : 4096) + tail, unit)
    }

    private static func leastCommonMultiple(_ one: UInt64, _ other: UInt64) -> UInt64 {
        var (a, b) = (one, other)
        while b > 0 { (a, b) = (b, a % b) }
        return one / a * other
    }

    // MARK: Master boot record

    private mutating func patchMBR(
        _ growing: [MasterBootRecord.Partition], _ imageSize: UInt64
    ) throws(ISOError) {
        let all = tables.mbr?.partitions ?? []
        for partition in growing {
            let isProtective = partition.type == MasterBootRecord.protectiveType
            var blocks = imageSize / 512 - UInt64(partition.start)
            if isProtective {
                blocks = Swift.min(blocks, UInt64(UInt32.max))
            } else if blocks > UInt64(UInt32.max) {
                throw tooLarge("the MBR counts its blocks of 512 bytes with 32 bits and ends at 2 TiB", imageSize)
            }
            let at = MasterBootRecord.offset(of: partition.number)
            let isCovered = all.contains { $0.type != 0 && UInt64($0.start) >= partition.end }
            if isCovered && !isProtective && partition.type != 0 {
                patches.append(HybridGrowth.Patch(offset: UInt64(at + 4), bytes: [0]))
                notes.append(
                    "partition \(partition.number) of the MBR now lies across one that was appended; its type"
                        + " becomes 0, as UEFI demands of such a pair")
            }
            let end = PartitionGeometry.of(address: partition.endAddress, end: partition.end)?
                .address(of: UInt64(partition.start) + blocks - 1)
            patches.append(HybridGrowth.Patch(offset: UInt64(at + 5), bytes: end ?? [0xFE, 0xFF, 0xFF]))
            var count = [UInt8](repeating: 0, count: 4)
            count.put(UInt32(blocks), at: 0)
            patches.append(HybridGrowth.Patch(offset: UInt64(at + 12), bytes: count))
        }
    }

    // MARK: GPT

    private mutating func patchGPT(_ gpt: GUIDPartitionTable, _ imageSize: UInt64) {
        let backup = imageSize / 512 - 1
        let backupEntries = backup - gpt.entryBlocks
        var entries = gpt.entries
        let isRead = tables.mbr?.kind != .ordinary
        let oldBlocks = Swift.min(oldEnd, tables.imageSize) / 512
        let behind = gpt.partitions.map(\.end).max() ?? 0
        for partition in gpt.partitions {
            let isLast = partition.end == behind && partition.end + Self.slack > gpt.lastUsable
            let isVolume =
                partition.first <= Self.systemBlocks
                && partition.end + Self.slack > Swift.min(oldBlocks, gpt.lastUsable)
            guard isLast || isVolume else { continue }
            guard isLast || !isRead else {
                notes.append(
                    "partition \(partition.number) of the GPT keeps its size, for another follows it and UEFI ignores"
                        + " partitions that overlap; what is added is found on the whole disk only")
                continue
            }
            guard partition.isData else { continue }
            let unit: UInt64 = partition.end % 8 == 0 ? 8 : partition.end % 4 == 0 ? 4 : 1
            entries.put(
                backupEntries / unit * unit - 1, at: (partition.number - 1) * gpt.entrySize + 40)
        }
        patches.append(HybridGrowth.Patch(offset: gpt.entriesBlock * 512, bytes: entries))
        patches.append(HybridGrowth.Patch(offset: backupEntries * 512, bytes: entries))
        let sum = CRC32.of(entries)
        for (block, other, at) in [(1, backup, gpt.entriesBlock), (backup, 1, backupEntries)] {
            var header = gpt.header
            header.put(block, at: 24)
            header.put(other, at: 32)
            header.put(backupEntries - 1, at: 48)
            header.put(at, at: 72)
            header.put(sum, at: 88)
            header.put(UInt32(0), at: 16)
            let size = Int(Fields(bytes: header).little32(12))
            header.put(CRC32.of(Array(header.prefix(size))), at: 16)
            patches.append(HybridGrowth.Patch(offset: block * 512, bytes: header))
        }
        obsolete.append(gpt.backupEntries * 512..<(gpt.backupEntries + gpt.entryBlocks) * 512)
        obsolete.append(gpt.backupBlock * 512..<(gpt.backupBlock + 1) * 512)
    }

    // MARK: Apple partition map

    private mutating func patchApple(_ map: ApplePartitionMap, _ imageSize: UInt64) throws(ISOError) {
        let size = UInt64(map.blockSize)
        let behind = map.partitions.map(\.end).max() ?? 0
        for partition in map.partitions where partition.end == behind {
            guard partition.end * size + Self.slack * 512 > Swift.min(oldEnd, tables.imageSize), partition.isData else {
                continue
            }
            let blocks = imageSize / size - UInt64(partition.start)
            guard let count = UInt32(exactly: blocks) else {
                throw tooLarge("the Apple partition map counts its blocks with 32 bits", imageSize)
            }
            var bytes = [UInt8](repeating: 0, count: 4)
            bytes.put(count, at: 0, big: true)
            let at = UInt64(partition.number) * size
            patches.append(HybridGrowth.Patch(offset: at + 12, bytes: bytes))
            if partition.dataBlocks == partition.blocks {
                patches.append(HybridGrowth.Patch(offset: at + 84, bytes: bytes))
            }
        }
    }

    private func tooLarge(_ why: String, _ imageSize: UInt64) -> ISOError {
        ISOError(
            .unrepresentable, subject: tables.subject,
            detail: "cannot grow to \(imageSize) bytes: \(why); add less to it")
    }
}
