/// What a server wants before it answers: a field `WWW-Authenticate` (RFC 9110, section 11.6.1).
struct Challenge: Hashable, Sendable {
    /// The scheme in lower case: `basic`, `bearer`.
    let scheme: String
    /// The parameters; names in lower case.
    let parameters: [String: String]

    /// Reads the challenges of a field; what cannot be read ends the list.
    static func list(_ text: String) -> [Challenge] {
        var challenges: [Challenge] = []
        var rest = Array(text.utf8.prefix(8192))[...]
        func skip(_ bytes: String) { rest = rest.drop { bytes.utf8.contains($0) } }
        func word() -> String {
            let word = rest.prefix { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
            rest = rest.dropFirst(word.count)
            return String(decoding: word, as: UTF8.self)
        }
        func value() -> String {
            guard rest.first == UInt8(ascii: "\"") else { return word() }
            rest = rest.dropFirst()
            var value: [UInt8] = []
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                    value.append(next)
                } else {
                    value.append(byte)
                }
            }
            return String(decoding: value, as: UTF8.self)
        }
        while true {
            skip(" ,\t")
            let scheme = word().lowercased()
            guard !scheme.isEmpty else { return challenges }
            var parameters: [String: String] = [:]
            while true {
                skip(" ,\t")
                let before = rest
                let name = word().lowercased()
                guard !name.isEmpty, rest.first == UInt8(ascii: "=") else {
                    // The scheme of the next challenge.
                    rest = before
                    break
                }
                rest = rest.dropFirst()
                parameters[name] = value()
            }
            challenges.append(Challenge(scheme: scheme, parameters: parameters))
        }
    }
}
