public import Artefact

/// Why a file is not what the holder of a key signed.
public struct SignatureError: Failure, Hashable {
    /// The kinds of refusal, apart where the remedy differs.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// No program that checks signatures is installed.
        case toolMissing
        /// The program that checks signatures failed without a verdict.
        case toolFailed
        /// The armour around a key or a signature is damaged.
        case malformedArmor
        /// The file that should hold a key holds none.
        case noKey
        /// The file that should hold a signature holds none.
        case unsigned
        /// The file or the signature was changed.
        case badSignature
        /// The signature is by another key than the one that is trusted.
        case wrongKey
        /// The key had expired, or has since.
        case expiredKey
        /// The owner of the key revoked it.
        case revokedKey
        /// The signature itself was made to expire, and has.
        case expiredSignature
        /// The signature uses an algorithm that no longer proves anything, or one that the program does not know.
        case weakAlgorithm
        /// A file changed while it was being checked.
        case changedWhileReading
    }

    /// The kind of refusal.
    public let code: Code
    /// The file that is to blame.
    public let subject: String
    /// The line that is to blame, from 1, in a file with lines.
    public let line: Int?
    /// What is wrong with it and what to do.
    public let detail: String

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, line: Int? = nil, detail: String) {
        self.code = code
        self.subject = subject
        self.line = line
        self.detail = detail
    }

    /// One line: subject, what is wrong, what to do.
    public var description: String { printable("\(subject)\(line.map { ":\($0):1" } ?? ""): \(detail)") }

    /// A program that is missing, a file that changes, or else wrong data.
    public var failureClass: FailureClass {
        switch code {
        case .toolMissing, .toolFailed: .unavailable
        case .changedWhileReading: .io
        default: .data
        }
    }
}
