public import Artefact

/// Why no overlay can be made from a node.
public struct OverlayError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// A value cannot be written into the files that it must go into.
        case invalidValue
        /// Two values contradict each other.
        case contradiction
        /// A layer holds something that an overlay cannot carry.
        case unusualLayerEntry
        /// KubeSolo's release does not know a setting of the recipe.
        case unknownSetting
        /// The files that go into every overlay are not where they must be.
        case missingResources
    }

    /// The kind of failure.
    public let code: Code
    /// What is to blame: a path, or a value and where it comes from.
    public let subject: String
    /// What is wrong with it and what to do.
    public let detail: String

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// One line: subject and what is wrong.
    public var description: String { "\(subject): \(detail)" }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .invalidValue, .contradiction, .unusualLayerEntry, .unknownSetting: .data
        case .missingResources: .noInput
        }
    }
}
