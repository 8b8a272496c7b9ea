/// JSON cut into its pieces, each with the bytes that it came with, so that what others wrote is written again as it
/// was: numbers of any length, the order of keys, escapes.
///
/// It is for text that a decoder has read already, which is who says what is wrong with JSON that is none.
enum JSONPieces {
    private static let blanks = Set(" \t\r\n".utf8)

    /// The members of an object, in their order; `nil` for anything else.
    ///
    /// - Returns: Keys with their quotes, and values, without the blanks around them.
    static func members(of text: [UInt8]) -> [(key: [UInt8], value: [UInt8])]? {
        guard let pieces = split(text[...], UInt8(ascii: "{"), UInt8(ascii: "}")) else { return nil }
        var members: [(key: [UInt8], value: [UInt8])] = []
        for piece in pieces {
            guard piece.first == UInt8(ascii: "\""), let end = endOfText(piece) else { return nil }
            let rest = trimmed(piece[piece.index(after: end)...])
            guard rest.first == UInt8(ascii: ":") else { return nil }
            members.append((Array(piece[...end]), Array(trimmed(rest.dropFirst()))))
        }
        return members
    }

    /// The elements of a list, in their order; `nil` for anything else.
    static func elements(of text: [UInt8]) -> [[UInt8]]? {
        split(text[...], UInt8(ascii: "["), UInt8(ascii: "]"))?.map { Array($0) }
    }

    /// What stands between commas, one level down.
    private static func split(_ text: ArraySlice<UInt8>, _ open: UInt8, _ close: UInt8) -> [ArraySlice<UInt8>]? {
        let text = trimmed(text)
        guard text.count >= 2, text.first == open, text.last == close else { return nil }
        let inner = text.dropFirst().dropLast()
        var pieces: [ArraySlice<UInt8>] = []
        var start = inner.startIndex
        var depth = 0
        var index = inner.startIndex
        while index < inner.endIndex {
            switch inner[index] {
            case UInt8(ascii: "\""):
                guard let end = endOfText(inner[index...]) else { return nil }
                index = end
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                pieces.append(trimmed(inner[start..<index]))
                start = inner.index(after: index)
            default: break
            }
            guard depth >= 0 else { return nil }
            index = inner.index(after: index)
        }
        let last = trimmed(inner[start...])
        if !last.isEmpty || !pieces.isEmpty { pieces.append(last) }
        return depth == 0 && pieces.allSatisfy { !$0.isEmpty } ? pieces : nil
    }

    /// Where a text that begins here, with a quote, has its other quote.
    private static func endOfText(_ text: ArraySlice<UInt8>) -> Int? {
        var isEscaped = false
        for index in text.indices.dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if text[index] == UInt8(ascii: "\\") {
                isEscaped = true
            } else if text[index] == UInt8(ascii: "\"") {
                return index
            }
        }
        return nil
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = text.drop { blanks.contains($0) }
        guard let last = rest.lastIndex(where: { !blanks.contains($0) }) else { return [] }
        return rest[...last]
    }
}
