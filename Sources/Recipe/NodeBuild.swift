public import APKOVL
public import Artefact
public import Bundle
public import CloudInit
internal import ISOBuild
public import Node
public import SystemPackage
internal import Upstream

/// Makes the artefacts of one node: everything is decided before it exists, it only writes and reads back.
public struct NodeBuild {
    /// The node.
    public let node: NodeImage
    /// What was taken from upstreams.
    public let inputs: BuildInputs
    /// What goes into the overlay.
    public let overlay: Overlay
    /// The NoCloud files.
    public let seed: Seed
    /// Whether an input is what it is called, by digest, where that was found before.
    private var vouching: [Digest: Bool] = [:]
    let report: BuildReport
    let sources: OverlaySources

    /// Decides all that is to be written.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - inputs: What was taken from upstreams.
    ///   - sources: What overlays are made of besides the node.
    ///   - report: Told of each step and of whatever the user should know.
    /// - Throws: What ``Overlay`` and ``Seed`` throw: layers that cannot be taken, settings that a release does not have.
    public init(node: NodeImage, inputs: BuildInputs, sources: OverlaySources, report: @escaping BuildReport) throws {
        self.node = node
        self.inputs = inputs
        self.report = report
        self.sources = sources
        report(.step("decide what goes into the overlay"))
        overlay = try Overlay(
            node: node, binary: inputs.kubesolo?.pin,
            packageKeys: (inputs.packages?.keys ?? []).map { (name: $0.name, text: $0.text) }, sources: sources)
        seed = try Seed(node: node)
        for warning in overlay.warnings + seed.warnings { report(.warning(warning)) }
        for covered in overlay.covered { report(.detail("\(covered)")) }
    }

    /// Says of the inputs that a bundle has what the bundle says of them, whatever vouches for them now: a bundle that is built
    /// again is the same.
    public mutating func speak(as description: BundleDescription) {
        for input in description.inputs { vouching[input.sha256] = input.trust != .none }
    }

    /// The permission bits of a file that is read by whoever may read all it holds.
    private func mode(holdingSecrets: Bool) -> EntryMode { holdingSecrets ? .secret : .file }

    /// Writes the overlay; it appears when it has been read back as Alpine's init would.
    ///
    /// - Returns: What was written.
    /// - Throws: ``BuildError`` with ``BuildError/Code/unbootable`` where the overlay as it was written would not do
    ///   what it says; what was at `target` is then still there.
    public func writeOverlay(
        to target: FilePath, durability: StagedFile.Durability = .immediate
    ) throws -> WrittenFile {
        report(.step("write the overlay"))
        let written = try overlay.write(to: target, durability: durability) { path in
            try OverlayCheck.require(path, packages: inputs.packages, report)
        }
        report(.detail("\(overlay.tree.count) entries, \(written.size) bytes"))
        return written
    }

    /// Writes the seed image; it appears when it has been read back.
    ///
    /// - Parameters:
    ///   - target: Where it will stand.
    ///   - overlayFile: The overlay that it carries in its root, or `nil` for the NoCloud files alone.
    ///   - isComplete: Whether binary and packages come with the overlay; a bundle's seed gets them when it is needed.
    ///   - additions: Further files by their place on the image.
    ///   - padding: Whether zeros follow for drives that read ahead.
    ///   - digesting: Whether the digest is computed as the bytes pass.
    ///   - durability: When it lasts through a power failure.
    /// - Returns: What was written.
    /// - Throws: `ISOError` or ``BuildError`` with ``BuildError/Code/defect``.
    public func writeSeed(
        to target: FilePath, overlayFile: WrittenFile?, isComplete: Bool = true, additions: [HostAddition] = [],
        padding: Bool = false, digesting: Bool = false, durability: StagedFile.Durability = .immediate
    ) throws -> WrittenFile {
        if overlayFile != nil, !node.kernelParameters.isEmpty {
            report(
                .warning(
                    "kernel.parameters: only the boot medium has them; Alpine's image beside the seed starts with its own"
                        + " command line"))
        }
        report(.step("write the seed image"))
        let isComplete = isComplete && overlayFile != nil
        var tree = try SeedImage.tree(
            files: seed.files,
            overlay: overlayFile.map { (Overlay.fileName(node), .file($0.path, size: $0.size)) },
            binary: isComplete ? inputs.kubesolo.map { .file($0.path, size: $0.pin.size) } : nil,
            repositories: isComplete ? try inputs.packages?.treeBesideImage() ?? FileTree() : FileTree(),
            holdingSecrets: overlay.tree.holdsSecrets)
        try SeedImage.add(additions, to: &tree)
        let writer = ISOWriter(volumeIdentifier: SeedImage.volumeIdentifier, epoch: node.stamp.epoch, padding: padding)
        let written = try writer.write(
            tree, to: target, mode: mode(holdingSecrets: tree.holdsSecrets), digesting: digesting,
            durability: durability
        ) { path in try ReadBack.require(tree, in: path, meantFor: target) }
        report(.detail("\(tree.count) entries, \(written.size) bytes"))
        return written
    }

    /// What is published as a bundle: every artefact under its release name, in the order in which they are made.
    ///
    /// - Parameters:
    ///   - recipe: The recipe that the node was resolved from.
    ///   - isComposingMedia: Whether the media are composed once, so that the manifest has their digests.
    /// - Returns: The artefacts, none of them written yet.
    /// - Throws: ``BuildError`` where an input is not at hand; `BundleError` for a version that is none.
    public func stage(recipe: DecodedRecipe, isComposingMedia: Bool = true) throws -> Stage {
        guard let image = inputs.alpineImage else {
            throw BuildError.missingInput(node.alpine.imageName(node.architecture), option: "--iso FILE")
        }
        guard let kubesolo = inputs.kubesolo else {
            throw BuildError.missingInput("the KubeSolo binary", option: "--kubesolo FILE")
        }
        let description = try description(recipe: recipe.digest)
        let repositories = inputs.repositories.isEmpty ? [] : try inputs.packages?.repositoriesBesideImage() ?? []
        let names = ArtefactNames(node)
        let hasSecrets = overlay.tree.holdsSecrets
        return Stage(
            description,
            artefacts: [
                StagedArtefact(.overlay, file: names.overlay, isSecret: hasSecrets) { target, _ in
                    try writeOverlay(to: target)
                },
                StagedArtefact(
                    .seed, file: names.seed, isSecret: seedHoldsSecrets
                ) { target, earlier in
                    try writeSeed(to: target, overlayFile: earlier[names.overlay], isComplete: false, digesting: true)
                },
                StagedArtefact(.kubesolo, file: names.kubesolo, copying: kubesolo.path, digest: kubesolo.pin.digest),
                StagedArtefact(
                    .alpineISO, file: names.alpineImage, copying: image.path,
                    digest: image.digest),
            ] + packagesArtefact(names, repositories) + evidence(names, recipe, repositories)
        ) { folder, artefacts in
            try mediaRecipes(names, in: folder, artefacts, isComposing: isComposingMedia)
        }
    }

    /// What a bundle would say of itself, without the inputs that are not at hand.
    ///
    /// - Parameter recipe: The digest of the recipe.
    /// - Returns: The description.
    /// - Throws: `BundleError` for a version that is none.
    public func description(recipe: Digest) throws -> BundleDescription {
        let minor = node.kubesolo.version.numbers.prefix(2).map(String.init).joined(separator: ".")
        let image = inputs.alpineImage.map { image in
            BundleDescription.Input(
                name: node.alpine.imageName(node.architecture), sha256: image.digest, trust: .init(image.trust))
        }
        let binary = inputs.kubesolo.map { binary in
            BundleDescription.Input(
                name: KubeSoloAsset(node.kubesolo, node.architecture).stem, sha256: binary.pin.digest,
                trust: .init(binary.trust))
        }
        return BundleDescription(
            name: node.name, version: try Version(node.stamp.version), epoch: node.stamp.epoch,
            architecture: node.architecture.alpineName, hostname: node.hostname,
            datastore: .init(kubesolo: minor),
            alpine: .init(release: node.alpine.version, flavor: node.alpine.flavor.rawValue),
            kubesolo: .init(version: node.kubesolo.version.description, variant: node.kubesolo.variant.rawValue),
            inputs: [image, binary].compactMap { $0 }, recipe: recipe)
    }

    /// The words that every kernel on the boot medium is told.
    public var mediumArguments: [String] { MediumArguments.words(node, overlay: Overlay.fileName(node)) }

    /// Whether Alpine's image and the KubeSolo binary are what they are called; what nothing vouches for is given neither
    /// maker nor address.
    var isImageVouchedFor: Bool {
        inputs.alpineImage.map { vouching[$0.digest] ?? ($0.trust != .unverified) } ?? true
    }

    /// See ``isImageVouchedFor``.
    var isBinaryVouchedFor: Bool {
        inputs.kubesolo.map { vouching[$0.pin.digest] ?? ($0.trust != .unverified) } ?? true
    }

    /// Whether the seed image holds a secret, of its own or in the overlay.
    var seedHoldsSecrets: Bool { overlay.tree.holdsSecrets || seed.files.holdsSecrets }
}

extension BundleDescription.Input.Trust {
    /// The word of the manifest for how an input was found to be the one that is meant.
    fileprivate init(_ trust: Upstream.Trust) {
        self =
            switch trust {
            case .pinned: .pinned
            case .checksumFile: .checksumFile
            case .unverified: .none
            }
    }
}

extension KubeSoloAsset {
    /// The name of the release without the suffix of the archive, whether it comes in one or not.
    fileprivate var stem: String {
        let suffix = ".tar.gz"
        return description.hasSuffix(suffix) ? String(description.dropLast(suffix.count)) : description
    }
}
