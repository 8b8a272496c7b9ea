internal import Archive
public import Artefact
public import Node
public import SystemPackage

/// The apkovl: what Alpine's init unpacks over the release at every boot, made from a resolved node.
///
/// It is complete for a diskless boot without `etc/.default_boot_services`: that marker would let init add tiny-cloud
/// as soon as a volume labelled `cidata` is there (`initramfs-init.in`). The scripts and fixed files come from
/// `overlays/base`, values reach them through files of shell assignments, and the layers of the recipe are laid over.
public struct Overlay: Sendable {
    /// Everything that goes into the overlay.
    public let tree: FileTree
    /// What the layers replaced, in the order in which it happened.
    public let covered: [CoveredEntry]
    /// The words of `/etc/apk/world`, sorted: the packages of the node and those that its network needs.
    public let world: [String]
    /// What works otherwise than the user may expect, one line each.
    public let warnings: [String]
    private let epoch: Int64
    private let sources: OverlaySources

    /// Makes the overlay of a node.
    ///
    /// - Parameters:
    ///   - node: The node, all choices made.
    ///   - binary: The KubeSolo binary that the node accepts; `nil` lets it take the one on the medium as it is.
    ///   - packageKeys: Public keys that vouch for packages besides Alpine's, by file name.
    ///   - sources: What is the same for every node: ksbuild's own files and the layers.
    /// - Throws: ``OverlayError`` for values that contradict each other or cannot be written and for unusual layers,
    ///   ``ArtefactError`` for files that cannot be read and for layers that do not fit the tree.
    public init(
        node: NodeImage, binary: BinaryPin?, packageKeys: [(name: String, text: String)] = [],
        sources: OverlaySources
    ) throws {
        var tree = sources.base
        var warnings: [String] = []
        world = Self.world(node)
        try tree.addNames(node)
        try tree.addNetwork(node.network, hostname: node.hostname)
        try tree.addAccess(node.access, node: node)
        try tree.addDataDisk(node.dataDisk)
        try tree.addKubeSolo(node, binary: binary)
        try tree.addRegistries(node.registries)
        try tree.addConsoles(node.consoles)
        try tree.addPackages(world: world, repositories: node.repositories)
        for key in packageKeys { try tree.addFile("etc/apk/keys/\(key.name)", key.text, origin: "packages") }
        try tree.addRelease(node, binary: binary)
        try tree.addRunlevels(packages: node.packages)
        warnings += Self.warnings(node, binary: binary)
        var covered: [CoveredEntry] = []
        for layer in node.layers {
            let origin = OverlaySources.origin(of: layer)
            for entry in try sources.entries(of: layer) {
                let (kept, warning) = LayerDirectory.fit(entry, over: tree[entry.path])
                if let warning { warnings.append(warning) }
                guard let previous = try tree.overlay(kept) else { continue }
                covered.append(CoveredEntry(path: entry.path, layer: origin, previous: previous.origin))
            }
        }
        try tree.addKubectlSettings(node.dataDisk)
        self.tree = tree
        self.covered = covered
        self.warnings = warnings
        epoch = node.stamp.epoch
        self.sources = sources
    }

    /// The name of the overlay outside a bundle: init takes any `*.apkovl.tar.gz` in the root of a medium.
    ///
    /// It is named after the host, and in a fleet after the node, whose host name may be another.
    public static func fileName(_ node: NodeImage) -> String { "\(node.member ?? node.hostname).apkovl.tar.gz" }
}

/// A file of the overlay that a layer replaced.
public struct CoveredEntry: Hashable, Sendable {
    /// Where it stands.
    public let path: EntryPath
    /// The layer whose file stands there now.
    public let layer: String
    /// Who had put the earlier one there.
    public let previous: String

    /// Joins the parts.
    public init(path: EntryPath, layer: String, previous: String) {
        self.path = path
        self.layer = layer
        self.previous = previous
    }
}

extension Overlay {
    /// Writes the overlay as one gzip member, durably; 0600 where anything in it is a secret.
    ///
    /// The files that ksbuild brings along come first, then all others, both in the order of ``FileTree``.
    ///
    /// - Parameters:
    ///   - target: Where it will stand.
    ///   - durability: When it lasts through a power failure.
    ///   - check: Reads the finished overlay before it appears.
    /// - Returns: What was written, with its SHA-256.
    /// - Throws: ``ArtefactError``, what ``TarGzip`` throws and what `check` throws, which all leave what was at
    ///   `target` in place.
    public func write(
        to target: FilePath, durability: StagedFile.Durability = .immediate,
        check: (FilePath) throws -> Void = { _ in }
    ) throws -> WrittenFile {
        try TarGzip.write(
            tree, after: sources.beginning(of: tree, epoch: epoch), to: target,
            mode: tree.holdsSecrets ? .secret : .file, durability: durability, check: check)
    }
}
