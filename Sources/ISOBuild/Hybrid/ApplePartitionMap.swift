/// The partition map of Apple (Inside Macintosh: Devices, "Partitioning"): one block for each partition from block 1 on.
public struct ApplePartitionMap: Hashable, Sendable {
    /// One partition.
    public struct Partition: Hashable, Sendable {
        /// Its place in the map, from 1.
        public let number: Int
        /// Its name.
        public let name: String
        /// What it holds: `Apple_partition_map`, `Apple_HFS`, `ISO9660_data`.
        public let type: String
        /// The first block.
        public let start: UInt32
        /// Its blocks.
        public let blocks: UInt32
        /// The blocks of it that are said to hold data.
        let dataBlocks: UInt32

        /// The block behind it.
        public var end: UInt64 { UInt64(start) + UInt64(blocks) }
        /// Whether it may be made larger: xorriso's gap fillers, no HFS+ volume and not the map.
        var isData: Bool { type == "ISO9660_data" }
    }

    /// The bytes of a block: 512 or 2048.
    public let blockSize: Int
    /// The partitions, the map itself among them.
    public let partitions: [Partition]

    /// The most entries that are read.
    static let maximumEntries = 63

    /// Reads a map from the system area.
    ///
    /// - Returns: The map, what is wrong with it, or `nil` where no map of that block size is.
    static func read(_ area: Fields, blockSize: Int) -> Reading? {
        func isEntry(_ number: Int) -> Bool { area.slice(number * blockSize, 2) == [0x50, 0x4D] }
        guard isEntry(1) else { return nil }
        let count = area.big32(blockSize + 4)
        guard count >= 1, count <= maximumEntries, Int(count) * blockSize < area.bytes.count - blockSize else {
            return .fault("claims \(count) entries")
        }
        var partitions: [Partition] = []
        for number in 1...Int(count) {
            let at = number * blockSize
            guard isEntry(number), area.big32(at + 4) == count else {
                return .fault("has no entry \(number) of \(count), or one that claims another number of them")
            }
            partitions.append(
                Partition(
                    number: number, name: area.text(at + 16, 32), type: area.text(at + 48, 32),
                    start: area.big32(at + 8), blocks: area.big32(at + 12), dataBlocks: area.big32(at + 84)))
        }
        return .map(ApplePartitionMap(blockSize: blockSize, partitions: partitions))
    }

    /// What was found where a map may be.
    enum Reading {
        case map(ApplePartitionMap)
        case fault(String)
    }
}
