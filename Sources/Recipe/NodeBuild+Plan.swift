internal import APKOVL
internal import Artefact
internal import Bundle
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
        try BuildPlan(
            recipe: recipe, node: node,
            outputs: plannedOutputs(of: node, secrets: (overlay.tree.holdsSecrets, seedHoldsSecrets)),
            trees: [("overlay", overlay.tree), ("seed", seed.files)],
            covered: overlay.covered.map { .init(path: $0.path, origin: $0.previous) },
            inputs: [alpineInput, kubesoloInput], packages: plannedPackages, warnings: warnings, unchecked: unchecked)
    }

    /// The files that are made of a node: what a fleet has once is named after the fleet, and the node's own after the node.
    func plannedOutputs(of node: NodeImage, secrets: (overlay: Bool, seed: Bool)) -> [BuildPlan.Output] {
        var whole = node
        whole.member = nil
        let own = ArtefactNames(node)
        let shared = ArtefactNames(whole)
        let place = node.member.map { "\(BundleNode.directory)/\($0)/" } ?? ""
        let packages = inputs.repositories.isEmpty ? nil : shared.packages
        let rows: [(role: String, name: String?, holdsSecrets: Bool)] = [
            ("overlay", place + own.overlay, secrets.overlay), ("seed", place + own.seed, secrets.seed),
            ("kubesolo", shared.kubesolo, false), ("alpine-iso", shared.alpineImage, false),
            ("packages", packages, false), ("sbom", shared.billOfMaterials, false),
            ("provenance", shared.provenance, false), ("medium", own.medium, secrets.overlay),
            ("complete-seed", own.completeSeed, secrets.seed),
        ]
        return rows.compactMap { row in
            row.name.map { .init(role: row.role, name: $0, holdsSecrets: row.holdsSecrets) }
        }
    }

    var plannedPackages: [BuildPlan.Package] {
        guard let packages = inputs.packages else { return [] }
        return packages.closure.members.map { member in
            BuildPlan.Package(
                name: member.package.name, version: member.package.version, size: member.package.size,
                origin: packages.origins[member.repository], reason: member.reason.description)
        }
    }

    var alpineInput: BuildPlan.Input {
        guard let image = inputs.alpineImage else {
            return .init(
                role: "alpine", name: node.alpine.imageName(node.architecture), state: .missing,
                digest: node.alpine.sha256)
        }
        return .init(
            role: "alpine", name: image.path.string, state: image.trust == .unverified ? .unpinned : .present,
            size: image.size, digest: image.digest)
    }

    var kubesoloInput: BuildPlan.Input {
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
