internal import Archive
internal import Artefact
public import Bundle
internal import ISOBuild
public import SystemPackage

/// What a web server offers to nodes that boot over the network: the parts of Alpine's image under their own names, the
/// package repositories, the KubeSolo binary, and one overlay for each node, named after its hardware address or UUID: as
/// the kernel unpacks it into its first root, and as Alpine's init fetches it, for other boot loaders.
public struct NetbootTree: Sendable {
    /// The name of the overlay where the bundle is for one node.
    static let onlyNode = "node"
    /// The name of an overlay in the first root.
    static let overlayName = "ksbuild.apkovl.tar.gz"
    /// The name of the script that starts every node.
    static let script = "boot.ipxe"
    /// The name of the script that tells nodes apart by their UUIDs.
    static let scriptByUUID = "boot-by-uuid.ipxe"

    let bundle: FilePath
    let manifest: Manifest
    let address: String

    /// Takes a bundle that was verified.
    ///
    /// - Parameters:
    ///   - bundle: Its directory.
    ///   - manifest: Its manifest.
    ///   - address: The address under which the directory is served, `http://HOST/PATH`; what is below it is the version.
    ///   - allowsSecrets: Whether a bundle with secrets is laid out, too.
    /// - Throws: ``NetbootError`` where it cannot be booted over the network.
    public init(
        _ bundle: FilePath, _ manifest: Manifest, servedAt address: String, allowsSecrets: Bool = false
    ) throws(NetbootError) {
        let about = manifest.description
        let subject = "version \(about.version)"
        let base = address.hasSuffix("/") ? String(address.dropLast()) : address
        let isAddress =
            base.hasPrefix("http://") && base.utf8.count <= 200 && base.utf8.count > "http://".utf8.count
            && base.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"'\\${}#,&|".utf8.contains($0) }
        guard isAddress else {
            throw NetbootError(
                .usage, subject: "--url",
                detail: "takes the address under which the folder is served, http://HOST/PATH, without quotes and"
                    + " variables; Alpine's initramfs has no certificates for https")
        }
        guard allowsSecrets || !manifest.secrets else {
            throw NetbootError(
                .secrets, subject: subject,
                detail:
                    "holds secrets, and whoever reaches the server reads them; --allow-secrets publishes it all the same"
            )
        }
        guard about.alpine.flavor == "virt" else {
            throw NetbootError(
                .unbootable, subject: subject,
                detail:
                    "is of Alpine's flavour \(about.alpine.flavor), whose initramfs has no drivers for network cards;"
                    + " alpine.flavor: virt has them")
        }
        let unknown = manifest.nodes.filter { $0.hardwareAddress == nil && $0.uuid == nil }.map(\.name)
        guard unknown.isEmpty else {
            throw NetbootError(
                .unbootable, subject: subject,
                detail:
                    "has nodes that cannot be told apart over the network (\(unknown.listed(most: 5))); give each 'mac' or"
                    + " 'uuid'")
        }
        if case .boot(_, let words) = manifest.medium(.boot)?.composition,
            let odd = words.first(where: { $0.contains("${") || ["||", "&&"].contains($0) })
        {
            throw NetbootError(
                .unbootable, subject: subject,
                detail:
                    "tells its kernel '\(printable(odd))', which iPXE would take for its own; change kernel.parameters")
        }
        self.bundle = bundle
        self.manifest = manifest
        self.address = "\(base)/\(about.version)"
    }

    /// Where iPXE finds what it is to do, for the version published last.
    public var scriptAddress: String { String(address.dropLast(manifest.version.description.count)) + Self.script }

    /// The kernel's flavour, by which the files of Alpine's image are named.
    private var kernel: String { "virt" }

    /// The overlays by their names in the tree.
    var overlays: [(name: String, source: FilePath)] {
        let nodes = Dictionary(manifest.nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return manifest.artefacts.filter { $0.role == .overlay }.flatMap { artefact in
            let source = bundle.pushing(FilePath(artefact.path))
            guard let member = artefact.node else { return [(Self.onlyNode, source)] }
            let names = [nodes[member]?.hardwareAddress, nodes[member]?.uuid].compactMap { $0 }
            return names.map { ($0, source) }
        }
    }

    /// The scripts by their names; `boot.ipxe` tries every key that any node has.
    func scripts(repositories: [String]) -> [(name: String, text: String)] {
        let about = manifest.description
        var arguments: [String] = []
        if case .boot(_, let words) = manifest.medium(.boot)?.composition {
            arguments = words.filter { !$0.hasPrefix("apkovl=") }
        }
        let script = NetbootScript(
            title: "\(about.name) \(about.version)", address: address,
            root: String(address.dropLast(about.version.description.count + 1)), kernel: kernel,
            repositories: repositories, arguments: arguments)
        var keys: [NetbootScript.Key] = []
        if manifest.nodes.contains(where: { $0.hardwareAddress != nil }) { keys.append(.hardwareAddress) }
        if manifest.nodes.contains(where: { $0.uuid != nil }) { keys.append(.uuid) }
        let all = [(Self.script, keys)] + (keys.contains(.uuid) ? [(Self.scriptByUUID, [.uuid])] : [])
        return all.map { name, keys in (name, script.text(keys, named: name)) }
    }

    /// Writes everything but the scripts, which hold the address, below a directory that is there and empty; nothing is
    /// durable yet.
    ///
    /// - Returns: The places of the package repositories.
    /// - Throws: `BundleError`, `ISOError`, `ArchiveError` or `ArtefactError` where a part cannot be read or written.
    func write(into folder: FilePath, scratch: FilePath) throws -> [String] {
        func artefact(_ role: Manifest.Role) -> FilePath? {
            manifest.artefacts.first { $0.role == role && $0.node == nil }.map { bundle.appending($0.file) }
        }
        guard let image = artefact(.alpineISO), let binary = artefact(.kubesolo) else {
            throw NetbootError(
                .unbootable, subject: bundle.string, detail: "lacks Alpine's image or the KubeSolo binary")
        }
        var repositories = ["apks"]
        let reader = try ISOReader(image)
        let parts = ["vmlinuz", "initramfs", "modloop"].map { "\($0)-\(kernel)" }
        for entry in try reader.entries() where entry.kind == .file {
            let isPart = entry.path.hasPrefix("boot/") && parts.contains(String(entry.path.dropFirst(5)))
            guard isPart || entry.path.hasPrefix("apks/") else { continue }
            let place = isPart ? FilePath(String(entry.path.dropFirst(5))) : FilePath(entry.path)
            try copy(to: folder.pushing(place)) { sink in try reader.forEachChunk(of: entry, sink) }
        }
        for part in parts where !HostFile.exists(folder.appending(part)) {
            throw NetbootError(.unbootable, subject: image.string, detail: "lacks boot/\(part)")
        }
        if let packages = artefact(.packages) {
            for entry in try TarFile.extract(packages, into: scratch, origin: "packages").entries {
                guard case .file(let content) = entry.kind else { continue }
                let components = entry.path.components
                if components.last == ".boot_repository" {
                    repositories.append(components.dropLast().joined(separator: "/"))
                }
                try copy(to: folder.pushing(FilePath(entry.path.string))) { sink in try content.forEachChunk(sink) }
            }
        }
        try copy(to: folder.appending("kubesolo")) { sink in try HostFile.forEachChunk(of: binary, sink) }
        for overlay in overlays {
            let target = folder.appending("overlays").appending("\(overlay.name).apkovl.tar.gz")
            try copy(to: target) { sink in try HostFile.forEachChunk(of: overlay.source, sink) }
            var first = FileTree()
            try first.insert(
                TreeEntry(
                    path: EntryPath(Self.overlayName),
                    kind: .file(.file(target, size: try HostFile.status(of: target).size)), mode: .secret,
                    origin: "overlay"))
            try CPIOWriter.write(
                first, epoch: manifest.description.epoch,
                to: folder.appending("overlays").appending("\(overlay.name).cpio"), mode: .file, durability: .deferred)
        }
        return repositories
    }

    private func copy(to target: FilePath, _ body: ((Span<UInt8>) throws -> Void) throws -> Void) throws {
        try HostFile.makeDirectories(target.removingLastComponent())
        var file = try StagedFile(target)
        try body { chunk in try file.write(chunk) }
        try file.commit(durability: .deferred)
    }
}
