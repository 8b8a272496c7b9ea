import Artefact
import Bundle
import Recipe
import SystemPackage

/// A bundle as it was named on the command line, re-read in full: what is damaged is not used.
struct PublishedBundle {
    let path: FilePath
    let manifest: Manifest
    /// The node of a fleet that is meant.
    let node: BundleNode?

    /// Takes a directory, or a version that stands in the store of a folder.
    ///
    /// - Parameters:
    ///   - name: The directory or the version.
    ///   - folder: The folder.
    ///   - choice: Which node of a fleet.
    /// - Throws: `BundleError` with `BundleError.Code.damaged` and all that is wrong, `BuildError` with
    ///   `BuildError.Code.otherNode`.
    init(_ name: String, in folder: OutputFolder, node choice: NodeChoice = .one) throws {
        path =
            HostFile.exists(FilePath(name))
            ? FilePath(name) : try BundleStore(folder.path).path(of: Version(name))
        let verification = try BundleVerification.read(path)
        guard verification.isGood, let manifest = verification.manifest else {
            let why = verification.findings.map(\.description).joined(separator: "; ")
            throw BundleError(.damaged, subject: path.string, detail: "is not as it was published: \(why)")
        }
        self.manifest = manifest
        let member = try choice.name(among: manifest.nodes.map(\.name), in: path.string)
        node = member.flatMap { member in manifest.nodes.first { $0.name == member } }
    }

    /// What composes its media.
    var composer: BundledMedium { BundledMedium(path, manifest, node: node?.name) }

    /// The host name of the node.
    var hostname: String { node?.hostname ?? manifest.description.hostname ?? manifest.description.name }

    /// How a medium of a kind is composed.
    ///
    /// - Throws: `BuildError` with `BuildError.Code.missingInput` where the bundle has none.
    func medium(_ kind: MediumRecipe.Kind) throws -> MediumRecipe {
        guard let recipe = manifest.medium(kind) else {
            throw BuildError(
                .missingInput, subject: path.string, detail: "composes to no \(kind.rawValue) medium; build it again")
        }
        return node.map { recipe.of($0.name) } ?? recipe
    }

    /// The file of the one artefact with a role.
    ///
    /// - Throws: `BundleError` with `BundleError.Code.damaged` where there is none.
    func file(_ role: Manifest.Role) throws -> FilePath {
        guard
            let artefact = manifest.artefacts.first(where: {
                $0.role == role && ($0.node == nil || $0.node == node?.name)
            })
        else {
            throw BundleError(
                .damaged, subject: path.string, detail: "holds no artefact with the role \(role.rawValue)")
        }
        return path.pushing(FilePath(artefact.path))
    }
}
