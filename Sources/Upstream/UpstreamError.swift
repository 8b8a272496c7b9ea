internal import Archive
public import Artefact

/// What is wrong with something that was taken from an upstream: an image, an archive, a program, a list.
public struct UpstreamError: Failure, Hashable {
    /// The kinds of failure, apart where the remedy differs.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// A mirror does not hold what was asked of it.
        case notFound
        /// A list, an index or a header breaks the rules of its format.
        case malformed
        /// A checksum file says nothing about the file in question.
        case notListed
        /// A file ends before what it describes does.
        case truncated
        /// The bytes differ from those that a pin or a checksum file names.
        case tampered
        /// Something of another kind stands where the input should be, such as an error page of a server.
        case wrongKind
        /// The input is for another processor.
        case wrongArchitecture
        /// The input is of another flavour or variant than the recipe names.
        case wrongFlavor
        /// The input is of another release than the recipe names.
        case wrongRelease
        /// The program needs a C library that the node does not have in that place.
        case wrongLibrary
        /// A part that a boot needs is missing or empty.
        case incomplete
        /// The package index carries no signature, so that apk ignores the repository.
        case unsigned
        /// The package index lacks names that the node's world lists.
        case missingPackages
        /// No set of packages satisfies a world.
        case unsatisfiable
        /// Something would take more time than any honest input does.
        case tooComplex
        /// A signature is not by a key that the node trusts.
        case untrusted
        /// A pin is no SHA-256 digest.
        case invalidPin
        /// An archive holds several candidates, or one that may not be taken.
        case ambiguous
        /// The file changed while it was being read.
        case changedWhileReading
    }

    /// The kind of failure.
    public let code: Code
    /// The file or thing that is to blame.
    public let subject: String
    /// The line that is to blame, counted from 1, where the subject has lines.
    public let line: Int?
    /// The column in bytes that is to blame, counted from 1.
    public let column: Int?
    /// What is wrong with it and what to do.
    public let detail: String

    /// Makes an error that names its subject and, in a file with lines, the place.
    public init(_ code: Code, subject: String, line: Int? = nil, column: Int? = nil, detail: String) {
        self.code = code
        self.subject = subject
        self.line = line
        self.column = column
        self.detail = detail
    }

    /// One line: subject, place, what is wrong, what to do.
    public var description: String {
        guard let line else { return printable("\(subject): \(detail)") }
        return printable("\(subject):\(line):\(column ?? 1): \(detail)")
    }

    /// An input that is not there, a file that changes, or else wrong data.
    public var failureClass: FailureClass {
        switch code {
        case .notFound: .noInput
        case .changedWhileReading: .io
        default: .data
        }
    }
}

extension UpstreamError {
    /// Says what a reader of archives found in the words of this room.
    init(archive error: ArchiveError) {
        let code: Code =
            switch error.code {
            case .truncated: .truncated
            case .notAnArchive, .unsupportedCompression: .wrongKind
            default: .malformed
            }
        self.init(code, subject: error.subject, detail: error.detail)
    }
}
