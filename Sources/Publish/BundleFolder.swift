public import Artefact
public import Bundle
internal import Registry
public import SystemPackage

/// A bundle's directory, every byte of which was read and found to be as it was made.
public struct BundleFolder: Sendable {
    /// A file of it.
    public struct File: Hashable, Sendable {
        /// Its path in the directory.
        public let path: String
        /// Its size in bytes.
        public let size: UInt64
        /// Its digest.
        public let sha256: Digest
        /// Its permission bits.
        public let mode: EntryMode
        /// What it is for, where the manifest says.
        public let role: Manifest.Role?

        /// Whether only its owner may read it.
        public var isSecret: Bool { mode.bits & 0o077 == 0 }
    }

    /// Where it is.
    public let path: FilePath
    /// What it says of itself.
    public let manifest: Manifest
    /// All its files, sorted by the bytes of their paths.
    public let files: [File]
    /// Who signed it.
    public let signature: BundleSignature

    /// Reads a bundle.
    ///
    /// - Parameters:
    ///   - path: Its directory.
    ///   - version: The version that it must have, where that is known.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    /// - Throws: ``PublishError`` with ``PublishError/Code/damaged`` and the first finding; `BundleError`,
    /// `ArtefactError`.
    public init(_ path: FilePath, expecting version: Version? = nil, trusting keys: [MinisignPublicKey] = []) throws {
        let reading = try BundleVerification.read(path, expecting: version, trusting: keys)
        guard reading.isGood, let manifest = reading.manifest else {
            let more = reading.findings.count > 1 ? " and \(reading.findings.count - 1) more findings" : ""
            throw PublishError(
                .damaged, subject: path.string,
                detail: "is not as it was made (\(reading.findings.first?.description ?? "no manifest")\(more)); "
                    + "'ksbuild verify' lists everything")
        }
        var files = manifest.artefacts.map {
            File(path: $0.path, size: $0.size, sha256: $0.sha256, mode: $0.mode, role: $0.role)
        }
        // What a good bundle holds besides is manifest, checksums and signatures.
        let listed = Set(manifest.artefacts.map { $0.path.split(separator: "/").first.map(String.init) ?? $0.path })
        for name in try HostFile.names(in: reading.path) where !listed.contains(name) {
            let limit = BundleStore.signatureLimit(name, of: manifest) ?? Manifest.maximumBytes
            let bytes = try HostFile.read(reading.path.appending(name), limit: limit)
            files.append(
                File(
                    path: name, size: UInt64(bytes.count), sha256: Digest(of: bytes), mode: EntryMode(0o444), role: nil)
            )
        }
        self.path = reading.path
        self.manifest = manifest
        self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        signature = reading.signature
    }
}
