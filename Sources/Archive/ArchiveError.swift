public import Artefact

/// Why an archive cannot be read or written.
public struct ArchiveError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// The bytes are neither gzip nor tar.
        case notAnArchive
        /// The file is compressed in a way that is not read here, such as xz.
        case unsupportedCompression
        /// The bytes end before the archive does.
        case truncated
        /// A checksum does not match: gzip's CRC or length, or the one of a tar header.
        case badChecksum
        /// The bytes break the rules of deflate, gzip or tar.
        case malformed
        /// A member is of a kind that is not read here, such as a sparse file.
        case unsupportedMember
        /// A bound of ``ArchiveLimits`` is exceeded.
        case limitExceeded
        /// An entry cannot be written in the format.
        case unrepresentable
        /// The system refused an operation on the file.
        case system
    }

    /// The kind of failure.
    public let code: Code
    /// The archive, as the caller named it.
    public let subject: String
    /// What is wrong with it.
    public let detail: String
    /// What was refused, for ``Code/system``.
    public let underlying: ArtefactError?

    /// Makes an error that names its archive.
    public init(_ code: Code, subject: String, detail: String, underlying: ArtefactError? = nil) {
        self.code = code
        self.subject = subject
        self.detail = detail
        self.underlying = underlying
    }

    static func system(_ error: ArtefactError) -> ArchiveError {
        ArchiveError(.system, subject: error.subject, detail: error.detail, underlying: error)
    }

    /// One line: the archive and what is wrong with it.
    public var description: String { underlying?.description ?? "\(subject): \(detail)" }

    /// What the failure means to the caller: wrong data, but for what the system refused.
    public var failureClass: FailureClass { underlying?.failureClass ?? .data }
}
