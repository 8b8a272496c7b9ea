internal import APKOVL
public import Artefact
internal import Bundle
internal import CloudInit
internal import Node
public import Recipe
internal import Upstream

extension Side {
    /// Takes what would be built as the other side of a bundle.
    ///
    /// - Parameters:
    ///   - build: All that was decided.
    ///   - recipe: The digest of the recipe.
    ///   - fleet: The fleet, where the build is that of its recipe without its nodes; of their files nothing is compared.
    /// - Throws: `BundleError` for a version that none may have, `ArtefactError` where a file of a layer cannot be read.
    public init(plan build: NodeBuild, recipe: Digest, fleet: Fleet? = nil) throws {
        self.init(.plan, named: "what would be built")
        var about = try build.description(recipe: recipe)
        if let fleet {
            about.hostname = nil
            about.nodes = fleet.described
        }
        describe(about)
        guard fleet == nil else {
            arguments = ["boot medium": build.fleetArguments]
            unread = ["overlays and seeds of the nodes, which --node NAME compares"]
            return
        }
        trees["overlay"] = try Self.tree(build.overlay.tree)
        trees["seed"] = try Self.tree(build.seed.files)
        arguments = ["boot medium": build.mediumArguments]
        var levels: [String: [String]] = [:]
        for entry in build.overlay.tree.entries {
            let parts = entry.path.components
            guard parts.count == 4, parts.starts(with: ["etc", "runlevels"]) else { continue }
            levels[parts[2], default: []].append(parts[3])
        }
        services = levels
        world = trees["overlay"]?.files["etc/apk/world"]?.text.map { bytes in
            String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        packages = build.inputs.packages.map { packages in
            Dictionary(
                packages.closure.members.map { ($0.package.name, $0.package.version) },
                uniquingKeysWith: { first, _ in first })
        }
    }

    private static func tree(_ tree: FileTree) throws -> ComparedTree {
        var compared = ComparedTree()
        for entry in tree.entries {
            var (kind, target): (String, String?)
            switch entry.kind {
            case .directory: (kind, target) = ("directory", nil)
            case .file: (kind, target) = ("file", nil)
            case .symlink(let to): (kind, target) = ("symlink", to)
            }
            let file = ComparedFile(
                kind: kind, mode: entry.mode, owner: entry.owner, group: entry.group, size: entry.size,
                target: target, digest: nil, isSecret: false, text: nil)
            try compared.put(entry.path.string, file, isSecret: entry.isSecret) { body in
                guard case .file(let content) = entry.kind else { return }
                try content.forEachChunk(body)
            }
        }
        return compared
    }
}
