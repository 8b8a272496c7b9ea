public import SystemPackage

/// What went wrong with a tree, a name or a file on the host.
public struct ArtefactError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// A path inside an image is empty, absolute, escapes the tree, or holds bytes no format can carry.
        case invalidPath
        /// Two entries claim one path, or a file stands where a directory is needed.
        case conflict
        /// Something is not of the kind it must be, such as a device node in a layer.
        case unsupportedKind
        /// A digest is not 64 hexadecimal digits.
        case invalidDigest
        /// A file changed its size while it was being read.
        case changedWhileReading
        /// The system refused an operation on a file.
        case system
        /// Something could not be put where it was asked for.
        case creation
    }

    /// The kind of failure.
    public let code: Code
    /// The path on the host or in the tree that is to blame.
    public let subject: String
    /// What is wrong with it and, where that helps, what to do.
    public let detail: String
    /// What the system said, for ``Code/system`` and ``Code/creation``.
    public let errno: Errno?

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String, errno: Errno? = nil) {
        self.code = code
        self.subject = subject
        self.detail = detail
        self.errno = errno
    }

    /// Makes the error for a system call on `path` that failed with `errno`.
    public static func system(_ operation: String, _ path: FilePath, _ errno: Errno) -> ArtefactError {
        ArtefactError(.system, subject: path.string, detail: "cannot \(operation)", errno: errno)
    }

    /// Makes the error for something that could not be made at `path`.
    static func creation(_ operation: String, _ path: FilePath, _ errno: Errno) -> ArtefactError {
        ArtefactError(.creation, subject: path.string, detail: "cannot \(operation)", errno: errno)
    }

    /// One line: subject, what is wrong, what the system said.
    public var description: String {
        guard let errno else { return "\(subject): \(detail)" }
        return "\(subject): \(detail) (\(errno.description))"
    }

    /// What the failure means to the caller; for ``Code/system`` it follows from what the system said.
    public var failureClass: FailureClass {
        switch code {
        case .invalidPath, .conflict, .unsupportedKind, .invalidDigest: return .data
        case .changedWhileReading: return .io
        case .system:
            switch errno {
            case .noSuchFileOrDirectory, .notDirectory, .isDirectory: return .noInput
            case .permissionDenied, .notPermitted: return .permission
            case .fileExists, .readOnlyFileSystem, .directoryNotEmpty: return .cannotCreate
            case .resourceTemporarilyUnavailable, .resourceBusy: return .busy
            default: return .io
            }
        case .creation:
            switch errno {
            case .permissionDenied, .notPermitted: return .permission
            case .noSpace, .ioError, .diskQuotaExceeded, .tooManyOpenFiles, .tooManyOpenFilesInSystem: return .io
            default: return .cannotCreate
            }
        }
    }
}
