internal import FoundationEssentials

/// What all of minisign's files have in common.
enum MinisignText {
    /// How the first line begins.
    static let untrusted = "untrusted comment: "
    /// How the third line of a signature begins.
    static let trusted = "trusted comment: "

    /// The number of a key as minisign shows it: the eight bytes as one little-endian number in 16 digits.
    static func identifier(_ number: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        return String(
            decoding: number.reversed().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }, as: UTF8.self)
    }
}

/// Base64 of which every sequence of bytes has exactly one text (RFC 4648 §3.5).
enum StrictBase64 {
    /// The bytes that a text stands for, or `nil` for one that ``text(of:)`` does not write.
    static func bytes(of text: String) -> [UInt8]? {
        guard let data = Data(base64Encoded: text) else { return nil }
        let bytes = Array(data)
        return self.text(of: bytes) == text ? bytes : nil
    }

    /// The one text for bytes.
    static func text(of bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
