internal import Artefact
internal import Bundle
internal import FoundationEssentials
internal import Registry

/// A bundle as an artefact of the OCI image specification 1.1, and what refers to it.
///
/// The same bundle gives the same manifests, byte for byte: annotations come from the bundle alone.
struct BundleArtefact {
    /// The kind of the artefact that a bundle is.
    static let type = "application/vnd.ksbuild.bundle.v1"
    /// The annotation with the version.
    static let version = "org.opencontainers.image.version"
    /// The annotation with the time.
    static let created = "org.opencontainers.image.created"

    let manifest: ImageManifest
    let bytes: [UInt8]
    let descriptor: Descriptor
    /// The manifests that refer to this one: bill of materials, provenance, signatures.
    let referrers: [ImageManifest]

    /// Describes a bundle.
    ///
    /// - Throws: `RegistryError` where it has too many files for a manifest.
    init(_ bundle: BundleFolder) throws {
        let description = bundle.manifest.description
        let layers = bundle.files.map { file in
            Descriptor(
                mediaType: Self.mediaType(of: file), digest: file.sha256, size: file.size,
                annotations: [Descriptor.title: file.path])
        }
        var annotations = [
            Descriptor.title: "\(description.name)-\(description.version)-\(description.architecture)",
            Self.version: description.version.description,
        ]
        // RFC 3339 has no year of five digits.
        if description.epoch < 253_402_300_800 {
            annotations[Self.created] = Date(timeIntervalSince1970: Double(description.epoch)).ISO8601Format()
        }
        manifest = ImageManifest(artifactType: Self.type, layers: layers, annotations: annotations)
        bytes = try manifest.encoded()
        let descriptor = Descriptor(mediaType: ImageManifest.mediaType, of: bytes)
        self.descriptor = descriptor
        func referrer(_ type: String, _ layers: [Descriptor]) -> ImageManifest? {
            guard !layers.isEmpty else { return nil }
            return ImageManifest(artifactType: type, layers: layers, subject: descriptor, annotations: annotations)
        }
        let bills = layers.filter { $0.mediaType == Self.billOfMaterials }
        let statements = layers.filter { $0.mediaType == Self.statement }
        let envelopes = layers.filter { $0.mediaType == Self.envelope }
        let signatures = layers.filter { $0.mediaType.hasPrefix(Self.signature) }
        referrers = [
            referrer(Self.billOfMaterials, bills),
            // What is signed says the same as the bare statement, and who says it.
            referrer(Self.statement, envelopes.isEmpty ? statements : envelopes),
            referrer(Self.signature, signatures),
        ].compactMap { $0 }
    }

    private static let billOfMaterials = "application/spdx+json"
    private static let statement = "application/vnd.in-toto+json"
    private static let envelope = "application/vnd.dsse.envelope.v1+json"
    private static let signature = "application/vnd.ksbuild.signature.v1"

    /// What kind of file a file of a bundle is.
    private static func mediaType(of file: BundleFolder.File) -> String {
        guard let role = file.role else {
            switch file.path {
            case Manifest.fileName: return "application/vnd.ksbuild.manifest.v1+json"
            case ChecksumList.fileName: return "text/plain"
            case _ where file.path.hasSuffix(".intoto.jsonl"): return envelope
            case SSHSignature.fileName: return "\(signature)+sshsig"
            default: return "\(signature)+minisign"
            }
        }
        switch role.rawValue {
        case "overlay": return "application/vnd.ksbuild.overlay.v1.tar+gzip"
        case "sbom": return billOfMaterials
        case "provenance": return statement
        case let name: return "application/vnd.ksbuild.\(name).v1"
        }
    }
}
