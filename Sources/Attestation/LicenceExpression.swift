/// A licence expression of SPDX 2.3, annex D, of which every identifier is one of the list.
///
/// References to texts of one's own (`LicenseRef-…`) are none here: nothing would hold the text.
public enum LicenceExpression {
    /// The deepest nesting of parentheses that is followed.
    private static let maximumDepth = 32
    /// The longest expression in bytes.
    private static let maximumBytes = 4096

    /// Whether a text is such an expression: `MIT`, `GPL-2.0-or-later WITH GCC-exception-3.1 AND (ISC OR BSD-2-Clause)`.
    public static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= maximumBytes else { return false }
        var words: [Substring] = []
        for part in text.split(separator: " ") {
            var rest = part
            while rest.hasPrefix("(") {
                words.append("(")
                rest = rest.dropFirst()
            }
            let closing = rest.reversed().prefix { $0 == ")" }.count
            let word = rest.dropLast(closing)
            if !word.isEmpty { words.append(word) }
            words += Array(repeating: ")", count: closing)
        }
        var reader = Reader(words: words[...])
        return reader.readExpression(depth: 0) && reader.words.isEmpty
    }

    private struct Reader {
        var words: ArraySlice<Substring>

        /// Terms with `AND` and `OR` between them.
        mutating func readExpression(depth: Int) -> Bool {
            guard depth <= LicenceExpression.maximumDepth, readTerm(depth: depth) else { return false }
            while let word = words.first, word == "AND" || word == "OR" {
                words.removeFirst()
                guard readTerm(depth: depth) else { return false }
            }
            return true
        }

        /// A licence, with an exception or without, or an expression in parentheses.
        private mutating func readTerm(depth: Int) -> Bool {
            guard let word = words.popFirst() else { return false }
            if word == "(" { return readExpression(depth: depth + 1) && words.popFirst() == ")" }
            let name = word.hasSuffix("+") ? word.dropLast() : word
            guard LicenceNames.licences.contains(String(word)) || LicenceNames.licences.contains(String(name)) else {
                return false
            }
            guard words.first == "WITH" else { return true }
            words.removeFirst()
            guard let exception = words.popFirst() else { return false }
            return LicenceNames.exceptions.contains(String(exception))
        }
    }
}
