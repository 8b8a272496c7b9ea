internal import Archive
public import Artefact
internal import Synchronization
public import SystemPackage

/// What overlays are made of besides the node: the files that ksbuild brings along, and the layers.
///
/// It is read once, however many nodes a fleet has; a layer is read when the first node asks for it.
public struct OverlaySources: Sendable {
    /// The files that go into every overlay.
    let base: FileTree
    private let layers: [FilePath: [TreeEntry]]
    private let latest = LatestBeginning()

    /// The directory below `resources` that goes into every overlay.
    static let baseName = "base"
    /// The largest file that is kept in memory, in bytes; others are read for each overlay.
    private static let keptBytes: UInt64 = 64 << 10

    /// Reads the files that go into every overlay.
    ///
    /// - Parameters:
    ///   - resources: The `overlays` directory that ksbuild brings along.
    ///   - layers: Layers that are read now, for many overlays.
    /// - Throws: ``OverlayError`` where the files are not there or a layer cannot be carried, ``ArtefactError`` where
    ///   something cannot be read.
    public init(resources: FilePath, layers: Set<FilePath> = []) throws {
        let root = resources.appending(Self.baseName)
        guard HostFile.exists(root.pushing("etc/init.d/kubesolo")) else {
            throw OverlayError(
                .missingResources, subject: root.string,
                detail: "does not hold the files that go into every overlay; install ksbuild again")
        }
        var base = FileTree()
        for entry in try LayerDirectory(root, origin: "overlays/\(Self.baseName)", modes: .plain).entries {
            try base.insert(try Self.kept(entry))
        }
        self.base = base
        var read: [FilePath: [TreeEntry]] = [:]
        for layer in layers { read[layer] = try Self.read(layer).map { entry in try Self.kept(entry) } }
        self.layers = read
    }

    /// What messages call the files of a layer.
    static func origin(of layer: FilePath) -> String { "layer \(layer)" }

    /// What stands for all that a layer holds: the SHA-256 of its tar archive, as `TarFile` writes it with the time 0, its
    /// secrets empty.
    ///
    /// - Throws: ``OverlayError`` where the layer cannot be carried, ``ArtefactError`` where something cannot be read.
    public func digest(of layer: FilePath) throws -> Digest {
        var tree = FileTree()
        for var entry in try entries(of: layer) {
            if entry.isSecret, case .file = entry.kind { entry.kind = .file(.bytes([])) }
            try tree.insert(entry)
        }
        var stream = DigestStream()
        try TarGzip.writeTar(tree, epoch: 0) { bytes in stream.update(bytes) }
        return stream.finalize()
    }

    /// What a layer holds.
    func entries(of layer: FilePath) throws -> [TreeEntry] { try layers[layer] ?? Self.read(layer) }

    /// The files that ksbuild brings along, as far as they are in an overlay as they are here.
    ///
    /// No value of the node is in them, and no layer covers them. Overlays begin with them, so that a fleet compresses them
    /// once.
    func beginning(of tree: FileTree, epoch: Int64) throws -> TarBeginning {
        var paths: Set<EntryPath> = []
        let entries = base.entries.filter { entry in
            guard tree[entry.path] == entry, entry.path.parent.map(paths.contains) ?? true else { return false }
            return paths.insert(entry.path).inserted
        }
        return try latest.beginning(entries, epoch: epoch)
    }

    private static func read(_ layer: FilePath) throws -> [TreeEntry] {
        try LayerDirectory(layer, origin: origin(of: layer), modes: .own).entries
    }

    /// The entry with its bytes, where they are few.
    private static func kept(_ entry: TreeEntry) throws -> TreeEntry {
        guard case .file(.file(let path, let size)) = entry.kind, size <= keptBytes else { return entry }
        var kept = entry
        kept.kind = .file(.bytes(try HostFile.read(path, limit: Int(keptBytes))))
        return kept
    }
}

/// The last beginning that was asked for, which all nodes of a fleet have in common most of the time.
private final class LatestBeginning: Sendable {
    private let latest = Mutex<TarBeginning?>(nil)

    func beginning(_ entries: [TreeEntry], epoch: Int64) throws -> TarBeginning {
        if let latest = latest.withLock({ $0 }), latest.epoch == epoch, latest.entries == entries { return latest }
        let beginning = try TarBeginning(entries, epoch: epoch)
        latest.withLock { $0 = beginning }
        return beginning
    }
}
