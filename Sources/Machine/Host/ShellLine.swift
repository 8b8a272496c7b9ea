/// A command as a line that can be pasted into a POSIX shell.
struct ShellLine: Hashable, Sendable, CustomStringConvertible {
    /// The program and its arguments.
    let words: [String]
    /// What the program reads on its standard input, complete lines.
    let input: String?

    /// Makes the line of a command.
    init(_ words: [String], input: String? = nil) {
        self.words = words
        self.input = input
    }

    /// The words with what a shell would take for something else in single quotes; input as a here-document.
    var description: String {
        let line = words.map(Self.quoted).joined(separator: " ")
        guard let input else { return line }
        return "\(line) <<'EOF'\n\(input)EOF"
    }

    /// One word; single quotes keep everything but themselves.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_./:=+,@%".utf8.contains(byte)
            }
        }
        if isPlain && !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
