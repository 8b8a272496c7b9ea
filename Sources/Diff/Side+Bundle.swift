internal import Archive
internal import Artefact
internal import Bundle
internal import ISOBuild
public import SystemPackage
internal import Upstream

extension Side {
    /// Reads a bundle: its manifest, and each file that is looked into against it.
    ///
    /// Alpine's image, the binary and the files of a fleet's nodes are compared by their digests; to read every byte is for
    /// `verify`.
    ///
    /// - Parameters:
    ///   - path: The bundle's directory.
    ///   - name: What messages call it.
    /// - Throws: `BundleError` for a manifest that cannot be read, or a file that is not as the manifest says.
    public init(bundle path: FilePath, named name: String) throws {
        self.init(.bundle, named: name)
        let bytes = try HostFile.read(path.appending(Manifest.fileName), limit: Manifest.maximumBytes)
        let manifest = try Manifest(decoding: bytes, named: path.appending(Manifest.fileName).string)
        describe(manifest.description)
        size = manifest.size
        var files: [Manifest.Role: FilePath] = [:]
        var found: [String: (size: UInt64, digest: Digest)] = [:]
        for artefact in manifest.artefacts {
            let role = artefact.role.rawValue
            found[artefact.node.map { "\(role) of \($0)" } ?? role] = (artefact.size, artefact.sha256)
            guard artefact.node == nil else { continue }
            let file = path.appending(artefact.file)
            files[artefact.role] = file
            guard [.overlay, .seed, .packages].contains(artefact.role), try Digest(ofFile: file) != artefact.sha256
            else { continue }
            throw BundleError(
                .mismatch, subject: file.string, detail: "is not as it was published; see ksbuild verify \(path.string)"
            )
        }
        artefacts = found
        if let overlay = files[.overlay] { try take(overlay: overlay) }
        if let seed = files[.seed] {
            try take(entries: ISOReader(seed), as: "seed") { $0.hasSuffix(".apkovl.tar.gz") }
        }
        if case .boot(_, let words) = manifest.medium(.boot)?.composition { arguments = ["boot medium": words] }
        if let image = files[.alpineISO], let world {
            let architecture = manifest.description.architecture
            let boot = try PackagesAtBoot(
                ofImage: image, kernel: manifest.description.alpine.flavor == "virt" ? "virt" : "lts",
                architecture: architecture)
            packages = Self.installed(
                boot.world(world),
                from: [.init(name: image.string, index: boot.index)] + (try files[.packages].map(Self.indexes) ?? []),
                architecture: architecture)
        }
    }

    /// The indexes of the repositories that come with Alpine's image.
    private static func indexes(_ packages: FilePath) throws -> [PackageResolver.Repository] {
        var found: [PackageResolver.Repository] = []
        var tar = try ArchiveReader(packages)
        while let member = try tar.next() {
            guard member.kind == .file, member.name.hasSuffix("/APKINDEX.tar.gz") else { continue }
            let archive = try tar.read(limit: PackageIndex.maximumCompressedBytes)
            found.append(
                .init(name: member.name, index: try PackageIndex(archive: archive, named: member.name)))
        }
        return found
    }
}
