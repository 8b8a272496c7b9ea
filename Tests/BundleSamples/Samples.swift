internal import Artefact
public import Bundle
public import SystemPackage
public import TestSupport

/// Bundles for tests: the same content every time, and variations of it.
public enum Samples {
    public static let iso = Array((0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    public static let binary = Array("\u{7f}ELF".utf8) + [UInt8](repeating: 7, count: 600)

    public static func description(_ version: String, recipe: String = "recipe") throws -> BundleDescription {
        BundleDescription(
            name: "edge", version: try Version(version), epoch: 1_767_225_600, architecture: "x86_64",
            hostname: "edge-001", datastore: .init(kubesolo: "1.2"), alpine: .init(release: "3.23.6", flavor: "virt"),
            kubesolo: .init(version: "v1.2.2", variant: "offline"),
            inputs: [.init(name: "kubesolo.tar.gz", sha256: Digest(of: Array("tar".utf8)), trust: .pinned)],
            recipe: Digest(of: Array(recipe.utf8)))
    }

    /// A bundle of four artefacts; `overlay` is what differs from one version to the next.
    public static func stage(
        _ version: String, overlay: String = "overlay", secret: Bool = false, iso source: FilePath
    ) throws -> Stage {
        let stem = "edge-\(version)-x86_64"
        return Stage(
            try description(version, recipe: overlay),
            artefacts: [
                StagedArtefact(.overlay, file: "\(stem).apkovl.tar.gz", isSecret: secret, bytes: Array(overlay.utf8)),
                StagedArtefact(.kubesolo, file: "\(stem)-kubesolo", bytes: binary),
                StagedArtefact(
                    .alpineISO, file: "alpine-virt-3.23.6-x86_64.iso", copying: source, digest: Digest(of: iso)),
                StagedArtefact(.seed, file: "\(stem)-cidata.iso", isSecret: secret) { target, earlier in
                    guard let overlay = earlier["\(stem).apkovl.tar.gz"] else {
                        throw BundleError(.mismatch, subject: "overlay", detail: "was not made before the seed")
                    }
                    let bytes = try HostFile.read(overlay.path, limit: 1 << 20)
                    return try StagedFile.write(Array("seed with ".utf8) + bytes, to: target)
                },
            ])
    }

    /// A bundle of a fleet: what its nodes share, and overlay and seed of each.
    public static func fleet(
        _ version: String, nodes: [String] = ["edge-001", "edge-002"], secret: Bool = false, iso source: FilePath
    ) throws -> Stage {
        var description = try description(version)
        description.hostname = nil
        description.nodes = nodes.map { BundleNode(name: $0, hostname: "\($0).example.org") }
        let stem = "edge-\(version)-x86_64"
        let files = nodes.flatMap { node in
            [
                StagedBatch.File(role: .overlay, node: node, file: "edge-\(node)-\(version)-x86_64.apkovl.tar.gz"),
                StagedBatch.File(role: .seed, node: node, file: "edge-\(node)-\(version)-x86_64.cidata.iso"),
            ]
        }
        return Stage(
            description,
            artefacts: [
                StagedArtefact(.kubesolo, file: "\(stem)-kubesolo", bytes: binary),
                StagedArtefact(
                    .alpineISO, file: "alpine-virt-3.23.6-x86_64.iso", copying: source, digest: Digest(of: iso)),
            ],
            batch: StagedBatch(files) { folder in
                for node in nodes {
                    try HostFile.makeDirectory(folder.appending("nodes").appending(node), mode: .privateDirectory)
                }
                return try files.map { file in
                    var staged = try StagedFile(
                        folder.appending("nodes").appending(file.node).appending(file.file), digesting: true)
                    try staged.write(Array("\(file.role) of \(file.node) in \(version)".utf8))
                    return .init(file, isSecret: secret, written: try staged.commit(durability: .deferred))
                }
            })
    }

    public static let occasion = Occasion(when: 1_770_000_000, who: "alice@build-7", why: "test")
}

/// An output directory of one test, with the image that its bundles are made from.
public struct Workshop: ~Copyable {
    public let scratch: Scratch
    public let out: FilePath
    public let iso: FilePath

    /// Makes one that is empty.
    public init() throws {
        let scratch = try Scratch(inMemory: true)
        let iso = try scratch.file("inputs/alpine.iso", Samples.iso)
        out = scratch.path.appending("out")
        self.iso = iso
        self.scratch = scratch
    }

    /// The store that it makes.
    public var store: BundleStore { BundleStore(out) }

    /// Publishes a version.
    @discardableResult
    public func publish(_ version: String, overlay: String = "overlay", secret: Bool = false) throws -> Publication {
        try store.publish(try Samples.stage(version, overlay: overlay, secret: secret, iso: iso))
    }

    /// Makes a version live and confirms it.
    public func prove(_ version: String) throws {
        _ = try store.activate(try Version(version), Samples.occasion)
        _ = try store.confirm(try Version(version), Samples.occasion)
    }

    /// Publishes versions that differ in their overlay.
    public func publishAll(_ versions: [String]) throws {
        for version in versions { try publish(version, overlay: "overlay of \(version)") }
    }
}

/// Every name below a directory with what `stat` says of it, to see that nothing changed.
public func snapshot(_ directory: FilePath, under prefix: String = "") throws -> [String: String] {
    var found: [String: String] = [:]
    for name in try HostFile.names(in: directory) {
        let path = directory.appending(name)
        let status = try HostFile.status(of: path, followingLinks: false)
        var line = "\(status.kind) \(status.mode)"
        switch status.kind {
        case .directory: found.merge(try snapshot(path, under: "\(prefix)\(name)/")) { first, _ in first }
        case .symlink: line += " -> \(try HostFile.target(ofLink: path))"
        default: line += " \(status.identity) \(status.links) \(try Digest(ofFile: path))"
        }
        found[prefix + name] = line
    }
    return found
}

/// Whether the store holds no name of a change that is not complete.
public func hasNoLeftovers(_ out: FilePath) throws -> Bool {
    try snapshot(out).keys.allSatisfy { name in !name.split(separator: "/").contains { $0.hasPrefix(".") } }
}
