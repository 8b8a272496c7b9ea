public import Artefact
internal import SystemPackage

/// A repository as it stands on a medium, with just the packages that a node takes from it.
///
/// `ksbuild/NAME/.boot_repository`, `ksbuild/NAME/ARCH/APKINDEX.tar.gz` and `ksbuild/NAME/ARCH/*.apk`. Alpine's init looks
/// for `.boot_repository` three levels below `/media`, so two below the root of the medium, and gives apk every directory
/// that holds one. At the root itself such a directory would end the scan for media before all have been seen.
public struct MediumRepository: Hashable, Sendable {
    /// The directory at the root of a medium below which the repositories stand.
    public static let folder = "ksbuild"

    /// The name of its directory: `main`, `community`, `own`.
    public let name: String
    /// The packages in it, verified, in the order of their names.
    public let packages: [PackageFile]
    /// The digest of `APKINDEX.tar.gz`.
    public let indexDigest: Digest
    /// The public key that has to be at `etc/apk/keys/` in the overlay, where the index is not signed by one of the ISO's.
    public let key: LocalRepository.KeyFile?
    /// All of it, from the root of the medium.
    public let tree: FileTree

    /// The sum of the sizes of the package files in bytes.
    public var size: UInt64 { packages.reduce(0) { $0 + $1.size } }

    /// Where the repositories stand, seen from the image's own.
    public enum Place: Hashable, Sendable {
        /// On the image itself, where init finds `apks` before `ksbuild`: what the image holds need not be there twice.
        case onImage
        /// On another medium, which init may find before the image.
        ///
        /// apk takes a package from the first repository that lists it and looks no further when the file is not there,
        /// so each repository holds all that is taken of what its index lists.
        case onOtherMedium
    }

    /// Makes the repositories that a medium needs beside the one on Alpine's image.
    ///
    /// A repository of which nothing is taken is left out. Every package file is verified: against its index, which a key
    /// of the node's signed, and by its own signature where it is Alpine's.
    ///
    /// - Parameters:
    ///   - closure: What the node takes, resolved over the image and then `repositories` in this order.
    ///   - repositories: The repositories beside that of the image, in the order of their names, in which init finds them.
    ///   - place: Where they will stand.
    ///   - architecture: Alpine's name of the processor.
    ///   - keys: The keys that the node trusts.
    ///   - progress: Called for each package before it is read.
    /// - Returns: The repositories in their order.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notFound`` for a package that its repository does not hold,
    ///   and what ``PackageFile/verify(_:against:keys:)`` throws.
    public static func compose(
        _ closure: PackageClosure, from repositories: [LocalRepository], placed place: Place = .onOtherMedium,
        architecture: String, trusting keys: AlpineKeys, progress: (String) -> Void = { _ in }
    ) throws -> [MediumRepository] {
        let fileNames = Set(closure.members.map(\.package.fileName))
        var composed: [MediumRepository] = []
        for (number, repository) in repositories.enumerated() {
            // The image's own repository is number 0 of the closure.
            let taken = closure.members.filter { $0.repository == number + 1 }.map(\.package)
            guard !taken.isEmpty else { continue }
            let packages =
                place == .onImage ? taken : repository.index.packages.filter { fileNames.contains($0.fileName) }
            composed.append(
                try MediumRepository(
                    repository, packages.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
                    architecture: architecture, trusting: keys, progress: progress))
        }
        return composed
    }

    private init(
        _ repository: LocalRepository, _ taken: [PackageIndex.Package], architecture: String, trusting keys: AlpineKeys,
        progress: (String) -> Void
    ) throws {
        let root = "\(Self.folder)/\(repository.name)"
        let origin = "packages of \(repository.title)"
        var tree = FileTree()
        try tree.addFile("\(root)/.boot_repository", "", origin: origin)
        try tree.insert(
            TreeEntry(
                path: EntryPath("\(root)/\(architecture)/APKINDEX.tar.gz"), kind: .file(.bytes(repository.archive)),
                mode: .file, origin: origin))
        var packages: [PackageFile] = []
        for package in taken {
            progress(package.fileName)
            let path = repository.path(of: package)
            guard HostFile.exists(path) else {
                throw UpstreamError(
                    .notFound, subject: path.string,
                    detail: "is not there although the index of \(repository.title) lists it")
            }
            let file = try PackageFile.verify(path, against: package, keys: repository.ownKey == nil ? keys : nil)
            try tree.insert(
                TreeEntry(
                    path: EntryPath("\(root)/\(architecture)/\(package.fileName)"),
                    kind: .file(.file(path, size: file.size)), mode: .file, origin: origin))
            packages.append(file)
        }
        name = repository.name
        self.packages = packages
        indexDigest = Digest(of: repository.archive)
        key = repository.ownKey
        self.tree = tree
    }
}
