public import Artefact
public import Upstream

/// Why inputs cannot be had, where that is not the fault of one transfer.
public struct FetchError: Failure, Hashable {
    /// The kinds of failure.
    public enum Code: Hashable, Sendable {
        /// There is no lock.
        case noLock
        /// A locked input is not in the cache, and nothing was to be fetched.
        case notCached
        /// The lock has entries that nothing needs, or lacks some.
        case staleLock
        /// No entry, or no input, has the name that was given.
        case unknownName
        /// Nothing says what the digest of an input should be.
        case unpinned
        /// An input would be vouched for less than the one that is locked.
        case lessTrust
        /// A mirror has an older package than the one that is locked.
        case older
        /// A list says another thing than a checksum file, or than the recipe.
        case contradiction
    }

    /// The kind of failure.
    public let code: Code
    /// The thing that is to blame.
    public let subject: String
    /// What is wrong with it and what to do.
    public let detail: String

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// The error for a lock that is not the one of what is built; `nil` where nothing was found.
    public static func stale(_ findings: [LockFinding]) -> FetchError? {
        findings.first.map { first in
            let more = findings.count > 1 ? " (and \(findings.count - 1) more)" : ""
            return FetchError(.staleLock, subject: first.place, detail: first.detail + more)
        }
    }

    /// The error for inputs that are locked and not in the cache.
    public static func notCached(_ entries: [InputLock.Entry]) -> FetchError {
        FetchError(
            .notCached, subject: entries.first?.name ?? InputLock.fileName,
            detail: "is locked and not in the cache\(entries.count > 1 ? ", as are \(entries.count - 1) more" : ""); "
                + "run 'ksbuild fetch', or add --fetch")
    }

    /// One line: subject, what is wrong, what to do.
    public var description: String { printable("\(subject): \(detail)") }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .noLock, .notCached: .noInput
        case .staleLock, .unpinned, .contradiction, .lessTrust, .older: .data
        case .unknownName: .usage
        }
    }
}
