public import Artefact

/// What a bundle says of itself in `manifest.json`: the description and one line for each artefact.
///
/// The JSON is a contract (``schema``) and canonical: one bundle has exactly one manifest, byte for byte. What it lists
/// is all that the bundle's directory holds, besides itself and `SHA256SUMS`.
public struct Manifest: Hashable, Sendable {
    /// The name of this contract; a change that older readers would misread gets another.
    public static let schema = "ksbuild/bundle/v1"
    /// The name of the file.
    public static let fileName = "manifest.json"
    /// The largest manifest that is read, in bytes.
    public static let maximumBytes = 16 << 20

    /// What an artefact is for.
    public enum Role: String, Hashable, Sendable, CaseIterable {
        /// The overlay that configures a diskless node.
        case overlay
        /// The NoCloud seed image, which carries the overlay.
        case seed
        /// Alpine's own image, byte for byte.
        case alpineISO = "alpine-iso"
        /// The KubeSolo binary.
        case kubesolo
        /// The packages that Alpine's image lacks, as a tar archive of repositories for the media.
        case packages
        /// The bill of materials, a document of SPDX.
        case sbom
        /// What the bundle was made from and how, an in-toto statement with SLSA provenance.
        case provenance
    }

    /// One file of a bundle.
    public struct Artefact: Hashable, Sendable {
        /// What it is for.
        public var role: Role
        /// The node of a fleet that it is for.
        public var node: String?
        /// Its name; no two of a bundle have the same.
        public var file: String
        /// Its size in bytes.
        public var size: UInt64
        /// Its digest.
        public var sha256: Digest
        /// Its permission bits: nobody may write it, and only the owner reads it where it holds a secret.
        public var mode: EntryMode

        /// Joins the parts.
        public init(
            role: Role, node: String? = nil, file: String, size: UInt64, sha256: Digest, mode: EntryMode
        ) {
            self.role = role
            self.node = node
            self.file = file
            self.size = size
            self.sha256 = sha256
            self.mode = mode
        }

        /// Where it stands in the bundle's directory: its name, or `nodes/NODE/NAME`.
        public var path: String { Self.path(of: file, node: node) }

        static func path(of file: String, node: String?) -> String {
            node.map { "\(BundleNode.directory)/\($0)/\(file)" } ?? file
        }

        /// Whether only its owner may read it.
        public var isSecret: Bool { mode.bits & 0o077 == 0 }

        /// The modes that a file of a bundle may have.
        static let modes: Set<EntryMode> = [EntryMode(0o444), EntryMode(0o555), EntryMode(0o400), EntryMode(0o500)]
    }

    /// What is said of the whole.
    public let description: BundleDescription
    /// The files, sorted by their places.
    public let artefacts: [Artefact]
    /// How media are composed of the artefacts, the boot medium first.
    public let media: [MediumRecipe]

    /// How the medium of a kind is composed, where the bundle has one.
    public func medium(_ kind: MediumRecipe.Kind) -> MediumRecipe? { media.first { $0.kind == kind } }

    /// Whether any artefact holds a secret; such a bundle is published elsewhere only on demand.
    public var secrets: Bool { artefacts.contains { $0.isSecret } }

    /// The version.
    public var version: Version { description.version }

    /// The bytes of all artefacts together; ``init(_:artefacts:)`` has seen to it that they can be counted.
    public var size: UInt64 { artefacts.reduce(0) { $0 &+ $1.size } }

    /// The permission bits of the bundle's directory.
    public var directoryMode: EntryMode { EntryMode(secrets ? 0o500 : 0o555) }

    /// Whether both describe the same bundle: everything but how the inputs were verified, which may differ from one
    /// build to the next and is in none of the bytes.
    public func describesTheSame(as other: Manifest) -> Bool {
        artefacts == other.artefacts && agreesOnMedia(with: other)
            && description.ignoringTrust == other.description.ignoringTrust
    }

    /// Whether both compose the same media; a digest that only one of them knows is no difference.
    func agreesOnMedia(with other: Manifest) -> Bool {
        media.count == other.media.count && zip(media, other.media).allSatisfy { $0.agrees(with: $1) }
    }

    /// Joins description, artefacts and the recipes of the media.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidManifest`` where a value breaks the contract.
    public init(
        _ description: BundleDescription, artefacts: [Artefact], media: [MediumRecipe] = []
    ) throws(BundleError) {
        self.description = description
        self.media = media.sorted { $0.kind.rawValue < $1.kind.rawValue }
        self.artefacts = artefacts.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        try check()
    }

    private func check() throws(BundleError) {
        func refuse(_ why: String) -> BundleError {
            BundleError(.invalidManifest, subject: Self.fileName, detail: why)
        }
        let texts = [
            ("name", description.name), ("architecture", description.architecture),
            ("hostname", description.hostname ?? "-"), ("datastore.kubesolo", description.datastore.kubesolo),
            ("datastore.format", description.datastore.format), ("alpine.release", description.alpine.release),
            ("alpine.flavor", description.alpine.flavor), ("kubesolo.version", description.kubesolo.version),
            ("kubesolo.variant", description.kubesolo.variant),
        ]
        let inputs = description.inputs.map { ("inputs.name", $0.name) }
        for (key, text) in texts + inputs {
            guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw refuse("'\(key)' is not 1 to 255 printable ASCII characters")
            }
        }
        guard description.epoch >= 0 else { throw refuse("'epoch' is before 1970") }
        guard !artefacts.isEmpty else { throw refuse("lists no artefact") }
        var seen: Set<String> = []
        var total: Int64 = 0
        for artefact in artefacts {
            guard artefact.file.utf8.count <= Self.maximumNameBytes else {
                throw refuse(
                    "'\(artefact.file.prefix(60))…' is too long for the name of a file of a bundle "
                        + "(\(artefact.file.utf8.count) of \(Self.maximumNameBytes) bytes)")
            }
            guard Self.isFileName(artefact.file) else {
                throw refuse("\(String(reflecting: artefact.file)) is no name that a file of a bundle may have")
            }
            guard seen.insert(artefact.file.lowercased()).inserted else {
                throw refuse("'\(artefact.file)' is listed twice")
            }
            guard Artefact.modes.contains(artefact.mode) else {
                throw refuse("'\(artefact.file)' has mode \(artefact.mode), which no file of a bundle may have")
            }
            guard let size = Int64(exactly: artefact.size) else {
                throw refuse("'\(artefact.file)' has a size that no file can have")
            }
            let sum = total.addingReportingOverflow(size)
            guard !sum.overflow else { throw refuse("lists files of \(Int64.max) bytes and more together") }
            total = sum.partialValue
        }
        for role in [Role.sbom, .provenance] where artefacts.count(where: { $0.role == role }) > 1 {
            throw refuse("lists more than one artefact of role '\(role.rawValue)'")
        }
        if let name = envelopeName, !Self.isFileName(name) || !seen.insert(name.lowercased()).inserted {
            throw refuse("lists '\(name)', which is the name of a signature")
        }
        if let fault = BundleNode.fault(in: description, among: artefacts) { throw refuse(fault) }
        if let fault = MediumRecipe.fault(in: media, among: artefacts) { throw refuse(fault) }
    }

    /// What it says of where the bundle comes from, where it does.
    public var provenance: Artefact? { artefacts.first { $0.role == .provenance } }

    /// The name of the envelope in which the statement of ``provenance`` is signed; `nil` where there is no statement.
    public var envelopeName: String? {
        provenance.map { artefact in
            let suffix = ".provenance.json"
            let stem = artefact.file.hasSuffix(suffix) ? String(artefact.file.dropLast(suffix.count)) : artefact.file
            return "\(stem).intoto.jsonl"
        }
    }

    /// The names of the files that may sign the bundle; neither the manifest nor its checksums list them.
    public var signatureNames: [String] {
        [MinisignSignature.fileName, SSHSignature.fileName] + [envelopeName].compactMap { $0 }
    }

    /// The longest name that a file of a bundle may have, in bytes.
    public static let maximumNameBytes = 200

    /// Whether a file of a bundle may have the name: ASCII letters, digits and `. _ + ~ -`, beginning with a letter or
    /// digit, at most 200 bytes, and not a name that the bundle itself uses.
    public static func isFileName(_ name: String) -> Bool {
        let letters: (UInt8) -> Bool = { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
        guard let first = name.utf8.first, letters(first), name.utf8.count <= maximumNameBytes else { return false }
        guard name.utf8.allSatisfy({ letters($0) || "._+~-".utf8.contains($0) }) else { return false }
        let folded = name.lowercased()
        return folded != fileName && !folded.hasPrefix(ChecksumList.fileName.lowercased())
    }
}
