public import Artefact
public import Node
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
    public func treeBesideImage() throws -> FileTree { try Self.tree(of: repositoriesBesideImage()) }

    /// The repositories on a medium beside Alpine's image, each with its packages, verified.
    ///
    /// - Throws: As ``treeBesideImage()`` does.
    func repositoriesBesideImage() throws -> [MediumRepository] {
        try MediumRepository.compose(
            closure, from: others, placed: .onOtherMedium, architecture: architecture, trusting: trust)
    }

    static func tree(of repositories: [MediumRepository]) throws -> FileTree {
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
        let choice = try choose(node, on: image, mirror: mirror, knowing: verified)
        let architecture = node.architecture.alpineName
        let carried = try MediumRepository.compose(
            choice.closure, from: choice.repositories, placed: .onImage, architecture: architecture,
            trusting: choice.boot.keys, progress: progress)
        return NodePackages(
            closure: choice.closure, origins: choice.resolved.map(\.name), carried: carried,
            indexes: choice.resolved.map(\.index), others: choice.repositories, architecture: architecture,
            trust: choice.boot.keys)
    }

    /// What a world takes and from where, before any package file is looked at.
    private struct Choice {
        let closure: PackageClosure
        let boot: PackagesAtBoot
        /// The repositories of the closure beside that of the image.
        let repositories: [LocalRepository]
        /// All of them, that of the image first.
        let resolved: [PackageResolver.Repository]
    }

    private static func choose(
        _ node: NodeImage, on image: AlpineImage, mirror: DirectoryMirror?, knowing verified: VerifiedFiles?
    ) throws -> Choice {
        let boot = try image.packagesAtBoot(knowing: verified)
        let world = boot.world(node.packages)
        let architecture = node.architecture.alpineName
        let own = PackageResolver.Repository(
            name: image.path.lastComponent?.string ?? image.path.string, index: boot.index)
        let alone = PackageResolver([own], architecture: architecture)
        if node.ownPackages == nil, let closure = try? alone.resolve(world: world) {
            return Choice(closure: closure, boot: boot, repositories: [], resolved: [own])
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
        return Choice(closure: closure, boot: boot, repositories: repositories, resolved: resolver.repositories)
    }
}

/// A file of one of Alpine's repositories that a node's media carry.
public struct RepositoryFile: Hashable, Sendable {
    /// `main` or `community`.
    public let repository: String
    /// The file's name, `APKINDEX.tar.gz` or that of a package.
    public let name: String
    /// Its size in bytes as the index has it; `nil` for the index.
    public let size: UInt64?
    /// The file name of the key that signed the index.
    public let keyName: String
}

extension NodePackages {
    /// The files that a build takes from Alpine's repositories, which it needs for what the image lacks.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - image: Alpine's image, verified.
    ///   - indexes: A mirror that holds the indexes of the branch; package files need not be there.
    /// - Returns: The files, the index of each repository first; none where the image has all.
    /// - Throws: As ``BuildInputs/gather(for:from:areRequired:unpackingInto:reusing:report:)`` does.
    public static func repositoryFiles(
        _ node: NodeImage, on image: AlpineImage, indexes: DirectoryMirror?
    ) throws -> [RepositoryFile] {
        let choice = try choose(node, on: image, mirror: indexes, knowing: nil)
        return files(of: choice.closure, in: choice.repositories, trusting: choice.boot.keys)
    }

    /// The files that this build takes from Alpine's repositories.
    public var repositoryFiles: [RepositoryFile] { Self.files(of: closure, in: others, trusting: trust) }

    private static func files(
        of closure: PackageClosure, in repositories: [LocalRepository], trusting keys: AlpineKeys
    ) -> [RepositoryFile] {
        let taken = Set(closure.members.map(\.package.fileName))
        return repositories.filter { $0.ownKey == nil }.flatMap { repository in
            let key = repository.index.signatures.map(\.keyName).first(where: keys.names.contains) ?? ""
            // On a medium of its own a repository holds what the image has, too.
            let packages = repository.index.packages.filter { taken.contains($0.fileName) }
            return [RepositoryFile(repository: repository.name, name: "APKINDEX.tar.gz", size: nil, keyName: key)]
                + packages.map {
                    RepositoryFile(repository: repository.name, name: $0.fileName, size: $0.size, keyName: key)
                }
        }
    }
}
