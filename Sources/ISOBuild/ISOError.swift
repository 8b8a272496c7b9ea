public import Artefact

/// What is wrong with an image that is read, or with a tree that no image can hold.
public struct ISOError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// The file holds no volume descriptor where ISO 9660 wants the first one.
        case notISO9660
        /// The file ends before what its own descriptors promise.
        case truncated
        /// A structure contradicts the standard or itself.
        case damaged
        /// A structure is larger, deeper or longer than ``ISOLimits`` allows.
        case limitExceeded
        /// The image is valid and of a kind that this reader does not read.
        case unsupported
        /// No entry has that path, or it is not of the kind that was asked for.
        case notFound
        /// The tree or the label cannot be written in this format.
        case unrepresentable
    }

    /// The kind of failure.
    public let code: Code
    /// The image on the host, or the path in the tree, that is to blame.
    public let subject: String
    /// What is wrong and, where that helps, what to do.
    public let detail: String
    /// The sector of 2048 bytes in which the fault was found.
    public let sector: UInt32?

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String, sector: UInt32? = nil) {
        self.code = code
        self.subject = subject
        self.detail = detail
        self.sector = sector
    }

    /// One line: the subject, the kind of failure with the sector where there is one, and the reason.
    public var description: String { printable(text) }

    private var text: String {
        switch code {
        case .notISO9660: "\(subject): is not an ISO 9660 image (\(detail))"
        case .truncated: "\(subject): the image is truncated (\(detail)); fetch or build it again"
        case .damaged: "\(subject): damaged structure\(sector.map { " at sector \($0)" } ?? "") (\(detail))"
        case .limitExceeded:
            "\(subject): the image exceeds a limit\(sector.map { " at sector \($0)" } ?? "") (\(detail))"
        case .unsupported, .notFound, .unrepresentable: "\(subject): \(detail)"
        }
    }

    /// What the failure means to the caller: wrong data, but for an entry that is not there.
    public var failureClass: FailureClass { code == .notFound ? .noInput : .data }
}
