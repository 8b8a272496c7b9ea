/// The fingerprint of an OpenPGP key of version 4 (RFC 4880 §12.2): 40 hexadecimal digits.
public struct OpenPGPFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// The digits in upper case.
    public let description: String

    /// Takes 40 digits, upper or lower case, with blanks between them or without.
    ///
    /// - Returns: `nil` for anything else; the 16 digits of a key ID do not name a key.
    public init?(_ text: String) {
        let digits = text.uppercased().utf8.filter { $0 != 0x20 }
        guard digits.count == 40, digits.allSatisfy({ (48...57).contains($0) || (65...70).contains($0) }) else {
            return nil
        }
        description = String(decoding: digits, as: UTF8.self)
    }

    private init(known text: StaticString) { description = "\(text)" }

    /// The key that signs Alpine's images: Natanael Copa's, `keys/ncopa.asc` of https://alpinelinux.org/downloads/.
    public static let alpineReleases = OpenPGPFingerprint(known: "0482D84022F52DF1C4E7CD43293ACD0907D9495A")
}
