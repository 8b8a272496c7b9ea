internal import Archive
internal import Artefact
public import Bundle
internal import CloudInit
public import SystemPackage

/// The media of a bundle, composed on demand of what the bundle holds.
public struct BundledMedium {
    /// What messages call the bundle.
    private let name: String
    let epoch: Int64
    private let architecture: String
    private let parts: [Manifest.Role: Part]

    /// An artefact that a medium may be composed of.
    struct Part {
        let file: WrittenFile
        let isSecret: Bool
    }

    /// Takes the parts as they stand while a bundle is made.
    init(_ name: String, epoch: Int64, architecture: String, parts: [Manifest.Role: Part]) {
        self.name = name
        self.epoch = epoch
        self.architecture = architecture
        self.parts = parts
    }

    /// Takes the parts of a bundle that was verified.
    ///
    /// - Parameters:
    ///   - bundle: The bundle's directory.
    ///   - manifest: Its manifest.
    ///   - node: The node of a fleet whose media they are.
    public init(_ bundle: FilePath, _ manifest: Manifest, node: String? = nil) {
        var parts: [Manifest.Role: Part] = [:]
        for artefact in manifest.artefacts where artefact.node == nil || artefact.node == node {
            let file = WrittenFile(
                path: bundle.pushing(FilePath(artefact.path)), size: artefact.size, digest: artefact.sha256)
            parts[artefact.role] = Part(file: file, isSecret: artefact.isSecret)
        }
        self.init(
            bundle.string, epoch: manifest.description.epoch, architecture: manifest.description.architecture,
            parts: parts)
    }

    /// Composes a medium, and requires that it is the one that the recipe tells, where it tells that.
    ///
    /// - Parameters:
    ///   - recipe: How it is composed, from the bundle's manifest.
    ///   - target: Where the medium would stand.
    ///   - scratch: A folder for what is made on the way.
    /// - Returns: The medium, to be committed or dropped.
    /// - Throws: ``BuildError`` with ``BuildError/Code/missingInput`` for a bundle that lacks a part, with
    ///   ``BuildError/Code/otherMedium`` where the parts compose to another medium, or what ``MediumComposer`` throws.
    public func compose(
        _ recipe: MediumRecipe, for target: FilePath, scratch: FilePath
    ) throws -> ComposedMedium {
        let medium = try compose(recipe.composition, for: target, scratch: scratch)
        guard let due = recipe.result, medium.digest != due.sha256 || medium.size != due.size else { return medium }
        throw BuildError(
            .otherMedium, subject: recipe.file,
            detail: "is composed to SHA-256 \(medium.digest) by this ksbuild, and the bundle's manifest says"
                + " \(due.sha256); compose it with the ksbuild that made the bundle, or build a new version")
    }

    /// Composes a medium, whatever comes out.
    func compose(
        _ composition: MediumRecipe.Composition, for target: FilePath, scratch: FilePath
    ) throws -> ComposedMedium {
        let kubesolo = try part(.kubesolo).file
        let folder = try TemporaryFolder(in: scratch, prefix: ".packages-")
        let repositories =
            try parts[.packages].map {
                try TarFile.extract($0.file.path, into: folder.path, origin: Manifest.Role.packages.rawValue)
            } ?? FileTree()
        switch composition {
        case .boot(let overlay, let arguments):
            let image = try part(.alpineISO).file.path
            let parts = MediumParts(
                base: image, overlay: (try part(.overlay).file, overlay), kubesolo: (kubesolo.path, kubesolo.size),
                repositories: try CarriedPackages.lacking(repositories, on: image, architecture: architecture),
                arguments: arguments, epoch: epoch, holdsSecrets: try part(.overlay).isSecret)
            return try MediumComposer.compose(parts, for: target, scratch: scratch)
        case .seed:
            var tree = repositories
            try tree.insert(
                TreeEntry(
                    path: EntryPath(SeedImage.binaryPath), kind: .file(.file(kubesolo.path, size: kubesolo.size)),
                    mode: EntryMode(0o555), origin: "kubesolo"))
            let seed = try part(.seed)
            return try ComposedMedium(
                tree, on: seed.file.path, epoch: epoch, for: target, holdsSecrets: seed.isSecret)
        }
    }

    private func part(_ role: Manifest.Role) throws(BuildError) -> Part {
        guard let part = parts[role] else {
            throw BuildError(.missingInput, subject: name, detail: "has no \(role.rawValue)")
        }
        return part
    }
}
