internal import Artefact

/// Identifiers that follow from a text, the same at every time and on every host.
enum StableName {
    /// A UUID of version 8 (RFC 9562 §5.8), made of the text's SHA-256.
    static func uuid(of text: String) -> String {
        var digits = Array(Digest(of: Array("uuid \(text)".utf8)).hex.prefix(32))
        digits[12] = "8"
        let variant = digits[16].hexDigitValue ?? 0
        digits[16] = Character(String(8 + variant % 4, radix: 16))
        let parts = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        return parts.map { String($0) }.joined(separator: "-")
    }

    /// An Ethernet address in the range that QEMU and libvirt use, `52:54:00`.
    static func hardwareAddress(of text: String) -> String {
        let digits = Array(Digest(of: Array("address \(text)".utf8)).hex.prefix(6))
        return "52:54:00:" + [digits[0..<2], digits[2..<4], digits[4..<6]].map { String($0) }.joined(separator: ":")
    }
}
