public import Artefact
public import Bundle
public import Node
public import SystemPackage
public import Upstream

/// Where the command line says that inputs are.
public struct InputSources: Hashable, Sendable {
    /// The Alpine image.
    public var alpineImage: FilePath?
    /// A KubeSolo release archive or the bare binary.
    public var kubesolo: FilePath?
    /// A directory with the layout of upstream's releases, for what is not named itself.
    public var mirror: FilePath?

    /// Joins the parts.
    public init(alpineImage: FilePath? = nil, kubesolo: FilePath? = nil, mirror: FilePath? = nil) {
        self.alpineImage = alpineImage
        self.kubesolo = kubesolo
        self.mirror = mirror
    }
}

/// What a build takes from upstreams: verified, or not at hand.
public struct BuildInputs: Sendable {
    /// The Alpine image.
    public let alpineImage: AlpineImage?
    /// The KubeSolo binary.
    public let kubesolo: KubeSoloBinary?

    /// The packages that the node installs, where an image is at hand.
    public let packages: NodePackages?
    /// The package repositories that a medium carries for what Alpine's image lacks, by their place on it; empty where
    /// nothing is lacking.
    public let repositories: FileTree

    /// The files that were found, as they stand with their owners.
    public var files: [FilePath] { [alpineImage?.path, kubesolo?.source].compactMap { $0 } }

    /// Finds and verifies the inputs.
    ///
    /// - Parameters:
    ///   - node: What they must fit.
    ///   - sources: Where they are.
    ///   - areRequired: Whether a missing one is an error; otherwise it is reported as something that is not checked.
    ///   - folder: Where a binary may be unpacked; on the file system of the results.
    ///   - store: The store that holds files of earlier builds, and what is known of files without reading them.
    ///   - report: Told of each step.
    /// - Returns: What was found, verified.
    /// - Throws: `UpstreamError` with the reason that helps most, ``BuildError`` for an input that is not named.
    public static func gather(
        for node: NodeImage, from sources: InputSources, areRequired: Bool, unpackingInto folder: FilePath,
        reusing store: (BundleStore, VerifiedFiles)? = nil, report: @escaping BuildReport
    ) throws -> BuildInputs {
        let mirror = sources.mirror.map { DirectoryMirror(root: $0) }
        let imageInput = UpstreamInput.alpineImage(node.alpine, node.architecture)
        let kubesoloInput = UpstreamInput.kubeSolo(KubeSoloAsset(node.kubesolo, node.architecture))

        var alpineImage: AlpineImage?
        var packages: NodePackages?
        if let path = try sources.alpineImage ?? mirror?.locate(imageInput) {
            report(.step("verify \(path.lastComponent?.string ?? path.string)"))
            // What the image lacks may come from elsewhere; where nothing else is at hand, the image alone is judged.
            let branch = mirror?.repositories(branch: node.alpine.branch, architecture: node.architecture.alpineName)
            let isAlone = (branch ?? []).isEmpty && node.ownPackages == nil
            let image = try AlpineImage.verify(
                path, release: node.alpine, architecture: node.architecture, world: isAlone ? node.packages : [],
                knowing: store?.1, progress: { report(.progress(done: $0, total: $1)) })
            report(.detail("\(image.volumeIdentifier), \(image.size) bytes, sha256 \(image.digest), \(image.trust)"))
            if image.trust == .unverified {
                report(
                    .unchecked("\(path): nothing says what its digest should be; pin alpine.sha256: \(image.digest)"))
            }
            alpineImage = image
            packages = try resolvePackages(node, on: image, mirror: mirror, store?.1, report)
        } else if areRequired {
            throw BuildError.missingInput(imageInput.name, option: "--iso FILE")
        } else {
            report(
                .unchecked("packages: no Alpine image is at hand, so nothing proves that \(imageInput.name) has them"))
        }

        var kubesolo: KubeSoloBinary?
        if let path = try sources.kubesolo ?? mirror?.locate(kubesoloInput) {
            report(.step("verify \(path.lastComponent?.string ?? path.string)"))
            let binary = try KubeSoloBinary.load(
                path, kubesolo: node.kubesolo, architecture: node.architecture, staging: folder.appending("kubesolo"),
                knowing: store?.1, unpacked: { source in unpacked(source, store) })
            report(.detail("binary of \(binary.pin.size) bytes, sha256 \(binary.pin.digest), \(binary.trust)"))
            if binary.trust == .unverified {
                report(.unchecked("\(path): nothing says what its digest should be; pin kubesolo.sha256"))
            }
            kubesolo = binary
        } else if areRequired {
            throw BuildError.missingInput(kubesoloInput.name, option: "--kubesolo FILE")
        } else {
            report(.unchecked("KubeSolo: no binary is at hand, so the node takes the one on its medium unverified"))
        }
        return BuildInputs(
            alpineImage: alpineImage, kubesolo: kubesolo, packages: packages,
            repositories: try packages?.tree ?? FileTree())
    }

    /// The binary that a file with this digest is or holds, where the store has it.
    private static func unpacked(_ source: Digest, _ store: (BundleStore, VerifiedFiles)?) -> WrittenFile? {
        guard let (store, verified) = store else { return nil }
        return store.object(
            verified.content(ofArchive: source) ?? source, mode: EntryMode(0o555), knowing: verified)
    }

    private static func resolvePackages(
        _ node: NodeImage, on image: AlpineImage, mirror: DirectoryMirror?, _ verified: VerifiedFiles?,
        _ report: BuildReport
    ) throws -> NodePackages {
        report(.step("resolve the packages"))
        let packages = try NodePackages.resolve(node, on: image, mirror: mirror, knowing: verified) {
            report(.detail("verify \($0)"))
        }
        let carried = packages.carried.reduce(0) { $0 + $1.packages.count }
        report(
            .detail(
                "\(packages.closure.members.count) packages, \(packages.closure.installedSize >> 20) MiB installed,"
                    + " \(carried) of them beside Alpine's image"))
        return packages
    }
}
