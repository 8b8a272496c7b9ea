internal import APKOVL
internal import Artefact
internal import Bundle
internal import CloudInit
internal import Node

extension NodeBuild {
    /// What would be made for all nodes of a fleet; every node is decided, and nothing is written.
    ///
    /// - Parameters:
    ///   - fleet: The nodes; this build is that of the recipe without them.
    ///   - recipe: The recipe that the nodes were resolved from.
    ///   - warnings: What was reported on the way beyond the recipe's own warnings.
    ///   - unchecked: What was reported as not checked on the way.
    /// - Returns: The plan, with what the nodes share and a line for each node.
    /// - Throws: ``FleetError`` with the first node that cannot be made; `ArtefactError` where a file of a layer cannot be
    ///   read.
    public func plan(
        _ fleet: Fleet, recipe: DecodedRecipe, warnings: [String], unchecked: [String]
    ) throws -> BuildPlan {
        let pattern = pattern(recipe.recipe)
        let told = Set(overlay.warnings + seed.warnings)
        var members: [BuildPlan.Member] = []
        var ownPaths: Set<EntryPath> = []
        var doubts: [(node: Int, text: String)] = []
        var secrets = (overlay: false, seed: false)
        for (index, (node, described)) in zip(fleet.nodes, fleet.described).enumerated() {
            var found: [String] = []
            let build: NodeBuild
            do {
                build = try NodeBuild(node: fleet.image(of: node), inputs: inputs, sources: sources) { event in
                    if case .warning(let text) = event { found.append(text) }
                }
            } catch let cause as any Failure { throw FleetError(node: node.name, cause: cause) }
            doubts += found.filter { !told.contains($0) }.map { (index, $0) }
            ownPaths.formUnion(build.overlay.tree.pathsDiffering(from: overlay.tree))
            secrets = (
                secrets.overlay || build.overlay.tree.holdsSecrets, secrets.seed || build.seedHoldsSecrets
            )
            members.append(
                BuildPlan.Member(
                    name: node.name, hostname: described.hostname, hardwareAddress: node.hardwareAddress,
                    uuid: node.uuid, holdsSecrets: build.seedHoldsSecrets))
        }
        return try BuildPlan(
            recipe: recipe, node: pattern, fleet: .init(members: members, ownPaths: ownPaths),
            outputs: plannedOutputs(of: pattern, secrets: secrets), trees: [("overlay", overlay.tree)],
            covered: overlay.covered.map { .init(path: $0.path, origin: $0.previous) },
            inputs: [alpineInput, kubesoloInput], packages: plannedPackages,
            warnings: warnings + FleetWriter.joined(doubts, fleet.nodes), unchecked: unchecked)
    }

    /// The words that every kernel on the boot media of a fleet is told, with `{node}` in the place of the name.
    public var fleetArguments: [String] {
        var pattern = node
        pattern.member = MediumRecipe.placeholder
        return MediumArguments.words(pattern, overlay: Overlay.fileName(pattern))
    }

    /// What stands for each node, with `{node}` in the place of the name.
    private func pattern(_ recipe: Recipe) -> NodeImage {
        var pattern = node
        pattern.member = MediumRecipe.placeholder
        if !recipe.isInstanceIdentifierGiven {
            pattern.seed.instanceIdentifier = .fixed("\(MediumRecipe.placeholder)-\(node.stamp.version)")
        }
        return pattern
    }
}
