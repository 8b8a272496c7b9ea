internal import Archive
public import Artefact
internal import CloudInit
internal import ISOBuild
public import SystemPackage
internal import Upstream

/// What a boot medium is composed of.
public struct MediumParts: Sendable {
    /// Alpine's image.
    public var base: FilePath
    /// The overlay: its file and the name that it gets.
    public var overlay: (file: WrittenFile, name: String)
    /// The KubeSolo binary.
    public var kubesolo: (path: FilePath, size: UInt64)
    /// Package repositories by their place on the medium.
    public var repositories: FileTree
    /// The words that every kernel is told.
    public var arguments: [String]
    /// Seconds since 1970-01-01 for all that is added.
    public var epoch: Int64
    /// Whether only the owner may read the medium.
    public var holdsSecrets: Bool
}

/// Composes a boot medium: Alpine's image with overlay, binary and packages grafted onto it.
///
/// ```
/// HOSTNAME.apkovl.tar.gz   the overlay, for whoever reads the medium; init takes the one in the archive
/// boot/…/*.cfg             Alpine's own, each kernel with further words and the archive as one more initrd
/// ksbuild/overlay.cpio     the overlay as the kernel unpacks it into the first root
/// ksbuild/kubesolo         the binary
/// ksbuild/…/               package repositories, each with `.boot_repository`
/// ```
///
/// The overlay travels in an initrd of its own because init takes the first overlay that it sees on any medium, and a
/// foreign one may come earlier; a path in the first root is taken as it is.
public enum MediumComposer {
    /// The directory of what is added.
    static let folder = "ksbuild"
    /// The archive with the overlay.
    static let archivePath = "\(folder)/overlay.cpio"

    /// Writes a medium without giving it its name yet, and reads it back.
    ///
    /// - Parameters:
    ///   - parts: What it is composed of.
    ///   - target: Where it would stand.
    ///   - scratch: A folder for what is made on the way.
    /// - Returns: The medium, to be committed or dropped, its size and its digest.
    /// - Throws: `ISOError` for an image that cannot be grafted, `UpstreamError` for one without a boot loader that is
    ///   known, ``BuildError`` with ``BuildError/Code/defect`` where it does not read back as it was meant.
    public static func compose(
        _ parts: MediumParts, for target: FilePath, scratch: FilePath
    ) throws -> ComposedMedium {
        let name = parts.overlay.name
        let overlay = Content.file(parts.overlay.file.path, size: parts.overlay.file.size)
        let overlayMode: EntryMode = parts.holdsSecrets ? .secret : .file
        func file(_ path: String, _ content: Content, _ mode: EntryMode, _ origin: String) throws -> TreeEntry {
            TreeEntry(
                path: try EntryPath(path), kind: .file(content), mode: mode, origin: origin,
                isSecret: parts.holdsSecrets && origin == "overlay")
        }
        var first = FileTree()
        try first.insert(file(name, overlay, .secret, "overlay"))
        let archive = try CPIOWriter.write(
            first, epoch: parts.epoch, to: scratch.appending(".overlay.cpio"), mode: .secret)

        var tree = parts.repositories
        try tree.insert(file(name, overlay, overlayMode, "overlay"))
        try tree.insert(file(archivePath, .file(archive.path, size: archive.size), overlayMode, "overlay"))
        try tree.insert(
            file(
                SeedImage.binaryPath, .file(parts.kubesolo.path, size: parts.kubesolo.size), EntryMode(0o555),
                "kubesolo"))
        for (path, text) in try configurations(of: parts.base, arguments: parts.arguments) {
            try tree.insert(file(path, .bytes(text), EntryMode(0o444), "boot configuration"))
        }
        let medium = try ComposedMedium(
            tree, on: parts.base, epoch: parts.epoch, for: target, holdsSecrets: parts.holdsSecrets)
        try HostFile.remove(archive.path)
        return medium
    }

    /// The boot loaders' configurations on an image, each as it is to be.
    private static func configurations(
        of image: FilePath, arguments: [String]
    ) throws -> [(path: String, text: [UInt8])] {
        let reader = try ISOReader(image)
        var found: [(String, [UInt8])] = []
        for entry in try reader.entries() where entry.kind == .file {
            guard let dialect = BootConfiguration.dialect(ofFile: entry.name) else { continue }
            let text = try reader.read(entry, limit: BootConfiguration.maximumBytes)
            let configuration = try BootConfiguration(text, dialect: dialect, named: "\(image)(\(entry.path))")
            found.append((entry.path, try configuration.adding(arguments: arguments, initrd: "/\(archivePath)")))
        }
        guard !found.isEmpty else {
            throw UpstreamError(
                .incomplete, subject: image.string,
                detail: "has no configuration of a boot loader that is known (syslinux.cfg, grub.cfg), so its kernel"
                    + " cannot be told of the overlay")
        }
        return found
    }
}
