public import Artefact

/// What stands on the seed medium: the NoCloud files, the overlay in its root, and the KubeSolo binary.
///
/// Alpine's init takes as the overlay the first file it sees in the root of any medium that matches
/// `*.apkovl.tar.gz*` (`nlplug-findfs`), so there must not be two. A directory at the top that holds
/// `.boot_repository` would end its search before the boot medium is seen.
public enum SeedImage {
    /// The label by which cloud-init finds the medium.
    public static let volumeIdentifier = "cidata"
    /// Where the KubeSolo binary stands.
    public static let binaryPath = "ksbuild/kubesolo"

    /// Lays everything into one tree.
    ///
    /// - Parameters:
    ///   - files: The NoCloud files.
    ///   - overlay: The overlay's name, `NAME.apkovl.tar.gz`, and its bytes.
    ///   - binary: The bare KubeSolo binary.
    ///   - repositories: Package repositories by their place, each two levels down.
    ///   - holdingSecrets: Whether the overlay holds secrets, so that only its owner may read it.
    /// - Returns: The tree for an image labelled ``volumeIdentifier``.
    /// - Throws: ``CloudInitError`` with ``CloudInitError/Code/misplaced``, or `ArtefactError` where two files have one
    ///   name.
    public static func tree(
        files: FileTree, overlay: (name: String, content: Content)?, binary: Content?,
        repositories: FileTree = FileTree(), holdingSecrets: Bool
    ) throws -> FileTree {
        var tree = files
        for entry in repositories.entries { try tree.insert(entry) }
        if let overlay {
            guard overlay.name.hasSuffix(overlaySuffix), !overlay.name.contains("/") else {
                throw CloudInitError(
                    .misplaced, subject: overlay.name,
                    detail: "is no name under which init finds an overlay; it must end in '\(overlaySuffix)'")
            }
            try tree.insert(
                TreeEntry(
                    path: EntryPath(overlay.name), kind: .file(overlay.content),
                    mode: holdingSecrets ? .secret : .file, origin: "overlay", isSecret: holdingSecrets))
        }
        if let binary {
            try tree.insert(
                TreeEntry(
                    path: EntryPath(binaryPath), kind: .file(binary), mode: EntryMode(0o555), origin: "kubesolo"))
        }
        try check(tree)
        return tree
    }

    /// Puts further files on the medium; one that only its owner may read stays so, and makes the image a secret.
    ///
    /// - Throws: ``CloudInitError`` with ``CloudInitError/Code/misplaced``, or `ArtefactError` where a file cannot be
    ///   read or something has its place already; the tree is then as it was.
    public static func add(_ additions: [HostAddition], to tree: inout FileTree) throws {
        var next = tree
        for addition in additions {
            for entry in try addition.entries() { try next.insert(entry) }
        }
        try check(next)
        tree = next
    }

    private static let overlaySuffix = ".apkovl.tar.gz"

    private static func check(_ tree: FileTree) throws(CloudInitError) {
        var found: TreeEntry?
        for entry in tree.entries {
            let components = entry.path.components
            if components.count == 1, entry.path.string.lowercased().contains(overlaySuffix) {
                if let found {
                    throw CloudInitError(
                        .misplaced, subject: entry.path.string,
                        detail: "would be a second overlay beside \(found.path), and init takes either; "
                            + "put it into a directory")
                }
                found = entry
            }
            if components.count == 2, components[1] == ".boot_repository" {
                throw CloudInitError(
                    .misplaced, subject: entry.path.string,
                    detail: "would end init's search before it sees the boot medium; put the repository a level deeper")
            }
        }
    }
}
