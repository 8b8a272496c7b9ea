internal import APKOVL
public import Artefact
public import Bundle
internal import CloudInit
internal import Node
internal import SystemPackage

extension NodeBuild {
    /// What is published as the bundle of a fleet: what all nodes share once, and overlay and seed of each.
    ///
    /// - Parameters:
    ///   - fleet: The nodes; this build is that of the recipe without them.
    ///   - recipe: The digest of the recipe.
    /// - Returns: The artefacts, none of them written yet.
    /// - Throws: ``BuildError`` where an input is not at hand; `BundleError` for a version that is none.
    public func stage(_ fleet: Fleet, recipe: Digest) throws -> Stage {
        var stage = try stage(recipe: recipe, isComposingMedia: false)
        stage.description.hostname = nil
        stage.description.nodes = fleet.described
        stage.artefacts.removeAll { [.overlay, .seed].contains($0.role) }
        let writer = FleetWriter(
            fleet: fleet, inputs: inputs, sources: sources, told: Set(overlay.warnings + self.seed.warnings))
        stage.batch = StagedBatch(writer.files) { folder in
            report(.step("write overlay and seed of \(fleet.nodes.count) nodes"))
            return try writer.write(into: folder, report)
        }
        var pattern = node
        pattern.member = MediumRecipe.placeholder
        let names = ArtefactNames(pattern)
        let overlay = Overlay.fileName(pattern)
        let words = MediumArguments.words(pattern, overlay: overlay)
        stage.media = { _, _ in
            [
                MediumRecipe(
                    file: names.medium, composition: .boot(overlay: overlay, arguments: words), result: nil),
                MediumRecipe(file: names.completeSeed, composition: .seed, result: nil),
            ]
        }
        return stage
    }
}
