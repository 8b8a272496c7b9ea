public import Artefact
internal import Node
internal import SystemPackage
public import Upstream

/// The packages that a node installs at boot, proven from indexes, and what its medium carries of them.
public struct NodePackages: Sendable {
    /// Everything that the node's world takes.
    public let closure: PackageClosure
    /// What each repository of the closure is called, Alpine's image first.
    public let origins: [String]
    /// What Alpine's image lacks.
    public let carried: [MediumRepository]
    /// All that the node's repositories list.
    private let indexes: [PackageIndex]
    /// The repositories of the closure beside that of the image.
    private let others: [LocalRepository]
    private let architecture: String
    private let trust: AlpineKeys

    /// The repositories by their place on the medium that holds Alpine's image, too.
    public var tree: FileTree { get throws { try Self.tree(of: carried) } }

    /// The repositories by their place on a medium beside Alpine's image.
    ///
    /// - Throws: `UpstreamError` for a package that the mirror lacks: there it has to hold what the image holds, too.
    public func treeBesideImage() throws -> FileTree {
        try Self.tree(
            of: MediumRepository.compose(
                closure, from: others, placed: .onOtherMedium, architecture: architecture, trusting: trust))
    }

    private static func tree(of repositories: [MediumRepository]) throws -> FileTree {
        var tree = FileTree()
        for repository in repositories {
            for entry in repository.tree.entries { try tree.insert(entry) }
        }
        return tree
    }

    /// The public keys that the overlay brings.
    public var keys: [LocalRepository.KeyFile] { carried.compactMap(\.key) }

    /// Whether a repository lists a package of this name, or one that provides it.
    func offers(_ name: String) -> Bool { indexes.contains { $0.offers(name) } }

    /// Resolves the world of a node: over Alpine's image alone where that has all, else over what is beside it, too.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - image: Alpine's image, verified.
    ///   - mirror: Where the repositories of its branch are.
    ///   - verified: Files that were read before.
    ///   - progress: Called for each package that is verified.
    /// - Returns: The packages.
    /// - Throws: `UpstreamError` with the chain of reasons for a world that cannot be satisfied, or for a repository or
    ///   package that is not what it should be.
    static func resolve(
        _ node: NodeImage, on image: AlpineImage, mirror: DirectoryMirror?, knowing verified: VerifiedFiles? = nil,
        progress: (String) -> Void
    ) throws -> NodePackages {
        let boot = try image.packagesAtBoot(knowing: verified)
        let world = boot.world(node.packages)
        let architecture = node.architecture.alpineName
        let own = PackageResolver.Repository(
            name: image.path.lastComponent?.string ?? image.path.string, index: boot.index)
        let alone = PackageResolver([own], architecture: architecture)
        if node.ownPackages == nil, let closure = try? alone.resolve(world: world) {
            return NodePackages(
                closure: closure, origins: [own.name], carried: [], indexes: [boot.index], others: [],
                architecture: architecture, trust: boot.keys)
        }
        var repositories = try (mirror?.repositories(branch: node.alpine.branch, architecture: architecture) ?? []).map
        {
            try LocalRepository(
                directory: $0.directory, name: $0.name, title: "\($0.name) of \($0.directory)", trusting: boot.keys)
        }
        if let packages = node.ownPackages {
            repositories.append(
                try LocalRepository(
                    ownPackagesIn: packages.directory, name: "own", title: packages.directory.string,
                    architecture: architecture, key: try SigningKey(packages.key), epoch: node.stamp.epoch))
        }
        var resolver = PackageResolver([own] + repositories.map(\.resolved), architecture: architecture)
        var closure = try resolver.resolve(world: world)
        // A repository of which nothing is taken is not carried, so what counts is what comes out without it.
        while let unused = repositories.indices.last(where: { number in
            !closure.members.contains { $0.repository == number + 1 }
        }) {
            repositories.remove(at: unused)
            resolver = PackageResolver([own] + repositories.map(\.resolved), architecture: architecture)
            closure = try resolver.resolve(world: world)
        }
        let carried = try MediumRepository.compose(
            closure, from: repositories, placed: .onImage, architecture: architecture, trusting: boot.keys,
            progress: progress)
        return NodePackages(
            closure: closure, origins: resolver.repositories.map(\.name), carried: carried,
            indexes: resolver.repositories.map(\.index), others: repositories, architecture: architecture,
            trust: boot.keys)
    }
}
