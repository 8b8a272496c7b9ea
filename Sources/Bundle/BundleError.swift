public import Artefact
internal import SystemPackage

/// What went wrong with a bundle, its manifest or the store.
public struct BundleError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// A text is no version, or one that no bundle may have.
        case invalidVersion
        /// What is to be published cannot be described by a manifest: a bad name, a name taken twice.
        case invalidStage
        /// A manifest is not what the contract says.
        case invalidManifest
        /// A checksum file is not what coreutils writes.
        case invalidChecksums
        /// An artefact does not have the digest that was promised, or changed on its way to the disk.
        case mismatch
        /// Another content is published under the version already.
        case versionTaken
        /// A bundle on the disk is not as it was published.
        case damaged
        /// No bundle has the version.
        case notFound
        /// There is no version to go back to.
        case noWayBack
        /// The version was left by rolling back.
        case failedBefore
        /// The version is older than one that was confirmed.
        case belowFloor
        /// The version is not the live one.
        case notLive
        /// A pin says nothing that can be understood.
        case invalidPin
        /// `current` is no link to a bundle.
        case brokenPointer
        /// The history cannot be one: it is too large, or no regular file.
        case invalidHistory
        /// A file or text is no key that can be used.
        case invalidKey
        /// A signature is not in the form that is taken.
        case invalidSignature
        /// No key that is trusted has signed a bundle.
        case untrusted
        /// Another process is changing the store.
        case busy
        /// The system refused an operation on a file.
        case system(FailureClass)
    }

    /// The kind of failure.
    public let code: Code
    /// The file or version that is to blame.
    public let subject: String
    /// What is wrong with it and, where that helps, what to do.
    public let detail: String

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// The error for a system call on `path` that failed with `errno`.
    static func system(_ operation: String, _ path: FilePath, _ errno: Errno) -> BundleError {
        let cause = ArtefactError.system(operation, path, errno)
        return BundleError(
            .system(cause.failureClass), subject: path.string, detail: "cannot \(operation) (\(errno.description))")
    }

    /// One line: subject, what is wrong.
    public var description: String { "\(subject): \(detail)" }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .invalidVersion, .invalidStage: .usage
        case .invalidManifest, .invalidChecksums, .invalidHistory, .invalidPin, .invalidKey, .invalidSignature,
            .mismatch:
            .data
        case .versionTaken: .cannotCreate
        case .damaged, .untrusted, .brokenPointer, .failedBefore, .belowFloor, .notLive: .findings
        case .notFound, .noWayBack: .noInput
        case .busy: .busy
        case .system(let failureClass): failureClass
        }
    }
}
