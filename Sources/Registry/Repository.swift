public import Artefact
public import SystemPackage

/// Where the bytes of a blob are.
public enum BlobSource: Hashable, Sendable {
    /// At hand.
    case bytes([UInt8])
    /// In a file, whose bytes are those of the descriptor.
    case file(FilePath, isSecret: Bool = false)
}

/// What sending a blob came to.
public enum Movement: Hashable, Sendable {
    /// So many bytes were sent.
    case sent(UInt64)
    /// It was there already.
    case present
    /// The registry took it from another of its repositories.
    case mounted
}

/// A manifest as it stands somewhere.
public struct FoundManifest: Hashable, Sendable {
    /// What it is.
    public let descriptor: Descriptor
    /// Its bytes, whose digest is the descriptor's.
    public let bytes: [UInt8]

    init(_ bytes: [UInt8], mediaType: String) {
        descriptor = Descriptor(mediaType: mediaType, of: bytes)
        self.bytes = bytes
    }
}

/// How a manifest is named.
public enum ManifestName: Hashable, Sendable, CustomStringConvertible {
    /// By a tag, which may come to name another one.
    case tag(String)
    /// By its digest.
    case digest(Digest)

    /// As registries write it.
    public var description: String {
        switch self {
        case .tag(let tag): tag
        case .digest(let digest): "sha256:\(digest)"
        }
    }
}

/// Blobs and manifests in one place: a repository of a registry, or an image layout in a directory.
///
/// Whoever writes sends blobs first and the tag last; a reader never finds a manifest whose blobs are not there.
public protocol Repository: AnyObject {
    /// What messages call it.
    var name: String { get }

    /// Sends a blob unless it is there.
    func push(_ blob: Descriptor, from source: BlobSource) async throws -> Movement
    /// Sends a manifest and gives it a name; its blobs are there.
    ///
    /// - Returns: Whether the place keeps a list of what refers to a manifest and has put this one on it.
    func push(manifest bytes: [UInt8], mediaType: String, as name: ManifestName) async throws -> Bool
    /// The manifest or index of a name, or `nil` where there is none.
    func manifest(_ name: ManifestName) async throws -> FoundManifest?
    /// Brings a blob; what is in the file of an earlier attempt is its beginning.
    func fetch(_ blob: Descriptor, into partial: FilePath) async throws
    /// The tags in byte order.
    ///
    /// - Parameter pages: The most pages of 1000 that are asked for where the place gives them out so.
    /// - Returns: The tags, each once.
    /// - Throws: ``RegistryError``, `TransferError`, `ArtefactError`.
    func tags(pages: Int) async throws -> [String]
    /// The manifests that refer to one, as the place lists them, or `nil` where it has no such list.
    func listedReferrers(of subject: Digest) async throws -> [Descriptor]?
}

extension Repository {
    /// The tag under which referrers are listed where there is no list (OCI distribution specification 1.1,
    /// "Referrers Tag Schema").
    public static func referrersTag(of subject: Digest) -> String { "sha256-\(subject)" }

    /// Sends a manifest that refers to another one, and sees to it that it is found from there.
    public func push(referrer manifest: ImageManifest, of subject: Digest) async throws -> Descriptor {
        let bytes = try manifest.encoded()
        var descriptor = Descriptor(mediaType: ImageManifest.mediaType, of: bytes, annotations: manifest.annotations)
        descriptor.artifactType = manifest.kind
        let isListed = try await push(
            manifest: bytes, mediaType: ImageManifest.mediaType, as: .digest(descriptor.digest))
        guard !isListed else { return descriptor }
        let tag = Self.referrersTag(of: subject)
        var index = ImageIndex()
        if let found = try await self.manifest(.tag(tag)) {
            index = try ImageIndex(decoding: found.bytes, named: "\(name):\(tag)")
        }
        guard index.insert(descriptor) else { return descriptor }
        _ = try await push(manifest: try index.encoded(), mediaType: ImageIndex.mediaType, as: .tag(tag))
        return descriptor
    }

    /// The manifests that refer to one, wherever they are listed.
    public func referrers(of subject: Digest) async throws -> [Descriptor] {
        if let listed = try await listedReferrers(of: subject), !listed.isEmpty { return listed }
        let tag = Self.referrersTag(of: subject)
        guard let found = try await manifest(.tag(tag)) else { return [] }
        return try ImageIndex(decoding: found.bytes, named: "\(name):\(tag)").manifests
    }
}
