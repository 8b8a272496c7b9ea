internal import Artefact
internal import ISOBuild
public import SystemPackage
internal import Upstream

extension Side {
    /// Reads an image: every file on it, what its boot loaders start, its packages, and the overlay that init takes.
    ///
    /// - Parameters:
    ///   - path: The image, made by ksbuild or by others.
    ///   - scratch: A folder for what is made on the way.
    /// - Throws: `ISOError` for an image that is damaged, `ArchiveError` for an overlay on it that is.
    public init(image path: FilePath, scratch: FilePath) throws {
        self.init(.image, named: path.string)
        let reader = try ISOReader(path)
        let report = try MediumReport(reader)
        size = reader.volume.imageSize
        facts = [("label", reader.volume.volumeIdentifier)] + (report.release.map { [("release", $0)] } ?? [])
        try take(entries: reader, as: "image", leavingOut: { _ in false })
        var commands: [String: [String]] = [:]
        for command in report.commands { commands["\(command.source) '\(command.title)'"] = command.parameters }
        arguments = commands
        let overlay = scratch.appending("overlay")
        if try report.extractOverlay(of: reader, to: overlay) { try take(overlay: overlay) }
        let indexes = report.repositories.flatMap(\.indexes).compactMap { index in
            index.packages.map { PackageResolver.Repository(name: index.path, index: $0) }
        }
        let architecture = report.repositories.flatMap(\.indexes).first?.path.split(separator: "/").dropLast().last
        if let world, let architecture {
            let kernel = report.kernels.lazy.compactMap { $0.path.split(separator: "-").last.map(String.init) }.first
            let boot = try? kernel.map {
                try PackagesAtBoot(ofImage: path, kernel: $0, architecture: String(architecture))
            }
            packages = Self.installed(
                boot?.world(world) ?? (world + ["alpine-base"]), from: indexes, architecture: String(architecture))
        }
    }

    /// Takes in the entries of an image but for those that are told otherwise.
    mutating func take(
        entries reader: borrowing ISOReader, as tree: String, leavingOut isOther: (String) -> Bool
    ) throws {
        var found = ComparedTree()
        for entry in try reader.entries() where !entry.path.isEmpty && !isOther(entry.path) {
            var (kind, target): (String, String?)
            switch entry.kind {
            case .file: (kind, target) = ("file", nil)
            case .directory: (kind, target) = ("directory", nil)
            case .symlink(let to): (kind, target) = ("symlink", to)
            case .special: (kind, target) = ("device, pipe or socket", nil)
            }
            let file = ComparedFile(
                kind: kind, mode: entry.mode, owner: entry.owner, group: entry.group,
                size: entry.kind == .file ? entry.size : 0, target: target, digest: nil, isSecret: false, text: nil)
            try found.put(entry.path, file) { body in try reader.forEachChunk(of: entry, body) }
        }
        trees[tree] = found
    }

    /// The packages that a world takes, by name; `nil` where it cannot be satisfied or nothing is listed.
    static func installed(
        _ world: [String], from repositories: [PackageResolver.Repository], architecture: String
    ) -> [String: String]? {
        guard !repositories.isEmpty,
            let closure = try? PackageResolver(repositories, architecture: architecture).resolve(world: world)
        else { return nil }
        return Dictionary(
            closure.members.map { ($0.package.name, $0.package.version) }, uniquingKeysWith: { first, _ in first })
    }
}
