/// The cylinders, heads and sectors in which a master boot record repeats what it says in blocks.
///
/// Firmware and `isohybrid` take the geometry of an image from the end of its first partition: the highest head and the
/// highest sector there are those of a whole cylinder (`isohybrid.c`, `initialise_mbr`).
struct PartitionGeometry: Hashable {
    /// Heads, 1 to 255.
    let heads: UInt64
    /// Sectors of a track, 1 to 63.
    let sectors: UInt64

    /// Those that programs use: `isohybrid` and xorriso, xorriso from 1 GiB on, everything else.
    static let usual = [(64, 32), (128, 32), (255, 32), (255, 63), (16, 63)].map { heads, sectors in
        PartitionGeometry(heads: heads, sectors: sectors)
    }

    /// The blocks of one cylinder.
    var cylinder: UInt64 { heads * sectors }

    /// The three bytes for a block: head, sector with the upper bits of the cylinder, cylinder; from cylinder 1024 on, the
    /// last one with the same head and sector, as `isohybrid` has it.
    func address(of block: UInt64) -> [UInt8] {
        let column = Swift.min(block / cylinder, 1023)
        let head = block / sectors % heads
        let sector = block % sectors + 1
        return [
            UInt8(truncatingIfNeeded: head), UInt8(truncatingIfNeeded: sector | (column >> 8) << 6),
            UInt8(truncatingIfNeeded: column),
        ]
    }

    /// The geometry by which a partition that ends before `end` has these three bytes for its last block.
    static func of(address: [UInt8], end: UInt64) -> PartitionGeometry? {
        guard address.count == 3, end > 0 else { return nil }
        let whole = PartitionGeometry(heads: UInt64(address[0]) + 1, sectors: UInt64(address[1] & 0x3F))
        let candidates = (whole.sectors > 0 && end % whole.cylinder == 0 ? [whole] : []) + usual
        return candidates.first { $0.address(of: end - 1) == address }
    }
}
