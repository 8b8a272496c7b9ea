internal import Archive
internal import Artefact
internal import Bundle
internal import ISOBuild
public import SystemPackage
internal import Upstream

extension Side {
    /// Reads a bundle: its manifest, and each file that is looked into against it.
    ///
    /// Alpine's image and the binary are compared by their digests, and so are the files of a fleet's nodes where no node is
    /// chosen; to read every byte is for `verify`.
    ///
    /// - Parameters:
    ///   - path: The bundle's directory.
    ///   - name: What messages call it.
    ///   - choose: Which of a fleet's nodes is meant, among their names; `nil` for all.
    /// - Throws: `BundleError` for a manifest that cannot be read, or a file that is not as the manifest says; what `choose`
    ///   throws.
    public init(
        bundle path: FilePath, named name: String, choosing choose: ([String]) throws -> String? = { _ in nil }
    ) throws {
        self.init(.bundle, named: name)
        let bytes = try HostFile.read(path.appending(Manifest.fileName), limit: Manifest.maximumBytes)
        let manifest = try Manifest(decoding: bytes, named: path.appending(Manifest.fileName).string)
        let member = try choose(manifest.nodes.map(\.name))
        var about = manifest.description
        if let node = manifest.nodes.first(where: { $0.name == member }) {
            about.hostname = node.hostname
            about.nodes = []
        }
        describe(about)
        let own = manifest.artefacts.filter { member == nil || $0.node == nil || $0.node == member }
        size = own.reduce(0) { $0 &+ $1.size }
        var files: [Manifest.Role: FilePath] = [:]
        var found: [String: (size: UInt64, digest: Digest)] = [:]
        for artefact in own {
            let role = artefact.role.rawValue
            let isNamed = artefact.node == member
            found[isNamed ? role : artefact.node.map { "\(role) of \($0)" } ?? role] = (artefact.size, artefact.sha256)
            guard artefact.node == nil || isNamed else { continue }
            let file = path.pushing(FilePath(artefact.path))
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
        let medium = manifest.medium(.boot)
        if case .boot(_, let words) = (member.flatMap { medium?.of($0) } ?? medium)?.composition {
            arguments = ["boot medium": words]
        }
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
