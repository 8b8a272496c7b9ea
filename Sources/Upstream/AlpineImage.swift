public import Artefact
internal import ISOBuild
public import Node
public import SystemPackage

/// An ISO image of Alpine that was read to its end and found to be what a node needs.
public struct AlpineImage: Hashable, Sendable {
    /// Where it stands.
    public let path: FilePath
    /// The release and flavour.
    public let release: AlpineRelease
    /// The architecture.
    public let architecture: Architecture
    /// The digest of the whole file.
    public let digest: Digest
    /// The size of the whole file in bytes.
    public let size: UInt64
    /// How the digest was found to be right.
    public let trust: Trust
    /// The label of the volume: `alpine-virt 3.23.6 x86_64`.
    public let volumeIdentifier: String
    /// The day on which it was made as the image writes it, `YYMMDD`; empty where it does not say.
    public let built: String
    /// The version of the kernel, `6.18.56-0-virt`, where its header says one (x86_64).
    public let kernelVersion: String?
    /// The packages on it.
    public let packages: PackageIndex

    /// What its kernel, initramfs and modloop are named after: `virt` or `lts`.
    public var kernelName: String { release.flavor == .virt ? "virt" : "lts" }

    /// Verifies an image: what it says it is, every byte of it, and that a node can boot from it and install its world.
    ///
    /// The file is read once. A file that is another thing than the recipe names says so before its digest is looked at,
    /// for a digest that differs says nothing about why; a file that ends early says that before anything.
    ///
    /// - Parameters:
    ///   - path: The image.
    ///   - release: What it must be; its `sha256`, where there is one, is the digest that it must have.
    ///   - architecture: The processor it must be for.
    ///   - world: The words of the node's `/etc/apk/world`, each of which the image must satisfy.
    ///   - checksumFile: A list to take the digest from where nothing is pinned; by default `PATH.sha256`, else
    ///     `PATH.sha512`, where one is there.
    ///   - verified: Files that were read before; one that has not changed since is not read to its end again.
    ///   - progress: Called now and then with the bytes that have been read and those there are.
    /// - Returns: What the image is and holds.
    /// - Throws: ``UpstreamError`` with the reason that helps most, or `ArtefactError` when a file cannot be read.
    public static func verify(
        _ path: FilePath, release: AlpineRelease, architecture: Architecture, world: [String],
        checksumFile: FilePath? = nil, knowing verified: VerifiedFiles? = nil,
        progress: ((_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws -> AlpineImage {
        let wanted = AlpineIdentity(release, architecture)
        var suspicion: UpstreamError?
        var identity: AlpineIdentity?
        do {
            let image = try AlpineMedium(path)
            identity = try image.identity()
            try identity?.require(wanted, subject: path.string)
        } catch let error as UpstreamError where error.code == .malformed {
            suspicion = error
        }
        let expectation = try Expectation.ofImage(path, named: wanted.imageName, pin: release.sha256, checksumFile)
        let digests = try FileDigests(
            of: path, sha512: expectation.needsSHA512, knowing: verified, progress: progress)
        guard expectation.isMet(by: digests) else {
            throw UpstreamError(
                .tampered, subject: path.string,
                detail: "differs from what is expected and is not cut short: \(expectation.contradiction(to: digests))"
                    + "; fetch it again, and if that does not help, do not use it")
        }
        if let suspicion { throw suspicion }
        let image = try AlpineMedium(path)
        let contents = try image.contents(wanted)
        try digests.requireSame(path)
        try contents.packages.requireWorld(world, on: wanted, subject: path.string)
        return AlpineImage(
            path: path, release: release, architecture: architecture, digest: digests.sha256, size: digests.size,
            trust: expectation.trust, volumeIdentifier: image.volumeIdentifier, built: identity?.built ?? "",
            kernelVersion: contents.kernelVersion, packages: contents.packages)
    }
}

extension Expectation {
    /// What the digest of an image should be: the pin, else the list that was named, else a list beside the image.
    fileprivate static func ofImage(
        _ path: FilePath, named upstreamName: String, pin: Digest?, _ list: FilePath?
    ) throws -> Expectation {
        if let pin { return .pin(pin) }
        let name = path.lastComponent?.string ?? path.string
        let beside = ChecksumFile.Algorithm.allCases.map { FilePath("\(path.string).\($0.rawValue)") }
        guard let file = list ?? beside.first(where: { HostFile.exists($0) }) else { return .none }
        let sums = try ChecksumFile(file)
        for algorithm in ChecksumFile.Algorithm.allCases {
            for candidate in [name, upstreamName] {
                if let entry = sums.entry(for: candidate, algorithm) { return .listed(entry, in: file) }
            }
        }
        return .listed(try sums.requiredEntry(for: name), in: file)
    }
}
