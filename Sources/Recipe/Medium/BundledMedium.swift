internal import Archive
internal import Artefact
public import Bundle
public import SystemPackage

/// The boot medium of a bundle, composed on demand of what the bundle holds.
public enum BundledMedium {
    /// Composes the medium of a bundle that was verified, and requires that it is the one that the manifest tells.
    ///
    /// - Parameters:
    ///   - bundle: The bundle's directory.
    ///   - manifest: Its manifest.
    ///   - target: Where the medium would stand.
    ///   - scratch: A folder for what is made on the way.
    /// - Returns: The medium, to be committed or dropped.
    /// - Throws: ``BuildError`` with ``BuildError/Code/missingInput`` for a bundle without one, with
    ///   ``BuildError/Code/otherMedium`` where the parts compose to another one, or what ``MediumComposer`` throws.
    public static func compose(
        _ bundle: FilePath, _ manifest: Manifest, for target: FilePath, scratch: FilePath
    ) throws -> ComposedMedium {
        guard let recipe = manifest.medium else {
            throw BuildError(
                .missingInput, subject: bundle.string,
                detail: "has no boot medium; boot its image together with its seed, or build it again")
        }
        func part(_ role: Manifest.Role) throws -> WrittenFile {
            guard let artefact = manifest.artefacts.first(where: { $0.role == role }) else {
                throw BuildError(.missingInput, subject: bundle.string, detail: "has no \(role.rawValue)")
            }
            return WrittenFile(
                path: bundle.appending(artefact.file), size: artefact.size, digest: artefact.sha256)
        }
        let kubesolo = try part(.kubesolo)
        var repositories = FileTree()
        if let packages = manifest.artefacts.first(where: { $0.role == .packages }) {
            repositories = try TarFile.extract(
                bundle.appending(packages.file), into: scratch, origin: Manifest.Role.packages.rawValue)
        }
        let parts = MediumParts(
            base: try part(.alpineISO).path, overlay: (try part(.overlay), recipe.overlay),
            kubesolo: (kubesolo.path, kubesolo.size), repositories: repositories, arguments: recipe.arguments,
            epoch: manifest.description.epoch,
            holdsSecrets: manifest.artefacts.contains { $0.role == .overlay && $0.isSecret })
        let medium = try MediumComposer.compose(parts, for: target, scratch: scratch)
        guard medium.digest == recipe.sha256, medium.size == recipe.size else {
            throw BuildError(
                .otherMedium, subject: recipe.file,
                detail: "is composed to SHA-256 \(medium.digest) by this ksbuild, and the bundle's manifest says"
                    + " \(recipe.sha256); compose it with the ksbuild that made the bundle, or build a new version")
        }
        return medium
    }
}
