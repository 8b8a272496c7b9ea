/// The first block of an image as a disk: boot code, and up to four partitions (UEFI 2.10 §5.2.1).
public struct MasterBootRecord: Hashable, Sendable {
    /// What the record is for.
    public enum Kind: Hashable, Sendable {
        /// One partition of type 0xEE keeps programs that do not know the GPT away from it (UEFI §5.2.3).
        case protective
        /// A partition of type 0xEE beside others.
        case hybrid
        /// No partition of type 0xEE.
        case ordinary
    }

    /// The program at its beginning.
    public enum BootCode: Hashable, Sendable {
        /// Nothing but zeros.
        case none
        /// `isohdpfx.bin` of SYSLINUX or one of its kin, which starts isolinux.
        case isohybrid
        /// `boot_hybrid.img` of GRUB 2.
        case grub
        /// Any other.
        case other
    }

    /// One partition.
    public struct Partition: Hashable, Sendable {
        /// Its place in the table, from 1.
        public let number: Int
        /// Whether a BIOS takes it for the one to start from (0x80).
        public let isActive: Bool
        /// The type; 0 is what xorriso writes where an EFI partition lies within this one.
        public let type: UInt8
        /// The first block of 512 bytes.
        public let start: UInt32
        /// Its blocks of 512 bytes.
        public let blocks: UInt32
        /// The last block as cylinder, head and sector.
        let endAddress: [UInt8]

        /// The block behind it.
        public var end: UInt64 { UInt64(start) + UInt64(blocks) }
    }

    /// The bytes of the record.
    static let size = 512
    /// The type that keeps others away from a GPT.
    static let protectiveType: UInt8 = 0xEE
    private static let firstPartition = 446

    /// What it is for.
    public let kind: Kind
    /// The program at its beginning.
    public let bootCode: BootCode
    /// The number by which systems know the disk.
    public let diskSignature: UInt32
    /// The partitions that have a size, in the order of the table.
    public let partitions: [Partition]

    /// Reads the record.
    ///
    /// - Returns: `nil` where the signature 0x55 0xAA is missing, or where a record has neither partition nor code.
    init?(_ block: Fields) {
        guard block.slice(510, 2) == [0x55, 0xAA] else { return nil }
        var partitions: [Partition] = []
        for number in 1...4 {
            let at = Self.offset(of: number)
            let partition = Partition(
                number: number, isActive: block.byte(at) & 0x80 != 0, type: block.byte(at + 4),
                start: block.little32(at + 8), blocks: block.little32(at + 12), endAddress: block.slice(at + 5, 3))
            if partition.blocks > 0 { partitions.append(partition) }
        }
        bootCode = Self.bootCode(block.slice(0, 440))
        if partitions.isEmpty && bootCode == .none { return nil }
        diskSignature = block.little32(440)
        self.partitions = partitions
        let isGuarded = partitions.contains { $0.type == Self.protectiveType }
        kind = !isGuarded ? .ordinary : partitions.count == 1 ? .protective : .hybrid
    }

    /// Where the entry of a partition begins.
    static func offset(of number: Int) -> Int { firstPartition + 16 * (number - 1) }

    private static func bootCode(_ code: [UInt8]) -> BootCode {
        let start: [UInt8] = [0x33, 0xED, 0xFA, 0x8E, 0xD5, 0xBC, 0x00, 0x7C]
        if code.allSatisfy({ $0 == 0 }) { return .none }
        if code.starts(with: start) || code.dropFirst(32).starts(with: start) { return .isohybrid }
        let text = Array("GRUB \0Geom\0Hard Disk\0Read\0 Error".utf8)
        let last = code.count - text.count
        if last >= 0, (0...last).contains(where: { code[$0...].starts(with: text) }) { return .grub }
        return .other
    }
}
