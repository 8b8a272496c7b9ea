public import Artefact

/// Why a build stops for a reason that belongs to no single room.
public struct BuildError: Failure, Hashable {
    /// The kinds of failure.
    public enum Code: Hashable, Sendable {
        /// An input that is needed was neither named nor found.
        case missingInput
        /// An artefact that was just written does not read back as what was meant.
        case defect
        /// An overlay would not boot as it is.
        case unbootable
        /// A boot medium is not the one that a bundle's manifest tells.
        case otherMedium
        /// What is to be written is read as well.
        case outputIsInput
        /// A recipe leaves a release open and the lock does not say which one is meant.
        case notLocked
        /// Recipe and lock pin one input to different digests.
        case otherPin
        /// A node of a fleet has to be named, or another one.
        case otherNode
        /// A file that should hold public keys does not.
        case invalidKey
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

    static func missingInput(_ name: String, option: String) -> BuildError {
        BuildError(
            .missingInput, subject: name,
            detail:
                "is needed and not at hand; fetch it with 'ksbuild fetch --update-lock', or name it with \(option), or a "
                + "directory that has it with --mirror DIR")
    }

    /// One line: subject, what is wrong, what to do.
    public var description: String { "\(subject): \(detail)" }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .missingInput: .noInput
        case .defect: .software
        case .unbootable, .invalidKey, .otherMedium, .notLocked, .otherPin: .data
        case .outputIsInput, .otherNode: .usage
        }
    }
}
