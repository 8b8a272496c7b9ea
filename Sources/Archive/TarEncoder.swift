internal import Artefact

/// Turns entries of a tree into tar headers: ustar, with pax records only for what ustar has no room for.
///
/// Names and targets are written as the UTF-8 bytes they are, without a pax record: every tar program in use takes them
/// as bytes, whereas a record makes some of them convert to the locale. A number that octal digits do not hold is written
/// in base-256. Owners have no names: busybox tar prefers a name that the initramfs knows to the number.
struct TarEncoder {
    /// Seconds since 1970-01-01 for entries that state no time.
    let epoch: Int64

    /// The end mark: two blocks of zeros.
    static let endMark = [UInt8](repeating: 0, count: 2 * TarHeader.blockSize)

    /// The name of a member that carries records; it shows where a program does not know pax.
    private static let recordName = "PaxHeaders/records"

    /// The blocks that stand before an entry's content.
    func headers(_ entry: TreeEntry) -> [UInt8] {
        let name = Array(entry.path.string.utf8) + (entry.isDirectory ? [UInt8(ascii: "/")] : [])
        var link: [UInt8] = []
        if case .symlink(let target) = entry.kind { link = Array(target.utf8) }
        let place = Self.split(name)
        var records: [UInt8] = []
        if place == nil { records += PaxRecords.record("path", name) }
        if link.count > 100 { records += PaxRecords.record("linkpath", link) }
        var blocks: [UInt8] = []
        if !records.isEmpty {
            blocks += Self.block(
                name: Array(Self.recordName.utf8), type: "x", mode: EntryMode.file.bits, size: UInt64(records.count),
                modified: epoch)
            blocks += records + Self.padding(UInt64(records.count))
        }
        let type: Unicode.Scalar =
            switch entry.kind {
            case .directory: "5"
            case .file: "0"
            case .symlink: "2"
            }
        blocks += Self.block(
            name: place?.name ?? Self.shortened(name), prefix: place?.prefix ?? [], type: type, mode: entry.mode.bits,
            owner: entry.owner, group: entry.group, size: entry.size, modified: entry.modified ?? epoch,
            link: Array(link.prefix(100)))
        return blocks
    }

    /// The zeros that fill the last block of a content.
    static func padding(_ size: UInt64) -> [UInt8] {
        let rest = Int(size % UInt64(TarHeader.blockSize))
        return rest == 0 ? [] : [UInt8](repeating: 0, count: TarHeader.blockSize - rest)
    }

    /// Divides a name between the two fields of ustar, the rightmost slash that fits first.
    ///
    /// - Returns: `nil` where no slash makes both parts fit.
    static func split(_ name: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        if name.count <= 100 { return ([], name) }
        let limit = min(155, name.count - 2)
        guard name.count <= 256,
            let slash = name[...limit].lastIndex(of: UInt8(ascii: "/")),
            slash > 0, name.count - slash - 1 <= 100
        else { return nil }
        return (Array(name[..<slash]), Array(name[(slash + 1)...]))
    }

    /// What programs without pax show: the first 100 bytes, with the trailing slash of a directory.
    private static func shortened(_ name: [UInt8]) -> [UInt8] {
        name.last == UInt8(ascii: "/") ? name.prefix(99) + [UInt8(ascii: "/")] : Array(name.prefix(100))
    }

    private static func block(
        name: [UInt8], prefix: [UInt8] = [], type: Unicode.Scalar, mode: UInt16, owner: UInt32 = 0, group: UInt32 = 0,
        size: UInt64, modified: Int64, link: [UInt8] = []
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(name, at: 0)
        TarNumber.write(Int64(mode), into: &block, at: 100, width: 8)
        TarNumber.write(Int64(owner), into: &block, at: 108, width: 8)
        TarNumber.write(Int64(group), into: &block, at: 116, width: 8)
        TarNumber.write(Int64(clamping: size), into: &block, at: 124, width: 12)
        TarNumber.write(modified, into: &block, at: 136, width: 12)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        block[156] = UInt8(ascii: type)
        put(link, at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        TarNumber.write(0, into: &block, at: 329, width: 8)
        TarNumber.write(0, into: &block, at: 337, width: 8)
        put(prefix, at: 345)
        let sum = block.reduce(Int64(0)) { $0 + Int64($1) }
        TarNumber.write(sum, into: &block, at: 148, width: 7)
        return block
    }
}
