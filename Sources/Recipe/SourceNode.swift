internal import Node

/// A value in a recipe as it is written, with the place where it begins.
struct SourceNode: Hashable, Sendable {
    /// What it is.
    indirect enum Value: Hashable, Sendable {
        /// A scalar and whether it stands without quotes, so that YAML finds a type for it.
        case scalar(String, isPlain: Bool)
        /// Values in order.
        case sequence([SourceNode])
        /// Keys and values in order.
        case mapping([Pair])
    }

    /// A key and its value.
    struct Pair: Hashable, Sendable {
        let key: String
        let keyPosition: SourcePosition
        let value: SourceNode
    }

    let value: Value
    let position: SourcePosition
}

/// What a scalar means by the core schema of YAML 1.2.2 §10.3, which is what JSON Schema tools see too.
enum ScalarMeaning: Hashable, Sendable {
    case null
    case flag(Bool)
    case integer(Int64)
    /// A number with a fraction or an exponent, or a whole one too large for 64 bits.
    case real(Double)
    /// `.inf` or `.nan`, which JSON does not know.
    case notFinite
    case text(String)

    /// What messages call it.
    var noun: String {
        switch self {
        case .null: "nothing"
        case .flag: "true or false"
        case .integer, .real, .notFinite: "a number"
        case .text: "text"
        }
    }

    /// Finds the meaning of a scalar.
    init(_ text: String, isPlain: Bool) {
        guard isPlain else {
            self = .text(text)
            return
        }
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .flag(true)
        case "false", "False", "FALSE": self = .flag(false)
        case ".nan", ".NaN", ".NAN": self = .notFinite
        default: self = Self.number(text) ?? .text(text)
        }
    }

    private static func number(_ text: String) -> ScalarMeaning? {
        let bytes = Array(text.utf8)
        let isSigned = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
        let body = bytes.dropFirst(isSigned ? 1 : 0)
        if !isSigned, body.starts(with: Array("0o".utf8)) || body.starts(with: Array("0x".utf8)) {
            let radix = body.dropFirst().first == UInt8(ascii: "o") ? 8 : 16
            let digits = String(decoding: body.dropFirst(2), as: UTF8.self)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ hexadecimalValue($0) < radix }) else { return nil }
            return Int64(digits, radix: radix).map { .integer($0) } ?? .real(.greatestFiniteMagnitude)
        }
        let word = String(decoding: body, as: UTF8.self)
        if [".inf", ".Inf", ".INF"].contains(word) { return .notFinite }
        guard isDecimal(Array(body)) else { return nil }
        if body.allSatisfy({ isDigit($0) }), let whole = Int64(text) { return .integer(whole) }
        guard let value = Double(text.hasPrefix("+") ? word : text), value.isFinite else {
            return .real(.greatestFiniteMagnitude)
        }
        return .real(value)
    }

    /// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, each with an exponent or without.
    private static func isDecimal(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        let whole = rest.prefix(while: isDigit).count
        rest = rest.dropFirst(whole)
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(fraction)
        }
        guard whole + fraction > 0 else { return false }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            guard !rest.isEmpty, rest.allSatisfy(isDigit) else { return false }
            rest = []
        }
        return rest.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func hexadecimalValue(_ byte: UInt8) -> Int {
        switch byte {
        case 48...57: Int(byte) - 48
        case 65...70: Int(byte) - 55
        case 97...102: Int(byte) - 87
        default: 16
        }
    }
}

/// Words that YAML 1.1 takes for true or false and YAML 1.2 for text, so that no two tools need agree.
let ambiguousWords: [String: Bool] = [
    "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true, "y": true, "Y": true,
    "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false, "n": false, "N": false,
]
