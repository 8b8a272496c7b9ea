/// Writing JSON, the same bytes for the same value on every machine.
extension ConfigValue {
    /// The value as JSON (RFC 8259) with a line for each member and two blanks of indentation, in the order held.
    package var json: String {
        var text = ""
        append(to: &text, indentation: 0, isSorting: false)
        return text
    }

    private func append(to text: inout String, indentation: Int, isSorting: Bool) {
        switch self {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += String(number)
        case .real(let number): text += number.isFinite ? "\(number)" : "null"
        case .string(let string): Self.append(string, to: &text)
        case .sequence(let values):
            Self.append(to: &text, "[", "]", count: values.count, indentation) { index, text in
                values[index].append(to: &text, indentation: indentation + 2, isSorting: isSorting)
            }
        case .mapping(let pairs):
            let pairs =
                isSorting ? pairs.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : pairs
            Self.append(to: &text, "{", "}", count: pairs.count, indentation) { index, text in
                Self.append(pairs[index].key, to: &text)
                text += ": "
                pairs[index].value.append(to: &text, indentation: indentation + 2, isSorting: isSorting)
            }
        }
    }

    private static func append(
        to text: inout String, _ open: String, _ close: String, count: Int, _ indentation: Int,
        _ member: (Int, inout String) -> Void
    ) {
        text += open
        for index in 0..<count {
            text += (index == 0 ? "\n" : ",\n") + String(repeating: " ", count: indentation + 2)
            member(index, &text)
        }
        if count > 0 { text += "\n" + String(repeating: " ", count: indentation) }
        text += close
    }

    private static func append(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case "\0"..<" ", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

extension ConfigValue {
    /// A mapping of the members that are there.
    package static func object(_ members: (String, ConfigValue?)...) -> ConfigValue {
        .mapping(members.compactMap { key, value in value.map { Pair(key, $0) } })
    }

    /// The value as a document that has one text: keys in byte order, slashes as they are, a newline at the end.
    package var document: [UInt8] {
        var text = ""
        append(to: &text, indentation: 0, isSorting: true)
        text += "\n"
        return Array(text.utf8)
    }

    /// A sequence of texts.
    package static func texts(_ texts: some Sequence<String>) -> ConfigValue { .sequence(texts.map { .string($0) }) }
}

extension ConfigValue {
    /// The same value with the keys of every mapping in byte order.
    package var sortedByKey: ConfigValue {
        switch self {
        case .sequence(let values): .sequence(values.map(\.sortedByKey))
        case .mapping(let pairs):
            .mapping(
                pairs.map { Pair($0.key, $0.value.sortedByKey) }
                    .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
        case .null, .bool, .integer, .real, .string: self
        }
    }
}
