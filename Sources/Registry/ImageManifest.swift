internal import Artefact

/// An image manifest, which is also the form of every other artefact (OCI image specification 1.1, `manifest.md`).
public struct ImageManifest: Hashable, Sendable {
    /// The media type of the document.
    public static let mediaType = "application/vnd.oci.image.manifest.v1+json"
    /// The most layers that are read.
    public static let maximumLayers = 16_384

    /// The kind of artefact; what images have in its place is the media type of their configuration.
    public var artifactType: String?
    /// The configuration; ``Descriptor/empty`` where there is none.
    public var config: Descriptor
    /// The files.
    public var layers: [Descriptor]
    /// The manifest that this one says something of.
    public var subject: Descriptor?
    /// What is said of the whole.
    public var annotations: [String: String]

    /// An artefact without a configuration.
    public init(
        artifactType: String, layers: [Descriptor], subject: Descriptor? = nil, annotations: [String: String] = [:]
    ) {
        self.artifactType = artifactType
        config = .empty
        self.layers = layers
        self.subject = subject
        self.annotations = annotations
    }

    /// The kind, whichever way it is said.
    public var kind: String { artifactType ?? config.mediaType }

    /// The one text of this manifest.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument`` where it is too large.
    public func encoded() throws(RegistryError) -> [UInt8] {
        try ImageDocument.encoded(
            Wire(
                schemaVersion: 2, mediaType: Self.mediaType, artifactType: artifactType, config: config, layers: layers,
                subject: subject, annotations: annotations.isEmpty ? nil : annotations), named: "manifest")
    }

    /// Reads a manifest in any order and spacing.
    ///
    /// - Parameters:
    ///   - bytes: The document.
    ///   - name: What messages call it.
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument``, or ``RegistryError/Code/wrongType``
    /// where
    ///   it is an index or of another schema.
    public init(decoding bytes: [UInt8], named name: String) throws(RegistryError) {
        let head = try ImageDocument.decoded(Head.self, bytes, named: name)
        guard head.schemaVersion == 2, [Self.mediaType, nil].contains(head.mediaType) else {
            throw RegistryError(
                .wrongType, subject: name,
                detail:
                    "is no OCI image manifest but "
                    + "'\((head.mediaType ?? "schema \(head.schemaVersion ?? 0)").prefix(100))'; "
                    + "name the tag of a bundle")
        }
        let wire = try ImageDocument.decoded(Wire.self, bytes, named: name)
        guard wire.layers.count <= Self.maximumLayers else {
            throw RegistryError(
                .invalidDocument, subject: name, detail: "has more than \(Self.maximumLayers) layers")
        }
        artifactType = wire.artifactType
        config = wire.config
        layers = wire.layers
        subject = wire.subject
        annotations = wire.annotations ?? [:]
    }

    private struct Head: Decodable { let schemaVersion: Int?, mediaType: String? }

    private struct Wire: Codable {
        let schemaVersion: Int
        let mediaType: String?
        let artifactType: String?
        let config: Descriptor
        let layers: [Descriptor]
        let subject: Descriptor?
        let annotations: [String: String]?
    }
}
