public import Artefact

/// Why a bundle is not laid out for booting over the network.
public struct NetbootError: Failure, Hashable {
    /// The kinds of failure.
    public enum Code: Hashable, Sendable {
        /// What is asked for makes no sense.
        case usage
        /// The bundle holds something that nodes cannot boot over the network.
        case unbootable
        /// The bundle holds secrets, and anyone who reaches the server would have them.
        case secrets
        /// The version is there with another content.
        case versionTaken
        /// Another command is writing there.
        case busy
    }

    /// The kind of failure.
    public let code: Code
    /// The thing that is to blame.
    public let subject: String
    /// What is wrong with it and what to do.
    public let detail: String

    init(_ code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// One line: subject, what is wrong, what to do.
    public var description: String { "\(subject): \(detail)" }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .usage: .usage
        case .unbootable: .data
        case .secrets: .permission
        case .versionTaken: .cannotCreate
        case .busy: .busy
        }
    }
}
