public import Artefact
internal import Glibc
public import SystemPackage

/// An OCI image layout 1.1 in a directory: `oci-layout`, `index.json` and `blobs/sha256/DIGEST`.
///
/// Blobs are written first, each durably; `index.json` is replaced last, under a lock (`flock(2)` on the directory), so
/// that a reader finds the former list or the new one and never a manifest whose blobs are missing. Tags are the
/// annotation `org.opencontainers.image.ref.name`, as `skopeo` and `oras` have it.
public final class ImageLayout: Repository {
    /// The directory.
    public let path: FilePath
    private static let marker = "{\"imageLayoutVersion\":\"1.0.0\"}"
    private static let markerName = "oci-layout"
    private static let indexName = "index.json"

    /// Names a layout; nothing is read or made yet.
    public init(_ path: FilePath) { self.path = path }

    /// The directory.
    public var name: String { "oci-layout:\(path)" }

    private var blobs: FilePath { path.appending("blobs").appending("sha256") }
    private func blob(_ digest: Digest) -> FilePath { blobs.appending(digest.hex) }

    /// Makes the directory and what every layout has, where it is not there.
    ///
    /// - Throws: `ArtefactError`, or ``RegistryError`` with ``RegistryError/Code/wrongType`` where something else is
    /// there.
    public func create() throws {
        if HostFile.exists(path), !HostFile.exists(path.appending(Self.markerName)) {
            let names = try HostFile.names(in: path).filter { name in
                // What a first command that was killed may have left.
                name != "blobs" && !name.hasPrefix(".\(Self.indexName).") && !name.hasPrefix(".\(Self.markerName).")
                    && (name != Self.indexName || (try? index(of: path.appending(name)))?.isEmpty != true)
            }
            guard names.isEmpty else {
                throw RegistryError(
                    .wrongType, subject: path.string,
                    detail:
                        "holds other files and is no OCI image layout (no "
                        + "'\(Self.markerName)'); name an empty directory"
                )
            }
        }
        try HostFile.makeDirectories(blobs)
        if HostFile.exists(path.appending(Self.markerName)) { return try requireLayout() }
        try exclusively {
            if !HostFile.exists(path.appending(Self.indexName)) { try replace(ImageIndex()) }
            // Without this file it is no layout: it comes last.
            try StagedFile.write(Array(Self.marker.utf8), to: path.appending(Self.markerName))
        }
    }

    private struct Marker: Decodable { let imageLayoutVersion: String }

    private func requireLayout() throws {
        let file = path.appending(Self.markerName)
        guard HostFile.exists(file) else {
            throw RegistryError(
                .notFound, subject: path.string, detail: "no OCI image layout is there (no '\(Self.markerName)')")
        }
        let marker = try ImageDocument.decoded(Marker.self, HostFile.read(file, limit: 4096), named: file.string)
        guard marker.imageLayoutVersion == "1.0.0" else {
            throw RegistryError(
                .wrongType, subject: file.string,
                detail: "is of version '\(marker.imageLayoutVersion.prefix(40))', but this ksbuild reads 1.0.0")
        }
    }

    private func index() throws -> ImageIndex {
        try requireLayout()
        return try index(of: path.appending(Self.indexName))
    }

    private func index(of file: FilePath) throws -> ImageIndex {
        try ImageIndex(decoding: HostFile.read(file, limit: ImageDocument.maximumBytes), named: file.string)
    }

    private func replace(_ index: ImageIndex) throws {
        try StagedFile.write(try index.encoded(), to: path.appending(Self.indexName))
    }

    private func exclusively<Result>(_ body: () throws -> Result) throws -> Result {
        let folder = try HostFile.open(path)
        defer { try? folder.close() }
        while flock(folder.rawValue, LOCK_EX) != 0 {
            let reason = Errno(rawValue: errno)
            guard reason == .interrupted else { throw ArtefactError.system("lock", path, reason) }
        }
        return try body()
    }

    /// Whether the blob is there with the bytes that its name says: a name is no proof.
    private func isWhole(_ blob: Descriptor) -> Bool {
        let file = self.blob(blob.digest)
        guard let status = try? HostFile.status(of: file, followingLinks: false), status.kind == .file,
            status.size == blob.size
        else { return false }
        return (try? Digest(ofFile: file)) == blob.digest
    }

    /// Copies a blob in, durably, unless it is there and good.
    ///
    /// - Throws: `ArtefactError`; ``RegistryError`` with ``RegistryError/Code/wrongBytes`` where the source changed.
    public func push(_ blob: Descriptor, from source: BlobSource) async throws -> Movement {
        guard !isWhole(blob) else { return .present }
        var file = try StagedFile(self.blob(blob.digest))
        var mode = EntryMode(0o444)
        switch source {
        case .bytes(let bytes): try file.write(bytes)
        case .file(let path, let isSecret):
            try file.copy(path, size: blob.size)
            if isSecret { mode = EntryMode(0o400) }
        }
        try file.readBack { copy in
            guard try Digest(ofFile: copy) == blob.digest else {
                throw RegistryError(
                    .wrongBytes, subject: blob.name,
                    detail: "reads back with other bytes; its source changed, or the disk fails")
            }
        }
        try file.commit(mode: mode)
        return .sent(blob.size)
    }

    /// Writes a manifest and, for a tag, puts it into `index.json` in place of what had the tag.
    public func push(manifest bytes: [UInt8], mediaType: String, as name: ManifestName) async throws -> Bool {
        var descriptor = Descriptor(mediaType: mediaType, of: bytes)
        _ = try await push(descriptor, from: .bytes(bytes))
        guard case .tag(let tag) = name else { return false }
        if mediaType == ImageManifest.mediaType {
            descriptor.artifactType = try ImageManifest(decoding: bytes, named: tag).artifactType
        }
        descriptor.annotations[Descriptor.referenceName] = tag
        try exclusively {
            var index = try index()
            if index.retag(descriptor) { try replace(index) }
        }
        return false
    }

    /// The manifest of a tag or digest.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/wrongBytes`` where the blob is damaged.
    public func manifest(_ name: ManifestName) async throws -> FoundManifest? {
        let index = try index()
        let listed: Descriptor?
        switch name {
        case .tag(let tag):
            listed = try index.manifest(tagged: tag, named: path.appending(Self.indexName).string)
            guard listed != nil else { return nil }
        case .digest(let digest): listed = index.manifests.first { $0.digest == digest }
        }
        let digest: Digest
        if case .digest(let wanted) = name { digest = wanted } else { digest = listed?.digest ?? Digest(of: []) }
        let file = blob(digest)
        guard HostFile.exists(file) else {
            guard listed == nil else { throw missing(digest) }
            return nil
        }
        let bytes = try HostFile.read(file, limit: ImageDocument.maximumBytes)
        guard Digest(of: bytes) == digest else { throw damaged(digest) }
        return FoundManifest(bytes, mediaType: listed?.mediaType ?? ImageManifest.mediaType)
    }

    /// Copies a blob out and judges it on the way.
    public func fetch(_ blob: Descriptor, into partial: FilePath) async throws {
        let source = self.blob(blob.digest)
        guard HostFile.exists(source) else { throw missing(blob.digest) }
        guard try HostFile.status(of: source).size == blob.size else { throw damaged(blob.digest) }
        var file = try StagedFile(partial)
        try file.copy(source, size: blob.size)
        try file.readBack { copy in
            guard try Digest(ofFile: copy) == blob.digest else { throw damaged(blob.digest) }
        }
        try file.commit(mode: EntryMode(0o600))
    }

    /// The tags in byte order, all of them whatever the pages.
    public func tags(pages: Int) async throws -> [String] {
        try index().tags.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Always `nil`: a layout has no list but the tag's.
    public func listedReferrers(of subject: Digest) async throws -> [Descriptor]? { nil }

    private func missing(_ digest: Digest) -> RegistryError {
        RegistryError(
            .notFound, subject: name, detail: "blob sha256:\(digest) is not there; publish or copy the bundle again")
    }

    private func damaged(_ digest: Digest) -> RegistryError {
        RegistryError(
            .wrongBytes, subject: name,
            detail: "blob sha256:\(digest) has other bytes than its name says; publish or copy the bundle again")
    }
}
