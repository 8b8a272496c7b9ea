internal import Artefact
internal import Node

/// A bill of materials: a document of SPDX 2.3 in its JSON form.
///
/// Source: <https://spdx.github.io/spdx-spec/v2.3/> and its JSON schema. The same content gives the same bytes: the time is
/// that of the build, the namespace holds the digest of the content, and identifiers follow from names.
public struct SPDXDocument: Sendable {
    /// How two elements belong together, one of the words of clause 11.
    public struct Relationship: Hashable, Sendable {
        /// The words that are used here.
        public enum Kind: String, Hashable, Sendable {
            /// The document is about the element.
            case describes = "DESCRIBES"
            /// The element holds the other one.
            case contains = "CONTAINS"
            /// The element was made of the other one.
            case generatedFrom = "GENERATED_FROM"
        }

        /// The identifier of the one.
        public let element: SPDXIdentifier
        /// How they belong together.
        public let kind: Kind
        /// The identifier of the other.
        public let related: SPDXIdentifier

        /// Joins the three.
        public init(_ element: SPDXIdentifier, _ kind: Kind, _ related: SPDXIdentifier) {
            self.element = element
            self.kind = kind
            self.related = related
        }
    }

    /// What it is called: the release name of a bundle.
    public let name: String
    /// The time of the build, `2026-01-01T00:00:00Z`.
    public let created: String
    /// What a reader must know of the whole.
    public let comment: String
    /// The packages, the one that the document describes first.
    public let packages: [SPDXPackage]
    /// How they belong together; that a package holds its files follows from the package.
    public let relationships: [Relationship]

    /// Joins the parts.
    public init(
        name: String, created: String, comment: String, packages: [SPDXPackage], relationships: [Relationship]
    ) {
        self.name = name
        self.created = created
        self.comment = comment
        self.packages = packages
        self.relationships = relationships
    }

    /// The one text.
    public func encoded() -> [UInt8] {
        // Composed once, with a digest of zeros where that of the whole comes to stand: it may be long.
        let zeros = String(repeating: "0", count: 64)
        var text = value(namespace: "\(Builder.documents)\(name):\(zeros)").document
        let digest = Array(Digest(of: text).hex.utf8)
        if let place = text.firstRange(of: Array("\(name):\(zeros)".utf8)) {
            text.replaceSubrange((place.upperBound - digest.count)..<place.upperBound, with: digest)
        }
        return text
    }

    private func value(namespace: String) -> ConfigValue {
        let describes = packages.first.map { Relationship(.document, .describes, $0.identifier) }
        let holds = packages.flatMap { package in
            package.files.map { Relationship(package.identifier, .contains, $0.identifier) }
        }
        let relationships = [describes].compactMap { $0 } + relationships + holds
        return .object(
            ("SPDXID", .string(SPDXIdentifier.document.text)), ("spdxVersion", .string("SPDX-2.3")),
            ("dataLicense", .string("CC0-1.0")), ("name", .string(name)),
            ("documentNamespace", .string(namespace)), ("comment", .string(comment)),
            (
                "creationInfo",
                .object(
                    ("created", .string(created)),
                    ("creators", .texts(["Tool: ksbuild-\(Builder.version)"])))
            ), ("packages", .sequence(packages.map(\.value))),
            ("files", .sequence(packages.flatMap { $0.files.map(\.value) })),
            (
                "relationships",
                .sequence(
                    relationships.map { relationship in
                        .object(
                            ("spdxElementId", .string(relationship.element.text)),
                            ("relationshipType", .string(relationship.kind.rawValue)),
                            ("relatedSpdxElement", .string(relationship.related.text)))
                    })
            ))
    }
}

/// What names an element inside a document: `SPDXRef-` and letters, digits, `.` and `-` (clause 3.2).
public struct SPDXIdentifier: Hashable, Sendable {
    /// The whole identifier.
    public let text: String

    /// The document itself.
    public static let document = SPDXIdentifier("DOCUMENT")

    /// Names an element; a byte that may not be in an identifier becomes `.` and two hexadecimal digits.
    public init(_ name: String) {
        let digits = Array("0123456789abcdef")
        text = name.utf8.reduce(into: "SPDXRef-") { text, byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            text += isPlain ? String(UnicodeScalar(byte)) : ".\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }
    }
}
