/// Why a text is no public key.
public struct SSHKeyProblem: Error, Hashable, Sendable {
    /// A predicate such as "is cut off"; never holds any of the text.
    public let detail: String
    /// What to do about it; may be empty.
    public let hint: String

    init(_ detail: String, _ hint: String = "") {
        self.detail = detail
        self.hint = hint
    }
}

extension SSHPublicKey {
    /// The longest line that is taken, in bytes: an RSA key of 16,384 bits and its comment fit.
    public static let maximumBytes = 8192

    /// The smallest RSA modulus in bits; OpenSSH itself refuses fewer than 1024 and NIST SP 800-57 fewer than 2048.
    public static let minimumRSABits = 2048

    /// The algorithms that are taken.
    public static let knownTypes = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// Takes one line of a `.pub` file: type, key, comment.
    ///
    /// The key is decoded and its fields are counted out (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH's
    /// PROTOCOL.u2f): a key that a bad copy cut off or ran together with its neighbour is found here and not when
    /// nobody can log in.
    ///
    /// - Throws: ``SSHKeyProblem``, which repeats nothing of the text.
    public init(parsing line: String) throws(SSHKeyProblem) {
        let text = line.utf8.first == 0x20 || line.utf8.last == 0x20 ? line.trimmed : line
        guard !text.isEmpty else { throw SSHKeyProblem("is empty") }
        guard text.utf8.count <= Self.maximumBytes else {
            throw SSHKeyProblem("is longer than \(Self.maximumBytes) bytes")
        }
        if text.contains("PRIVATE KEY") || text.hasPrefix("PuTTY-User-Key-File") {
            throw SSHKeyProblem(
                "is a private key, which must stay where it is and never get into an image",
                "give the public key, which ends in .pub; if this file left your machine, make a new pair")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw SSHKeyProblem("holds a line break or another control character", "give one key a line")
        }
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard let first = words.first else { throw SSHKeyProblem("is empty") }
        let type = String(first)
        guard Self.knownTypes.contains(type) else { throw Self.unknownType(type, in: text) }
        guard words.count >= 2 else {
            throw SSHKeyProblem("has a type but no key after it", "copy the whole line of the .pub file")
        }
        let base64 = String(words[1])
        guard let bytes = Base64.decode(base64) else {
            throw SSHKeyProblem(
                "is damaged: what follows the type is not base64", "copy the line of the .pub file again")
        }
        try Self.checkFields(of: bytes, type: type)
        self.init(type: type, base64: base64, comment: words.count == 3 ? String(words[2]).trimmed : "")
    }

    private static func unknownType(_ type: String, in text: String) -> SSHKeyProblem {
        if type == "ssh-dss" {
            return SSHKeyProblem("is a DSA key, which OpenSSH no longer takes", "make one with: ssh-keygen -t ed25519")
        }
        if type == "----" || type.hasPrefix("-----BEGIN") {
            return SSHKeyProblem(
                "is not in OpenSSH's format", "convert it with: ssh-keygen -i -f FILE, and give what that prints")
        }
        if type.contains("-cert-v01@") {
            return SSHKeyProblem("is a certificate and not a key", "give the key that it certifies")
        }
        if knownTypes.contains(where: { text.contains(" \($0) ") }) {
            return SSHKeyProblem(
                "has options in front of the key, which are not supported", "give the line from the key's type on")
        }
        return SSHKeyProblem(
            "does not begin with a type of key that is known", "such as \(knownTypes[0]), as the .pub file does")
    }

    /// Counts out the fields of a key in wire format; each string is a length of four bytes and that many bytes.
    private static func checkFields(of bytes: [UInt8], type: String) throws(SSHKeyProblem) {
        let cutOff = SSHKeyProblem("is cut off or damaged", "copy the whole line of the .pub file again")
        var fields: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 4, fields.count < 8 else { throw cutOff }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { throw cutOff }
            fields.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        guard let inner = fields.first else { throw cutOff }
        guard inner.elementsEqual(type.utf8) else {
            throw SSHKeyProblem(
                "says it is \(type), but the key itself is of another type", "copy the line of the .pub file again")
        }
        func demand(_ count: Int, _ isRight: () -> Bool) throws(SSHKeyProblem) {
            guard fields.count == count, isRight() else { throw cutOff }
        }
        switch type {
        case "ssh-ed25519": try demand(2) { fields[1].count == 32 }
        case "sk-ssh-ed25519@openssh.com": try demand(3) { fields[1].count == 32 && !fields[2].isEmpty }
        case "ssh-rsa":
            try demand(3) { !fields[1].isEmpty && !fields[2].isEmpty }
            let bits = bitCount(fields[2])
            guard bits >= minimumRSABits else {
                throw SSHKeyProblem(
                    "is an RSA key of \(bits) bits (the least is \(minimumRSABits))",
                    "make one with: ssh-keygen -t ed25519")
            }
        case "sk-ecdsa-sha2-nistp256@openssh.com":
            try demand(4) { isPoint(fields[2], of: "nistp256", named: fields[1]) && !fields[3].isEmpty }
        default:
            try demand(3) { isPoint(fields[2], of: String(type.dropFirst("ecdsa-sha2-".count)), named: fields[1]) }
        }
    }

    /// Whether a field is an uncompressed point of the curve named (SEC 1 §2.3.3).
    private static func isPoint(_ point: ArraySlice<UInt8>, of curve: String, named name: ArraySlice<UInt8>) -> Bool {
        let size = ["nistp256": 32, "nistp384": 48, "nistp521": 66]
        guard name.elementsEqual(curve.utf8), let bytes = size[curve] else { return false }
        return point.count == 1 + 2 * bytes && point.first == 4
    }

    /// The bits of a positive number in big-endian order, RFC 4251 §5 `mpint`.
    private static func bitCount(_ number: ArraySlice<UInt8>) -> Int {
        let digits = number.drop { $0 == 0 }
        guard let first = digits.first else { return 0 }
        return digits.count * 8 - first.leadingZeroBitCount
    }
}

/// Base64 of RFC 4648 §4: padded, nothing else in between.
enum Base64 {
    /// The bytes, or `nil` where the text is not canonical base64.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard !digits.isEmpty, digits.count.isMultiple(of: 4) else { return nil }
        let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        for digit in digits.dropLast(padding) {
            guard let value = value(of: digit) else { return nil }
            bits = bits << 6 | value
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
                bits &= (1 << UInt32(held)) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case 65...90: UInt32(digit) - 65
        case 97...122: UInt32(digit) - 71
        case 48...57: UInt32(digit) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension String {
    /// The text without blanks at either end.
    fileprivate var trimmed: String {
        let blanks: Set<UInt8> = [0x20, 0x09]
        let bytes = Array(utf8)
        guard let first = bytes.firstIndex(where: { !blanks.contains($0) }),
            let last = bytes.lastIndex(where: { !blanks.contains($0) })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
