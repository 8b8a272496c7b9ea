/// A fact that a node reports on the serial line: `ksbuild: SUBJECT NAME=VALUE…`.
///
/// A value reaches to the next blank, or stands in double quotes, in which a backslash takes the next character as it
/// is. Whatever stands before the mark on the line, such as a login prompt, is not part of it.
public struct SerialFact: Hashable, Sendable, CustomStringConvertible {
    /// A name and its value.
    public struct Field: Hashable, Sendable {
        /// The name.
        public let name: String
        /// The value, without quotes.
        public let value: String
    }

    /// What every line with a fact has.
    static let mark = "ksbuild: "

    /// What the fact is about, such as `data`, `hostkey` or `health`.
    public let subject: String
    /// The fields in the order of the line.
    public let fields: [Field]
    /// The time since the machine started.
    public let time: Duration
    /// The text of the line from the subject on.
    public let description: String

    /// The value of a field.
    public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Reads the fact that a line holds; a line that holds none, or is not of the exact form, gives `nil`.
    ///
    /// - Parameters:
    ///   - line: A whole line of the console.
    ///   - time: When it came.
    public init?(line: String, time: Duration) {
        guard let text = Self.text(in: line) else { return nil }
        var rest = text[...]
        let subject = rest.prefix { Self.isNameCharacter($0) }
        rest = rest.dropFirst(subject.count)
        guard !subject.isEmpty else { return nil }
        var fields: [Field] = []
        while !rest.isEmpty {
            let blanks = rest.prefix { $0 == " " }
            rest = rest.dropFirst(blanks.count)
            if rest.isEmpty { break }
            let name = rest.prefix { Self.isNameCharacter($0) }
            rest = rest.dropFirst(name.count)
            guard !blanks.isEmpty, !name.isEmpty, rest.first == "=" else { return nil }
            rest = rest.dropFirst()
            guard let value = Self.value(&rest) else { return nil }
            fields.append(Field(name: String(name), value: value))
        }
        guard !fields.isEmpty else { return nil }
        self.subject = String(subject)
        self.fields = fields
        self.time = time
        description = text
    }

    /// What follows the last mark on the line.
    private static func text(in line: String) -> String? {
        let bytes = Array(line.utf8)
        let mark = Array(mark.utf8)
        guard bytes.count > mark.count else { return nil }
        for start in (0...(bytes.count - mark.count)).reversed()
        where bytes[start..<(start + mark.count)].elementsEqual(mark) {
            return String(decoding: bytes[(start + mark.count)...], as: UTF8.self)
        }
        return nil
    }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "-" || character == "_")
    }

    private static func value(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let value = rest.prefix { $0 != " " && $0 != "\"" }
            rest = rest.dropFirst(value.count)
            return rest.first == "\"" ? nil : String(value)
        }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst() {
            if character == "\"" { return value }
            if character == "\\" {
                guard let next = rest.popFirst() else { return nil }
                value.append(next)
            } else {
                value.append(character)
            }
        }
        return nil
    }
}
