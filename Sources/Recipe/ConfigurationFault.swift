public import Artefact

/// One thing that is wrong, or merely doubtful, in a recipe: where it stands, what it is and what to do.
public struct ConfigurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The recipe as it was named, or `SOURCE_DATE_EPOCH`.
    public let file: String
    /// The line, from 1; 0 where no line is to blame.
    public let line: Int
    /// The column, from 1, counted in Unicode scalars; 0 where no column is to blame.
    public let column: Int
    /// The key that is to blame, such as `network.interfaces.eth0.addresses[1]`; empty for the document.
    public let keyPath: String
    /// What is wrong with it; never holds a secret.
    public let problem: String
    /// What to do about it; may be empty.
    public let hint: String
    /// Whether the JSON Schema of recipes finds it too.
    package let isStructural: Bool

    package init(
        file: String, position: SourcePosition, keyPath: String, problem: String, hint: String = "",
        isStructural: Bool = false
    ) {
        self.file = file
        self.line = position.line
        self.column = position.column
        self.keyPath = keyPath
        self.problem = problem
        self.hint = hint
        self.isStructural = isStructural
    }

    /// `FILE:LINE:COLUMN: KEYPATH: PROBLEM; HINT` in one line, whatever the recipe holds.
    public var description: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        let subject = keyPath.isEmpty ? "" : "\(keyPath): "
        return printable("\(place): \(subject)\(problem)\(hint.isEmpty ? "" : "; \(hint)")")
    }

    /// Orders by where the fault stands.
    static func precedes(_ left: ConfigurationFault, _ right: ConfigurationFault) -> Bool {
        if left.line != right.line { return left.line < right.line }
        if left.column != right.column { return left.column < right.column }
        if left.keyPath != right.keyPath { return left.keyPath < right.keyPath }
        return left.problem < right.problem
    }
}

/// Everything that keeps a recipe from being used, all at once.
public struct RecipeFaults: Failure, Hashable {
    /// The faults in the order in which they stand in the file; never empty.
    public let faults: [ConfigurationFault]
    /// ``FailureClass/data``, or ``FailureClass/noInput`` and its like where the recipe cannot be read at all.
    public let failureClass: FailureClass

    package init(_ faults: [ConfigurationFault], _ failureClass: FailureClass = .data) {
        self.faults = faults
        self.failureClass = failureClass
    }

    /// All faults, one a line.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// A place in a recipe; lines and columns count from 1, columns in Unicode scalars.
package struct SourcePosition: Hashable, Sendable, Comparable {
    package var line: Int
    package var column: Int

    /// No place at all.
    static let none = SourcePosition(line: 0, column: 0)
    /// The first character.
    static let start = SourcePosition(line: 1, column: 1)

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A text from a recipe as messages show it: quoted, on one line, cut where it is long.
func shown(_ text: String) -> String {
    let start = String(String.UnicodeScalarView(text.unicodeScalars.prefix(60)))
    return "'\(printable(start))\(text.unicodeScalars.count > 60 ? "…" : "")'"
}
