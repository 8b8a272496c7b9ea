public import Artefact

/// What is wrong with the files of a seed.
public struct CloudInitError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// A user's `#cloud-config` cannot be read, or not be laid over the generated one.
        case invalidUserData
        /// A setting has a value that cloud-init would not take.
        case invalidSetting
        /// Something may not stand where it is to go on the medium.
        case misplaced
    }

    /// The kind of failure.
    public let code: Code
    /// What is to blame, with `:LINE:COLUMN` where it is text.
    public let subject: String
    /// What is wrong and, where that helps, what to do.
    public let detail: String

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// One line: subject, what is wrong.
    public var description: String { "\(subject): \(detail)" }

    /// Wrong data in every case.
    public var failureClass: FailureClass { .data }
}
