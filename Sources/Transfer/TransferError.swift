public import Artefact

/// Why a file did not come.
///
/// The message names the address without user, password and query, which may be secrets.
public struct TransferError: Failure, Hashable {
    /// The kinds of failure, apart where the remedy differs.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// The address is none that can be fetched.
        case invalidAddress
        /// A setting cannot be used, such as a CA file that is not there.
        case invalidSetting
        /// The server does not have the file.
        case notFound
        /// The server wants other credentials than it was given.
        case denied
        /// The server cannot be reached, does not answer in time or says that it cannot serve.
        case unavailable
        /// The server's certificate is not trusted, or is another's.
        case untrustedServer
        /// The server does not speak TLS, or none that this client speaks.
        case withoutTLS
        /// The server sends the client on where it does not follow: in a circle, or away from TLS.
        case badRedirect
        /// The file is larger than it may be, or has another size than is expected.
        case wrongSize
        /// The file came whole and has another digest than is expected.
        case wrongDigest
        /// The user stopped the transfer; what came so far can be resumed.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// The address, without what may be secret.
    public let subject: String
    /// What happened and what to do.
    public let detail: String
    /// What came, for ``Code/wrongDigest``.
    public let received: Fetched?

    /// Makes an error that names its address.
    public init(_ code: Code, subject: String, detail: String, received: Fetched? = nil) {
        self.code = code
        self.subject = subject
        self.detail = detail
        self.received = received
    }

    /// One line: address, what happened, what to do.
    public var description: String { printable("\(subject): \(detail)") }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .invalidAddress: .usage
        case .invalidSetting, .notFound: .noInput
        case .denied: .permission
        case .unavailable, .untrustedServer, .withoutTLS, .badRedirect: .unavailable
        case .wrongSize, .wrongDigest: .data
        case .cancelled: .interrupted
        }
    }
}

/// A file that came whole.
public struct Fetched: Hashable, Sendable {
    /// Its size in bytes.
    public let size: UInt64
    /// The SHA-256 of its bytes.
    public let sha256: Digest
    /// The SHA-512 of its bytes as 128 hexadecimal digits, where that was asked for.
    public let sha512: String?
    /// What was asked for, whatever redirects led to, without user, password and query.
    public let address: String
    /// Whether the sender stated the size and the file has it.
    ///
    /// Otherwise the end of the connection was taken for the end of the file.
    public let hasStatedSize: Bool
}
