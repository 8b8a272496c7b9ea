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

/// An image index, a list of manifests: OCI image specification 1.1, `image-index.md`.
///
/// It is also `index.json` of a
/// layout, and what stands under the tag of a subject where a registry has no list of referrers.
public struct ImageIndex: Hashable, Sendable {
    /// The media type of the document.
    public static let mediaType = "application/vnd.oci.image.index.v1+json"
    /// The most manifests that are read.
    public static let maximumManifests = 65_536

    /// The manifests.
    public var manifests: [Descriptor]
    private var others: [String: JSONValue] = [:]

    /// An index of these manifests.
    public init(_ manifests: [Descriptor] = []) { self.manifests = manifests }

    /// The text of this index.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument`` where it is too large.
    public func encoded() throws(RegistryError) -> [UInt8] {
        var document = others
        document["schemaVersion"] = .integer(2)
        document["mediaType"] = .text(Self.mediaType)
        return try ImageDocument.encoded(Wire(manifests: manifests, others: document), named: "index")
    }

    /// Reads an index; keys that mean nothing here are kept.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument``.
    public init(decoding bytes: [UInt8], named name: String) throws(RegistryError) {
        let wire = try ImageDocument.decoded(Wire.self, bytes, named: name)
        guard wire.others["schemaVersion"] == .integer(2),
            [nil, .text(Self.mediaType)].contains(wire.others["mediaType"])
        else { throw RegistryError(.invalidDocument, subject: name, detail: "is no OCI image index") }
        guard wire.manifests.count <= Self.maximumManifests else {
            throw RegistryError(
                .invalidDocument, subject: name, detail: "lists more than \(Self.maximumManifests) manifests")
        }
        manifests = wire.manifests
        others = wire.others
    }

    /// Puts a manifest in unless it is there.
    ///
    /// - Returns: Whether it is new.
    public mutating func insert(_ manifest: Descriptor) -> Bool {
        guard !manifests.contains(where: { $0.digest == manifest.digest }) else { return false }
        manifests.append(manifest)
        return true
    }

    private struct Wire: Codable {
        struct Key: CodingKey {
            let stringValue: String
            let intValue: Int? = nil
            init(_ text: String) { stringValue = text }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        let manifests: [Descriptor]
        let others: [String: JSONValue]

        init(manifests: [Descriptor], others: [String: JSONValue]) {
            self.manifests = manifests
            self.others = others
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            manifests = try container.decode([Descriptor].self, forKey: Key("manifests"))
            var others: [String: JSONValue] = [:]
            for key in container.allKeys where key.stringValue != "manifests" {
                others[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self.others = others
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(manifests, forKey: Key("manifests"))
            for (key, value) in others { try container.encode(value, forKey: Key(key)) }
        }
    }
}
