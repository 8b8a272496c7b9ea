public import Artefact

/// What is wrong with a lock file, or with what should go into one.
public struct LockError: Failure, Hashable {
    /// The kinds of failure, apart where the remedy differs.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// A value breaks the rules of the format.
        case malformed
        /// The text is not the one that ksbuild writes for what it says.
        case notCanonical
        /// The file follows a version of the format that this ksbuild does not know.
        case unknownVersion
        /// There are more bytes or more entries than a lock may have.
        case tooLarge
        /// Two entries have one name.
        case ambiguous
    }

    /// The kind of failure.
    public let code: Code
    /// The lock file, or the entry's name where no file is concerned.
    public let subject: String
    /// The line that is to blame, from 1.
    public let line: Int?
    /// The column in bytes that is to blame, from 1.
    public let column: Int?
    /// What is wrong and what to do.
    public let detail: String

    /// Makes an error that names its subject and, in a file, the place.
    public init(_ code: Code, subject: String, line: Int? = nil, column: Int? = nil, detail: String) {
        self.code = code
        self.subject = subject
        self.line = line
        self.column = column
        self.detail = detail
    }

    /// One line: subject, place, what is wrong, what to do.
    public var description: String {
        guard let line else { return printable("\(subject): \(detail)") }
        return printable("\(subject):\(line):\(column ?? 1): \(detail)")
    }

    /// Wrong data.
    public var failureClass: FailureClass { .data }
}
