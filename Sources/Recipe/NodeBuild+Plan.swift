internal import APKOVL
internal import Artefact
internal import CloudInit
internal import Node
internal import SystemPackage
internal import Upstream

extension NodeBuild {
    /// What would be made, of what, and what could not be checked; nothing is written.
    ///
    /// - Parameters:
    ///   - recipe: The recipe that the node was resolved from.
    ///   - warnings: What was reported on the way beyond the recipe's own warnings.
    ///   - unchecked: What was reported as not checked on the way.
    /// - Returns: The plan.
    /// - Throws: `ArtefactError` where a file of a layer cannot be read.
    public func plan(_ recipe: DecodedRecipe, warnings: [String], unchecked: [String]) throws -> BuildPlan {
        let hasSecrets = overlay.tree.holdsSecrets
        let names = ArtefactNames(node)
        return try BuildPlan(
            recipe: recipe, node: node,
            outputs: [
                .init(role: "overlay", name: names.overlay, holdsSecrets: hasSecrets),
                .init(role: "seed", name: names.seed, holdsSecrets: seedHoldsSecrets),
                .init(role: "kubesolo", name: names.kubesolo, holdsSecrets: false),
                .init(role: "alpine-iso", name: names.alpineImage, holdsSecrets: false),
            ]
                + (inputs.repositories.isEmpty
                    ? [] : [.init(role: "packages", name: names.packages, holdsSecrets: false)])
                + [
                    .init(role: "sbom", name: names.billOfMaterials, holdsSecrets: false),
                    .init(role: "provenance", name: names.provenance, holdsSecrets: false),
                    .init(role: "medium", name: names.medium, holdsSecrets: hasSecrets),
                    .init(role: "complete-seed", name: names.completeSeed, holdsSecrets: seedHoldsSecrets),
                ],
            trees: [("overlay", overlay.tree), ("seed", seed.files)],
            covered: overlay.covered.map { .init(path: $0.path, origin: $0.previous) },
            inputs: [alpineInput, kubesoloInput], packages: plannedPackages, warnings: warnings, unchecked: unchecked)
    }

    private var plannedPackages: [BuildPlan.Package] {
        guard let packages = inputs.packages else { return [] }
        return packages.closure.members.map { member in
            BuildPlan.Package(
                name: member.package.name, version: member.package.version, size: member.package.size,
                origin: packages.origins[member.repository], reason: member.reason.description)
        }
    }

    private var alpineInput: BuildPlan.Input {
        guard let image = inputs.alpineImage else {
            return .init(
                role: "alpine", name: node.alpine.imageName(node.architecture), state: .missing,
                digest: node.alpine.sha256)
        }
        return .init(
            role: "alpine", name: image.path.string, state: image.trust == .unverified ? .unpinned : .present,
            size: image.size, digest: image.digest)
    }

    private var kubesoloInput: BuildPlan.Input {
        guard let binary = inputs.kubesolo else {
            return .init(
                role: "kubesolo", name: KubeSoloAsset(node.kubesolo, node.architecture).description, state: .missing,
                digest: node.kubesolo.sha256)
        }
        return .init(
            role: "kubesolo", name: binary.source.string, state: binary.trust == .unverified ? .unpinned : .present,
            size: binary.sourceSize, digest: binary.sourceDigest)
    }
}
