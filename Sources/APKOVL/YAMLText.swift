internal import Node

/// Somebody else's configuration as block-style YAML 1.2, the same bytes for the same value.
///
/// Text is quoted unless no YAML reader can take it for anything else.
enum YAMLText {
    /// The deepest nesting that is written.
    static let maximumDepth = 64

    /// The document.
    ///
    /// - Throws: ``OverlayError`` for nesting that is too deep and for numbers that YAML has no form for.
    static func document(_ value: ConfigValue) throws(OverlayError) -> String {
        var text = ""
        try write(value, indent: 0, into: &text)
        return text
    }

    private static func write(_ value: ConfigValue, indent: Int, into text: inout String) throws(OverlayError) {
        guard indent < maximumDepth else {
            throw OverlayError(
                .invalidValue, subject: "kubesolo.config", detail: "is nested deeper than \(maximumDepth) levels")
        }
        let margin = String(repeating: "  ", count: indent)
        switch value {
        case .mapping(let pairs) where !pairs.isEmpty:
            for pair in pairs {
                text += "\(margin)\(scalar(pair.key)):"
                try attach(pair.value, indent: indent, into: &text)
            }
        case .sequence(let items) where !items.isEmpty:
            for item in items {
                text += "\(margin)-"
                try attach(item, indent: indent, into: &text)
            }
        default: text += margin + (try leaf(value)) + "\n"
        }
    }

    /// What follows `key:` or `-`: a leaf on the same line, anything else below.
    private static func attach(_ value: ConfigValue, indent: Int, into text: inout String) throws(OverlayError) {
        switch value {
        case .mapping(let pairs) where !pairs.isEmpty:
            text += "\n"
            try write(value, indent: indent + 1, into: &text)
        case .sequence(let items) where !items.isEmpty:
            text += "\n"
            try write(value, indent: indent + 1, into: &text)
        default: text += " " + (try leaf(value)) + "\n"
        }
    }

    private static func leaf(_ value: ConfigValue) throws(OverlayError) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .real(let value):
            guard value.isFinite else {
                throw OverlayError(
                    .invalidValue, subject: "kubesolo.config", detail: "holds \(value), which is no number")
            }
            return number(value)
        case .string(let value): return scalar(value)
        case .sequence: return "[]"
        case .mapping: return "{}"
        }
    }

    /// A number with a point, without which YAML 1.1 takes one with an exponent for text.
    private static func number(_ value: Double) -> String {
        let text = "\(value)"
        guard !text.contains("."), let mark = text.firstIndex(of: "e") else { return text }
        return "\(text[..<mark]).0\(text[mark...])"
    }

    /// Text as a plain scalar where that is safe, else between double quotes (YAML 1.2 §7.3).
    static func scalar(_ value: String) -> String {
        isPlain(value) ? value : quoted(value)
    }

    /// Letters first, then letters, digits and `-_./`, and no word that YAML 1.1 or 1.2 takes for a value.
    private static func isPlain(_ value: String) -> Bool {
        guard let first = value.utf8.first, isLetter(first) else { return false }
        let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"]
        return !words.contains(value.lowercased())
            && value.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || [45, 46, 47, 95].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            default:
                // Controls, and what YAML counts as a line break or does not let stand (§5.1).
                let code = scalar.value
                if code < 0x20 || (0x7f...0xa0).contains(code) || [0x2028, 0x2029, 0xfeff].contains(code) {
                    let digits = String(code, radix: 16)
                    text += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        return text + "\""
    }
}
