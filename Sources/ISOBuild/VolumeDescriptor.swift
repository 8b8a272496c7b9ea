/// The volume descriptors, ECMA-119 §8, as this room writes them.
struct VolumeDescriptor {
    let label: String
    let sectors: UInt32
    let tree: ISOLayout.Tree
    let root: DirectoryRecord
    let time: ISOTime

    /// The program that wrote an image; no version, so that equal trees give equal bytes.
    static let application = "KSBUILD"
    /// The escape sequence of Joliet level 3 (`%/E`).
    static let jolietEscape: [UInt8] = [0x25, 0x2F, 0x45]

    /// The sector that ends the set of descriptors, §8.3.
    static var terminator: [UInt8] {
        var bytes: [UInt8] = [255] + ISOFormat.standardIdentifier + [1]
        bytes.padToSector()
        return bytes
    }

    /// The sector of the descriptor: primary (§8.4) or supplementary (§8.5).
    var bytes: [UInt8] {
        let isJoliet = tree.kind == .joliet
        var bytes: [UInt8] = [isJoliet ? 2 : 1] + ISOFormat.standardIdentifier + [1, 0]
        bytes += text("", 32)
        bytes += text(label, 32)
        bytes.appendZeros(8)
        bytes.appendBoth32(sectors)
        bytes += isJoliet ? Self.jolietEscape : [0, 0, 0]
        bytes.appendZeros(29)
        bytes.appendBoth16(1)
        bytes.appendBoth16(1)
        bytes.appendBoth16(UInt16(ISOFormat.sectorSize))
        bytes.appendBoth32(tree.tableSize)
        bytes.appendLittle32(tree.littleTable)
        bytes.appendLittle32(0)
        bytes.appendBig32(tree.bigTable)
        bytes.appendBig32(0)
        bytes += root.bytes
        bytes += text("", 128)
        bytes += text("", 128)
        bytes += text(Self.application, 128)
        bytes += text(Self.application, 128)
        for _ in 0..<3 { bytes += text("", 37) }
        bytes += time.long
        bytes += time.long
        bytes += ISOTime.unstated
        bytes += ISOTime.unstated
        bytes += [1, 0]
        bytes.padToSector()
        return bytes
    }

    /// A field of text, filled with spaces: bytes in the primary descriptor, UCS-2 big-endian in Joliet's, cut at the
    /// width of the field.
    private func text(_ value: String, _ width: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        if tree.kind == .primary {
            bytes = Array(value.utf8.prefix(width))
            bytes += [UInt8](repeating: 0x20, count: width - bytes.count)
            return bytes
        }
        for unit in value.utf16.prefix(width / 2) { bytes.appendBig16(unit) }
        while bytes.count + 1 < width { bytes.appendBig16(0x20) }
        bytes.appendZeros(width - bytes.count)
        return bytes
    }
}
