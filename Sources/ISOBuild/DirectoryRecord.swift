/// One record of a directory, ECMA-119 §9.1.
struct DirectoryRecord: Hashable {
    /// The first sector of the extent.
    var extent: UInt32
    /// The bytes in the extent.
    var length: UInt32
    /// When it was recorded.
    var recorded: ISOTime?
    /// The file flags, §9.1.6.
    var flags: UInt8
    /// Whether the extent begins with an extended attribute record (§9.1.3) or is interleaved (§9.1.7, §9.1.8), so that
    /// the bytes of the file are not simply those of the extent.
    var isUnusual = false
    /// The file identifier; one byte 0 for a directory itself, one byte 1 for the one above.
    var identifier: [UInt8]
    /// The system use field.
    var systemUse: [UInt8]

    static let itself: [UInt8] = [0]
    static let above: [UInt8] = [1]

    /// The room for system use entries beside an identifier of `count` bytes.
    static func room(identifier count: Int) -> Int {
        ISOFormat.longestRecord - ISOFormat.recordHeader - count - (count % 2 == 0 ? 1 : 0)
    }

    /// The record as it stands in a directory; its length is even.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes += [0, 0]
        bytes.appendBoth32(extent)
        bytes.appendBoth32(length)
        bytes += recorded?.short ?? [UInt8](repeating: 0, count: 7)
        bytes += [flags, 0, 0]
        bytes.appendBoth16(1)
        bytes.append(UInt8(truncatingIfNeeded: identifier.count))
        bytes += identifier
        if identifier.count % 2 == 0 { bytes.append(0) }
        bytes += systemUse
        if bytes.count % 2 != 0 { bytes.append(0) }
        bytes[0] = UInt8(truncatingIfNeeded: bytes.count)
        return bytes
    }

    init(
        extent: UInt32, length: UInt32, recorded: ISOTime?, flags: UInt8, identifier: [UInt8], systemUse: [UInt8] = []
    ) {
        self.extent = extent
        self.length = length
        self.recorded = recorded
        self.flags = flags
        self.identifier = identifier
        self.systemUse = systemUse
    }

    /// Reads the record that stands at `offset`, or `nil` where it contradicts its own length or that of the sector.
    init?(_ fields: Fields, at offset: Int) {
        let count = Int(fields.byte(offset))
        let name = Int(fields.byte(offset + 32))
        let system = ISOFormat.recordHeader + name + (name % 2 == 0 ? 1 : 0)
        guard count >= ISOFormat.recordHeader + 1, name >= 1, ISOFormat.recordHeader + name <= count,
            offset % ISOFormat.sectorSize + count <= ISOFormat.sectorSize, offset + count <= fields.bytes.count
        else { return nil }
        extent = fields.little32(offset + 2)
        length = fields.little32(offset + 10)
        recorded = ISOTime(short: fields, at: offset + 18)
        flags = fields.byte(offset + 25)
        isUnusual = fields.byte(offset + 1) != 0 || fields.byte(offset + 26) != 0 || fields.byte(offset + 27) != 0
        identifier = fields.slice(offset + ISOFormat.recordHeader, name)
        systemUse = fields.slice(offset + system, count - system)
    }

    var isDirectory: Bool { flags & ISOFormat.Flag.directory != 0 }
    var continues: Bool { flags & ISOFormat.Flag.multiExtent != 0 }
}
