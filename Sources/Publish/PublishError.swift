public import Artefact

/// Why a bundle cannot be published or pulled.
public struct PublishError: Failure, Hashable {
    /// The kinds of failure, apart where the remedy differs.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// A text names no destination.
        case invalidPlace
        /// The bundle that is to be published is not as it was made.
        case damaged
        /// The bundle holds secrets, and nobody said that they may leave.
        case secrets
        /// What stands there is no bundle, or parts of it do not belong together.
        case notABundle
        /// It is another version, or has another digest, than was asked for.
        case unexpected
        /// Nothing is there.
        case notFound
        /// The name stands for something else already.
        case taken
        /// Another process is at work in the same place.
        case busy
    }

    /// The kind of failure.
    public let code: Code
    /// The place, version or file.
    public let subject: String
    /// What is wrong and what to do.
    public let detail: String

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// One line: subject, what is wrong, what to do.
    public var description: String { printable("\(subject): \(detail)") }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .invalidPlace: .usage
        case .damaged, .unexpected: .findings
        case .secrets: .permission
        case .notABundle: .data
        case .notFound: .noInput
        case .taken: .cannotCreate
        case .busy: .busy
        }
    }
}
