internal import APKOVL
internal import Archive
public import Artefact
internal import Attestation
internal import Bundle
internal import Node
public import SystemPackage
internal import Upstream

extension NodeBuild {
    /// Writes the boot medium: one image that holds system, overlay, binary and packages.
    ///
    /// - Parameters:
    ///   - target: Where it will stand.
    ///   - overlayFile: The overlay, written before.
    ///   - scratch: A folder for what is made on the way.
    /// - Returns: What was written.
    /// - Throws: ``BuildError`` with ``BuildError/Code/missingInput`` where an input is not at hand, or what
    ///   ``MediumComposer`` throws.
    public func writeMedium(to target: FilePath, overlayFile: WrittenFile, scratch: FilePath) throws -> WrittenFile {
        guard let image = inputs.alpineImage else {
            throw BuildError.missingInput(node.alpine.imageName(node.architecture), option: "--iso FILE")
        }
        guard let kubesolo = inputs.kubesolo else {
            throw BuildError.missingInput("the KubeSolo binary", option: "--kubesolo FILE")
        }
        report(.step("compose the boot medium"))
        let parts = mediumParts(
            base: image.path, overlay: overlayFile, kubesolo: (kubesolo.path, kubesolo.pin.size))
        let medium = try MediumComposer.compose(parts, for: target, scratch: scratch)
        report(.detail("\(parts.arguments.joined(separator: " "))"))
        report(.detail("\(medium.size) bytes, sha256 \(medium.digest)"))
        return try medium.commit()
    }

    /// What the media are that a bundle's artefacts are composed to.
    ///
    /// - Parameters:
    ///   - names: The names of the artefacts.
    ///   - folder: A folder for what is made on the way.
    ///   - artefacts: The artefacts by name.
    ///   - isComposing: Whether the media are composed and dropped, so that the recipes have their digests.
    /// - Returns: The recipes.
    /// - Throws: What ``MediumComposer`` throws.
    func mediaRecipes(
        _ names: ArtefactNames, in folder: FilePath, _ artefacts: [String: WrittenFile], isComposing: Bool
    ) throws -> [MediumRecipe] {
        let overlayName = Overlay.fileName(node)
        var recipes = [
            MediumRecipe(
                file: names.medium,
                composition: .boot(overlay: overlayName, arguments: mediumArguments), result: nil),
            MediumRecipe(file: names.completeSeed, composition: .seed, result: nil),
        ]
        guard isComposing else { return recipes }
        var parts: [Manifest.Role: BundledMedium.Part] = [:]
        for (role, name) in names.all {
            let isSecret = (role == .overlay && overlay.tree.holdsSecrets) || (role == .seed && seedHoldsSecrets)
            parts[role] = artefacts[name].map { BundledMedium.Part(file: $0, isSecret: isSecret) }
        }
        let composer = BundledMedium(
            names.medium, epoch: node.stamp.epoch, architecture: node.architecture.alpineName, parts: parts)
        for (index, recipe) in recipes.enumerated() {
            report(.step("compose \(recipe.file)"))
            let medium = try composer.compose(
                recipe.composition, for: folder.appending(".\(recipe.file)"), scratch: folder)
            report(.detail("\(medium.size) bytes, sha256 \(medium.digest)"))
            recipes[index].result = .init(size: medium.size, sha256: medium.digest)
        }
        return recipes
    }

    /// The repositories as an artefact of a bundle, where there are any: as they stand on a medium beside Alpine's image,
    /// which includes what they have to hold on the image itself.
    func packagesArtefact(_ names: ArtefactNames, _ repositories: [MediumRepository]) -> [StagedArtefact] {
        guard !repositories.isEmpty else { return [] }
        return [
            StagedArtefact(.packages, file: names.packages) { target, _ in
                try TarFile.write(NodePackages.tree(of: repositories), epoch: node.stamp.epoch, to: target)
            }
        ]
    }

    /// What a bundle says of itself to others: what it holds, and, last, what it was made from.
    func evidence(
        _ names: ArtefactNames, _ recipe: DecodedRecipe, _ repositories: [MediumRepository],
        of fleet: FleetEvidence? = nil
    ) -> [StagedArtefact] {
        [
            StagedArtefact(.sbom, file: names.billOfMaterials) { target, earlier in
                let document = try billOfMaterials(recipe, names, earlier, carrying: repositories, of: fleet)
                return try StagedFile.write(document.encoded(), to: target)
            },
            StagedArtefact(.provenance, file: names.provenance) { target, earlier in
                try StagedFile.write(
                    try statement(recipe, about: earlier, carrying: repositories, of: fleet?.fleet).encoded(),
                    to: target)
            },
        ]
    }

    private func mediumParts(
        base: FilePath, overlay file: WrittenFile, kubesolo: (path: FilePath, size: UInt64)
    ) -> MediumParts {
        let name = Overlay.fileName(node)
        return MediumParts(
            base: base, overlay: (file, name), kubesolo: kubesolo, repositories: inputs.repositories,
            arguments: mediumArguments, epoch: node.stamp.epoch,
            holdsSecrets: overlay.tree.holdsSecrets)
    }
}
