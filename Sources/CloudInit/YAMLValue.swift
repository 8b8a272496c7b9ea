/// A value of a YAML document as it is written: scalars keep their text, so that a reader decides their type.
indirect enum YAMLValue: Hashable, Sendable {
    /// A scalar; `isPlain` where it stood without quotes and may be a number, a boolean or nothing.
    case scalar(String, isPlain: Bool)
    /// A scalar with an explicit tag of YAML's own, such as `binary`.
    case tagged(String, String)
    /// Values in order.
    case sequence([YAMLValue])
    /// Keys and values in the order written.
    case mapping([Pair])

    /// A key and its value.
    struct Pair: Hashable, Sendable {
        var key: YAMLValue
        var value: YAMLValue
    }

    /// Text, which no reader takes for anything else.
    static func text(_ text: String) -> YAMLValue { .scalar(text, isPlain: false) }
    /// `true` or `false`.
    static func bool(_ value: Bool) -> YAMLValue { .scalar(value ? "true" : "false", isPlain: true) }
    /// A whole number.
    static func number(_ value: some FixedWidthInteger) -> YAMLValue { .scalar("\(value)", isPlain: true) }
    /// A list of texts.
    static func texts(_ texts: [String]) -> YAMLValue { .sequence(texts.map { .text($0) }) }
    /// A mapping; keys without a value are left out.
    static func object(_ pairs: [(String, YAMLValue?)]) -> YAMLValue {
        .mapping(pairs.compactMap { key, value in value.map { Pair(key: .text(key), value: $0) } })
    }

    /// The text of a scalar that has no tag.
    var string: String? {
        guard case .scalar(let text, _) = self else { return nil }
        return text
    }
}

/// Writing YAML in block style: the same bytes for the same value, and one way for each kind of text.
extension YAMLValue {
    /// The text of a document without a head.
    var document: String {
        var text = ""
        write(indent: 0, into: &text)
        return text
    }

    private func write(indent: Int, into text: inout String) {
        let margin = String(repeating: "  ", count: indent)
        switch self {
        case .mapping(let pairs) where !pairs.isEmpty:
            for pair in pairs {
                text += margin + pair.key.inline(indent: nil) + ":"
                pair.value.attach(indent: indent, into: &text)
            }
        case .sequence(let items) where !items.isEmpty:
            for item in items {
                guard item.isCollection else {
                    text += margin + "-"
                    item.attach(indent: indent, into: &text)
                    continue
                }
                var block = ""
                item.write(indent: indent + 1, into: &block)
                text += margin + "- " + block.dropFirst((indent + 1) * 2)
            }
        default: text += margin + inline(indent: indent) + "\n"
        }
    }

    /// What follows `key:` or `-`.
    private func attach(indent: Int, into text: inout String) {
        if isCollection {
            text += "\n"
            write(indent: indent + 1, into: &text)
        } else {
            text += " " + inline(indent: indent + 1) + "\n"
        }
    }

    /// Whether it takes lines of its own: a sequence or mapping that holds something.
    private var isCollection: Bool {
        switch self {
        case .mapping(let pairs): !pairs.isEmpty
        case .sequence(let items): !items.isEmpty
        case .scalar, .tagged: false
        }
    }

    /// A scalar, or an empty collection; `indent` is that of the lines of a block, or `nil` where none may stand.
    private func inline(indent: Int?) -> String {
        switch self {
        case .mapping: return "{}"
        case .sequence: return "[]"
        case .tagged(let tag, let text): return "!!\(tag) \(Self.quoted(text))"
        case .scalar(let text, let isPlain):
            if isPlain {
                if text.isEmpty { return "null" }
                return Self.staysPlain(text) ? text : Self.quoted(text)
            }
            if Self.isWord(text) { return text }
            if let indent, let block = Self.block(text, indent: indent) { return block }
            return Self.quoted(text)
        }
    }

    /// Whether text that was plain can be so again.
    ///
    /// Whatever else it holds makes it a string for every reader: numbers, booleans, nothing, times and the merge key of
    /// YAML 1.1 are made of these characters alone.
    private static func staysPlain(_ text: String) -> Bool {
        let isMade = text.utf8.allSatisfy { isAlphanumeric($0) || " :.+_~,<=/-".utf8.contains($0) }
        guard isMade, let first = text.utf8.first, isAlphanumeric(first) || ".+_~</-".utf8.contains(first) else {
            return false
        }
        return !text.contains(": ") && !text.hasSuffix(":") && !text.hasSuffix(" ") && !text.hasPrefix("- ")
            && text != "-" && !text.hasPrefix("---") && !text.hasPrefix("...")
    }

    /// Whether text is a word that YAML 1.1 and 1.2 both take for text, so that it needs no quotes.
    ///
    /// Quoted besides: what begins with a digit, a dot or a sign, and the words for true, false, nothing and the limits
    /// of numbers.
    private static func isWord(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/") else { return false }
        guard text.utf8.allSatisfy({ isAlphanumeric($0) || "._/-".utf8.contains($0) }) else { return false }
        let values = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"]
        return !values.contains(text.lowercased())
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || (48...57).contains(byte) }

    /// Several lines of printable ASCII as a literal block (YAML 1.2 §8.1.2), or `nil` where that would not bring back
    /// every byte.
    private static func block(_ text: String, indent: Int) -> String? {
        guard text.utf8.contains(10), let first = text.utf8.first, first != 10, first != 32, first != 9 else {
            return nil
        }
        guard text.utf8.allSatisfy({ $0 == 10 || (0x20...0x7e).contains($0) }), !text.hasSuffix("\n\n") else {
            return nil
        }
        let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
        let margin = String(repeating: "  ", count: max(1, indent))
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.isEmpty ? "" : margin + line
        }
        guard !lines.contains(where: { $0.allSatisfy { $0 == " " } && !$0.isEmpty }) else { return nil }
        return (text.hasSuffix("\n") ? "|\n" : "|-\n") + lines.joined(separator: "\n")
    }

    /// Text between double quotes (YAML 1.2 §7.3.1) in ASCII alone.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case " "..."~": result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                result += "\\\(mark)" + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}
