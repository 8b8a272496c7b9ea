public import Artefact

/// Why a registry, an image layout or what stands in one cannot be used.
///
/// No message holds a password, a token or the query of an address.
public struct RegistryError: Failure, Hashable {
    /// The kinds of failure, apart where the remedy differs.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// A text names no repository, tag or digest.
        case invalidReference
        /// A manifest or index is not what the image specification says, or too large.
        case invalidDocument
        /// What came has other bytes than its digest says.
        case wrongBytes
        /// What stands there is no bundle.
        case wrongType
        /// There is no such repository, tag or blob.
        case notFound
        /// The registry does not let this client do it.
        case denied
        /// A file with credentials, or a program that keeps them, cannot be used.
        case credentials
        /// The registry cannot be reached, fails, or refuses what every registry takes.
        case unavailable
        /// The name is taken by something else.
        case taken
        /// Another process is changing the same place.
        case busy
        /// The user stopped it.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// The repository, tag, blob or file.
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
        case .invalidReference: .usage
        case .invalidDocument, .wrongBytes, .wrongType, .credentials: .data
        case .notFound: .noInput
        case .denied: .permission
        case .unavailable: .unavailable
        case .taken: .cannotCreate
        case .busy: .busy
        case .cancelled: .interrupted
        }
    }
}
