public import Artefact
public import Node

/// An in-toto statement, version 1, whose predicate is SLSA provenance, version 1.
///
/// Sources: <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>,
/// <https://slsa.dev/spec/v1.0/provenance>. The same build gives the same bytes: there is neither a time nor a place, nor
/// a word on who signs.
public struct Statement: Sendable {
    /// What statements are called in a signed envelope (`payloadType`).
    public static let payloadType = "application/vnd.in-toto+json"
    /// The name of the form (`_type`).
    public static let type = "https://in-toto.io/Statement/v1"
    /// The name of the predicate's form (`predicateType`).
    public static let predicateType = "https://slsa.dev/provenance/v1"

    /// A file that the statement is about.
    public struct Subject: Hashable, Sendable {
        /// Its name in the bundle.
        public let name: String
        /// Its digest.
        public let sha256: Digest

        /// Joins the two.
        public init(name: String, sha256: Digest) {
            self.name = name
            self.sha256 = sha256
        }
    }

    /// A file that the build took from others (`ResourceDescriptor`).
    public struct Dependency: Hashable, Sendable {
        /// Its name in a lock, or of a file of the user's.
        public let name: String
        /// Where upstream has it, whatever mirror it came from; `nil` where nobody else has it.
        public let uri: String?
        /// Its digest.
        public let sha256: Digest

        /// Joins the parts.
        public init(name: String, uri: String?, sha256: Digest) {
            self.name = name
            self.uri = uri
            self.sha256 = sha256
        }
    }

    /// The files that it is about, sorted by name.
    public let subjects: [Subject]
    /// All that the user chose, without secrets.
    public let parameters: ConfigValue
    /// What the build took from others, sorted by name.
    public let dependencies: [Dependency]

    /// Joins the parts.
    public init(subjects: [Subject], parameters: ConfigValue, dependencies: [Dependency]) {
        self.subjects = subjects.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.parameters = parameters
        self.dependencies = dependencies.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The one text.
    public func encoded() -> [UInt8] {
        let definition = ConfigValue.object(
            ("buildType", .string(Builder.buildType)), ("externalParameters", parameters),
            (
                "resolvedDependencies",
                .sequence(
                    dependencies.map { item in
                        .object(
                            ("name", .string(item.name)), ("uri", item.uri.map { .string($0) }),
                            ("digest", Self.digest(item.sha256)))
                    })
            ))
        let run = ConfigValue.object(
            (
                "builder",
                .object(
                    ("id", .string(Builder.identifier)), ("version", .object(("ksbuild", .string(Builder.version)))))
            ))
        return ConfigValue.object(
            ("_type", .string(Self.type)), ("predicateType", .string(Self.predicateType)),
            (
                "subject",
                .sequence(
                    subjects.map { .object(("name", .string($0.name)), ("digest", Self.digest($0.sha256))) })
            ), ("predicate", .object(("buildDefinition", definition), ("runDetails", run)))
        ).document
    }

    private static func digest(_ sha256: Digest) -> ConfigValue { .object(("sha256", .string(sha256.hex))) }
}
