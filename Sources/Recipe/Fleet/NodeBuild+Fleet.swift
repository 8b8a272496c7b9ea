internal import APKOVL
internal import Artefact
public import Bundle
internal import CloudInit
internal import Node
internal import SystemPackage

extension NodeBuild {
    /// What is published as the bundle of a fleet: what all nodes share once, and overlay and seed of each.
    ///
    /// - Parameters:
    ///   - fleet: The nodes; this build is that of the recipe without them.
    ///   - recipe: The recipe that the nodes were resolved from.
    /// - Returns: The artefacts, none of them written yet.
    /// - Throws: ``BuildError`` where an input is not at hand; `BundleError` for a version that is none.
    public func stage(_ fleet: Fleet, recipe: DecodedRecipe) throws -> Stage {
        var stage = try stage(recipe: recipe, isComposingMedia: false)
        stage.description.hostname = nil
        stage.description.nodes = fleet.described
        stage.artefacts.removeAll { [.overlay, .seed, .sbom, .provenance].contains($0.role) }
        let evidence = FleetEvidence(fleet)
        let repositories = inputs.repositories.isEmpty ? [] : try inputs.packages?.repositoriesBesideImage() ?? []
        stage.artefacts += self.evidence(ArtefactNames(node), recipe, repositories, of: evidence)
        let writer = FleetWriter(
            fleet: fleet, inputs: inputs, sources: sources, base: overlay.tree,
            told: Set(overlay.warnings + self.seed.warnings))
        stage.batch = StagedBatch(writer.files) { folder in
            report(.step("write overlay and seed of \(fleet.nodes.count) nodes"))
            let result = try writer.write(into: folder, report)
            evidence.ownPaths = result.ownPaths
            return result.made
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
