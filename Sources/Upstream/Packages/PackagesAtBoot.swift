public import Artefact
internal import ISOBuild
internal import Node
public import SystemPackage

/// What a node that boots from an image of Alpine finds there to install, and what it goes by.
public struct PackagesAtBoot: Hashable, Sendable {
    /// The packages on the image, whose index one of ``keys`` signed.
    public let index: PackageIndex
    /// The keys in the initramfs, by which the node knows indexes and packages.
    public let keys: AlpineKeys
    /// The words that init adds to every world: `alpine-base`, and `openssl` where it is to verify the modloop.
    ///
    /// What they take belongs to the closure: from a second repository apk takes the newest of theirs, too.
    public let addedWords: [String]

    /// A world with the words that init adds.
    public func world(_ words: [String]) -> [String] { words + addedWords.filter { !words.contains($0) } }
}

extension PackagesAtBoot {
    /// Reads what a node that boots from an image goes by when it installs packages.
    ///
    /// - Parameters:
    ///   - path: Alpine's image, or a medium that was made of it.
    ///   - kernel: What its kernel and initramfs are named after: `virt` or `lts`.
    ///   - architecture: Alpine's name of the processor.
    ///   - known: The digest of the image, and files that were read before: what an initramfs holds is read once.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/unsigned``, ``UpstreamError/Code/untrusted`` or
    ///   ``UpstreamError/Code/tampered`` where the node would not believe the index, so that it would boot without
    ///   packages, and what ``AlpineKeys/init(ofImage:initramfs:)`` throws; `ISOError` when the image cannot be read.
    public init(
        ofImage path: FilePath, kernel: String, architecture: String, knowing known: (Digest, VerifiedFiles)? = nil
    ) throws {
        let initramfs: InitramfsTrust
        if let extract = known.flatMap({ $1.extract(of: $0) }), let trust = InitramfsTrust(extract: extract) {
            initramfs = trust
        } else {
            initramfs = try InitramfsTrust(ofImage: path, initramfs: "boot/initramfs-\(kernel)")
            known.map { $1.note(extract: initramfs.extract, of: $0) }
        }
        let place = "apks/\(architecture)/APKINDEX.tar.gz"
        let reader = try ISOReader(path)
        guard let entry = try reader.entry(at: place), entry.kind == .file else {
            throw UpstreamError(.incomplete, subject: path.string, detail: "has no \(place)")
        }
        let archive = try reader.read(entry, limit: PackageIndex.maximumCompressedBytes)
        index = try PackageIndex(archive: archive, named: "\(path)(\(place))", trusting: initramfs.keys)
        keys = initramfs.keys
        addedWords = ["alpine-base"] + (initramfs.verifiesModloop ? ["openssl"] : [])
    }
}

extension AlpineImage {
    /// Reads what a node that boots from the image goes by when it installs packages.
    ///
    /// - Parameter verified: Files that were read before.
    /// - Returns: The index, verified, and the keys and words of the initramfs.
    /// - Throws: As ``PackagesAtBoot/init(ofImage:kernel:architecture:knowing:)``.
    public func packagesAtBoot(knowing verified: VerifiedFiles? = nil) throws -> PackagesAtBoot {
        try PackagesAtBoot(
            ofImage: path, kernel: kernelName, architecture: architecture.alpineName,
            knowing: verified.map { (digest, $0) })
    }
}
