/// The numbers of ECMA-119 that both the writer and the reader need.
///
/// ```
/// sector 0–15   system area, zero
///        16     primary volume descriptor          (ECMA-119 §8.4)
///        17     supplementary descriptor, Joliet   (§8.5)
///        18     descriptor set terminator          (§8.3)
///        19…    path tables: L and M, primary then Joliet (§9.4)
///        …      directories, primary then Joliet   (§9.1), each in whole sectors, and behind each of the
///               primary ones the continuation areas of its Rock Ridge entries (SUSP §5.1)
///        …      file data, shared by both trees
/// ```
enum ISOFormat {
    /// The size of a sector and of a logical block, in bytes.
    static let sectorSize = 2048
    /// The sector of the first volume descriptor.
    static let firstDescriptor: UInt32 = 16
    /// The standard identifier of every descriptor.
    static let standardIdentifier = Array("CD001".utf8)
    /// The sector that the record of a file without bytes tells: one that is in every image.
    static let emptyExtent: UInt32 = firstDescriptor + 2
    /// The bytes before the identifier of a directory record (§9.1).
    static let recordHeader = 33
    /// The longest directory record; its length is one byte and even.
    static let longestRecord = 254
    /// The longest extent of a file that continues in another: the largest multiple of a sector below 4 GiB.
    static let longestExtent: UInt64 = 0xFFFF_F800
    /// The largest file that one extent holds.
    static let largestSingleExtent: UInt64 = 0xFFFF_FFFF

    /// The sectors that `bytes` bytes fill.
    static func sectors(_ bytes: UInt64) -> UInt64 { bytes / 2048 + (bytes % 2048 == 0 ? 0 : 1) }

    /// The bits of the file flags of a directory record (§9.1.6).
    enum Flag {
        static let directory: UInt8 = 0x02
        static let associated: UInt8 = 0x04
        static let multiExtent: UInt8 = 0x80
    }
}

/// Writing the number formats of ECMA-119 §7.
extension [UInt8] {
    mutating func appendLittle16(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func appendBig16(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func appendLittle32(_ value: UInt32) {
        appendLittle16(UInt16(truncatingIfNeeded: value))
        appendLittle16(UInt16(truncatingIfNeeded: value >> 16))
    }

    mutating func appendBig32(_ value: UInt32) {
        appendBig16(UInt16(truncatingIfNeeded: value >> 16))
        appendBig16(UInt16(truncatingIfNeeded: value))
    }

    /// Both byte orders, §7.2.3.
    mutating func appendBoth16(_ value: UInt16) {
        appendLittle16(value)
        appendBig16(value)
    }

    /// Both byte orders, §7.3.3.
    mutating func appendBoth32(_ value: UInt32) {
        appendLittle32(value)
        appendBig32(value)
    }

    mutating func appendZeros(_ count: Int) {
        append(contentsOf: repeatElement(0, count: Swift.max(0, count)))
    }

    /// Zeros up to the next sector boundary.
    mutating func padToSector() {
        appendZeros((ISOFormat.sectorSize - count % ISOFormat.sectorSize) % ISOFormat.sectorSize)
    }
}

/// Bytes whose numbers are read without trust: what lies outside reads as zero.
struct Fields {
    let bytes: [UInt8]

    func byte(_ at: Int) -> UInt8 { bytes.indices.contains(at) ? bytes[at] : 0 }
    func little16(_ at: Int) -> UInt16 { UInt16(byte(at)) | UInt16(byte(at + 1)) << 8 }
    func little32(_ at: Int) -> UInt32 { UInt32(little16(at)) | UInt32(little16(at + 2)) << 16 }
    func little64(_ at: Int) -> UInt64 { UInt64(little32(at)) | UInt64(little32(at + 4)) << 32 }
    func big32(_ at: Int) -> UInt32 { little32(at).byteSwapped }

    func slice(_ at: Int, _ count: Int) -> [UInt8] {
        guard at >= 0, at < bytes.count, count > 0 else { return [] }
        return Array(bytes[at..<Swift.min(bytes.count, at + count)])
    }

    /// Text without the spaces and NULs that fill it up.
    func text(_ at: Int, _ count: Int) -> String {
        var field = slice(at, count)
        while let last = field.last, last == 0x20 || last == 0 { field.removeLast() }
        return String(decoding: field, as: UTF8.self)
    }

    /// UCS-2 big-endian text as it stands.
    var wideText: String {
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return String(decoding: units, as: UTF16.self)
    }

    /// UCS-2 big-endian text without the spaces and NULs that fill it up.
    func wideText(_ at: Int, _ count: Int) -> String {
        var text = Fields(bytes: slice(at, count)).wideText.unicodeScalars
        while let last = text.last, last == " " || last.value == 0 { text.removeLast() }
        return String(text)
    }
}
