public import Artefact
internal import Node

/// A package of a bill of materials: anything that has a name and comes as one (SPDX 2.3, clause 7).
public struct SPDXPackage: Sendable {
    /// A digest of the package.
    public struct Checksum: Hashable, Sendable {
        /// `SHA1`, `SHA256`.
        public let algorithm: String
        /// Lower-case hexadecimal digits.
        public let hex: String

        /// Joins the two.
        public init(_ algorithm: String, _ hex: String) {
            self.algorithm = algorithm
            self.hex = hex
        }
    }

    /// Its identifier in the document.
    public let identifier: SPDXIdentifier
    /// Its name.
    public var name: String
    /// Its version.
    public var version: String?
    /// What it is for, one of the words of clause 7.24.
    public var purpose: String?
    /// Who hands it out, `Organization: Alpine Linux`.
    public var supplier: String?
    /// Where upstream has it, whatever mirror it came from.
    public var location: String?
    /// Its licence in the words of whoever packaged it; empty where nothing is known.
    public var license = ""
    /// Its digests.
    public var checksums: [Checksum] = []
    /// What it was made from.
    public var source: String?
    /// What else is to be known.
    public var comment: String?
    /// A package URL (<https://github.com/package-url/purl-spec>).
    public var packageURL: String?
    /// The file that it is, in the bundle.
    public var fileName: String?
    /// The files in it, where those were looked at; secrets are none of them.
    public var files: [SPDXFile] = []
    /// The paths of the files in it that are secrets.
    public var secretPaths: [String] = []

    /// Names a package.
    public init(_ identifier: SPDXIdentifier, name: String, version: String?) {
        self.identifier = identifier
        self.name = name
        self.version = version
    }

    var value: ConfigValue {
        let isExpression = LicenceExpression.isValid(license)
        let comments =
            [comment].compactMap { $0 }
            + (license.isEmpty || isExpression ? [] : ["licence as its packager words it: \(license)"])
            + secretPaths.map { "secret, digest omitted: \($0)" }
        return .object(
            ("SPDXID", .string(identifier.text)), ("name", .string(name)),
            ("versionInfo", version.map { .string($0) }), ("primaryPackagePurpose", purpose.map { .string($0) }),
            ("supplier", supplier.map { .string($0) }), ("downloadLocation", .string(location ?? "NOASSERTION")),
            ("packageFileName", fileName.map { .string($0) }), ("filesAnalyzed", .bool(!files.isEmpty)),
            ("packageVerificationCode", files.isEmpty ? nil : verificationCode),
            ("licenseDeclared", .string(isExpression ? license : "NOASSERTION")),
            ("licenseConcluded", .string("NOASSERTION")), ("copyrightText", .string("NOASSERTION")),
            ("sourceInfo", source.map { .string($0) }),
            ("comment", comments.isEmpty ? nil : .string(comments.joined(separator: "\n"))),
            (
                "checksums",
                checksums.isEmpty ? nil : .sequence(checksums.map(\.value))
            ),
            (
                "externalRefs",
                packageURL.map { url in
                    .sequence([
                        .object(
                            ("referenceCategory", .string("PACKAGE-MANAGER")), ("referenceType", .string("purl")),
                            ("referenceLocator", .string(url)))
                    ])
                }
            ))
    }

    /// The SHA-1 of the sorted SHA-1 of all files but the excluded ones (clause 7.9).
    private var verificationCode: ConfigValue {
        var stream = SHA1Stream()
        stream.update(Array(files.map(\.sha1).sorted().joined().utf8).span)
        return .object(
            ("packageVerificationCodeValue", .string(stream.finalize())),
            ("packageVerificationCodeExcludedFiles", secretPaths.isEmpty ? nil : .texts(secretPaths)))
    }
}

/// A file of a bill of materials (SPDX 2.3, clause 8).
public struct SPDXFile: Hashable, Sendable {
    /// Its path in its package, `./etc/hostname`.
    public let path: String
    /// Its SHA-1, which SPDX demands of every file.
    public let sha1: String
    /// Its SHA-256.
    public let sha256: Digest
    /// Where it comes from.
    public let origin: String

    /// Joins the parts.
    public init(path: String, sha1: String, sha256: Digest, origin: String) {
        self.path = path
        self.sha1 = sha1
        self.sha256 = sha256
        self.origin = origin
    }

    var identifier: SPDXIdentifier { SPDXIdentifier("File-\(Digest(of: path.utf8).hex.prefix(32))") }

    var value: ConfigValue {
        .object(
            ("SPDXID", .string(identifier.text)), ("fileName", .string(path)),
            (
                "checksums",
                .sequence([
                    SPDXPackage.Checksum("SHA1", sha1).value, SPDXPackage.Checksum("SHA256", sha256.hex).value,
                ])
            ), ("licenseConcluded", .string("NOASSERTION")), ("copyrightText", .string("NOASSERTION")),
            ("comment", .string("from \(origin)")))
    }
}

extension SPDXPackage.Checksum {
    fileprivate var value: ConfigValue {
        .object(("algorithm", .string(algorithm)), ("checksumValue", .string(hex)))
    }
}
