import FoundationEssentials

/// One form for all JSON that commands print: sorted keys, two spaces, slashes as they are.
enum JSONText {
    /// The document for a value.
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
