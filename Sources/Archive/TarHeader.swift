/// The 512 bytes that stand before each member (POSIX.1-1988 ustar; GNU tar's variant; the older v7).
///
/// ```
///   0 name 100 · 100 mode 8 · 108 uid 8 · 116 gid 8 · 124 size 12 · 136 mtime 12 · 148 checksum 8 · 156 type 1
/// 157 link 100 · 257 magic 6 · 263 version 2 · 265 uname 32 · 297 gname 32 · 329 devmajor 8 · 337 devminor 8
/// 345 prefix 155 · 500 unused 12
/// ```
///
/// What busybox tar reads differently is a fault: it takes the prefix of any dialect, the device numbers of any type,
/// and no magic but `ustar` and zeros. Names of owners count in every dialect, as they do there.
struct TarHeader {
    static let blockSize = 512

    /// What is wrong with a header.
    enum Fault: Error {
        /// The sum of its bytes is not the one it states: these bytes are no header, or a damaged one.
        case checksum
        /// A numeric field holds no number.
        case number(String)
        /// The magic is that of no format.
        case magic
        /// The field that continues names in ustar is in use although the header is not ustar.
        case prefix
    }

    var name: [UInt8]
    var link: [UInt8]
    var mode: Int64
    var owner: Int64
    var group: Int64
    var size: Int64
    var modified: Int64
    var type: UInt8
    var ownerName: [UInt8]
    var groupName: [UInt8]
    var dialect: ArchiveMember.Dialect

    init(_ block: [UInt8]) throws(Fault) {
        guard Self.hasValidChecksum(block) else { throw .checksum }
        func number(_ field: String, _ range: Range<Int>) throws(Fault) -> Int64 {
            guard let value = TarNumber.read(block[range]) else { throw .number(field) }
            return value
        }
        func text(_ range: Range<Int>) -> [UInt8] { Array(block[range].prefix { $0 != 0 }) }
        let magic = block[257..<265]
        let hasMagic = magic.prefix(5).elementsEqual("ustar".utf8)
        guard hasMagic || magic.prefix(5).allSatisfy({ $0 == 0 }) else { throw .magic }
        dialect = magic.elementsEqual("ustar  \0".utf8) ? .gnu : hasMagic ? .ustar : .v7
        type = block[156]
        mode = try number("mode", 100..<108)
        owner = try number("uid", 108..<116)
        group = try number("gid", 116..<124)
        size = try number("size", 124..<136)
        modified = try number("mtime", 136..<148)
        if block[329] != 0 {
            _ = try number("devmajor", 329..<337)
            _ = try number("devminor", 337..<345)
        }
        let prefix = text(345..<500)
        guard prefix.isEmpty || dialect == .ustar else { throw .prefix }
        name = prefix.isEmpty ? text(0..<100) : prefix + [UInt8(ascii: "/")] + text(0..<100)
        link = text(157..<257)
        ownerName = text(265..<297)
        groupName = text(297..<329)
    }

    /// Whether the stated checksum is the sum of the header's bytes, unsigned or, as some old programs had it, signed.
    static func hasValidChecksum(_ block: [UInt8]) -> Bool {
        guard block.count == blockSize, let stated = TarNumber.read(block[148..<156]) else { return false }
        var (unsigned, signed) = (8 * Int64(UInt8(ascii: " ")), 8 * Int64(UInt8(ascii: " ")))
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) {
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        return stated == unsigned || stated == signed
    }
}
