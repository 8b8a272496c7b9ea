public import Artefact

/// What a manifest or an index says of a blob: kind, digest and size (OCI image specification 1.1, `descriptor.md`).
public struct Descriptor: Hashable, Sendable {
    /// The media type.
    public var mediaType: String
    /// The digest; other algorithms than SHA-256 are not taken.
    public var digest: Digest
    /// The size in bytes, at most `Int64.max`.
    public var size: UInt64
    /// The kind of artefact, where this is a manifest of one.
    public var artifactType: String?
    /// What else is said of it.
    public var annotations: [String: String]
    /// Keys that mean nothing here and are kept: `platform`, `urls`, `data`.
    var others: [String: JSONValue] = [:]

    /// The annotation that names a blob's file.
    public static let title = "org.opencontainers.image.title"
    /// The annotation that names a manifest's tag in an image layout.
    public static let referenceName = "org.opencontainers.image.ref.name"

    /// Joins the parts.
    public init(
        mediaType: String, digest: Digest, size: UInt64, artifactType: String? = nil,
        annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.artifactType = artifactType
        self.annotations = annotations
    }

    /// Describes bytes at hand.
    public init(mediaType: String, of bytes: [UInt8], annotations: [String: String] = [:]) {
        self.init(mediaType: mediaType, digest: Digest(of: bytes), size: UInt64(bytes.count), annotations: annotations)
    }

    /// The digest as registries write it.
    public var name: String { "sha256:\(digest)" }

    /// The same blob without what is said of it besides.
    public var bare: Descriptor { Descriptor(mediaType: mediaType, digest: digest, size: size) }

    /// The empty configuration that every artefact has, `{}`.
    public static let empty = Descriptor(mediaType: "application/vnd.oci.empty.v1+json", of: emptyBytes)
    /// Its bytes.
    public static let emptyBytes = Array("{}".utf8)
}

extension Descriptor: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static let known: Set<String> = ["mediaType", "digest", "size", "artifactType", "annotations"]

    /// Reads a descriptor; a negative size and a digest of another algorithm are refused.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func refuse(_ key: String, _ why: String) -> DecodingError {
            DecodingError.dataCorruptedError(forKey: Key(key), in: container, debugDescription: why)
        }
        mediaType = try container.decode(String.self, forKey: Key("mediaType"))
        guard Self.isMediaType(mediaType) else { throw refuse("mediaType", "is no media type") }
        let text = try container.decode(String.self, forKey: Key("digest"))
        guard text.hasPrefix("sha256:"), text == text.lowercased(),
            let digest = try? Digest(hex: String(text.dropFirst(7)))
        else { throw refuse("digest", "is no 'sha256:' digest") }
        self.digest = digest
        let number = try container.decode(Int64.self, forKey: Key("size"))
        guard number >= 0 else { throw refuse("size", "is negative") }
        size = UInt64(number)
        artifactType = try container.decodeIfPresent(String.self, forKey: Key("artifactType"))
        annotations = try container.decodeIfPresent([String: String].self, forKey: Key("annotations")) ?? [:]
        for key in container.allKeys where !Self.known.contains(key.stringValue) {
            others[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
        }
    }

    /// Writes a descriptor; what is empty is left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(mediaType, forKey: Key("mediaType"))
        try container.encode(name, forKey: Key("digest"))
        try container.encode(size, forKey: Key("size"))
        try container.encodeIfPresent(artifactType, forKey: Key("artifactType"))
        if !annotations.isEmpty { try container.encode(annotations, forKey: Key("annotations")) }
        for (key, value) in others { try container.encode(value, forKey: Key(key)) }
    }

    /// `TYPE/SUBTYPE` of RFC 6838.
    static func isMediaType(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                (1...127).contains(part.utf8.count)
                    && part.utf8.allSatisfy { byte in
                        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                            || "!#$&-^_.+".utf8.contains(byte)
                    }
            }
    }
}
