internal import Artefact
internal import ISOBuild
internal import SystemPackage

/// What of a bundle's repositories a medium carries that holds Alpine's image.
///
/// A bundle has them as they stand on a medium of their own, where each holds all that the node takes of what its index
/// lists. Beside `apks`, which init finds first, what the image or an earlier repository holds need not be there again.
enum CarriedPackages {
    /// Leaves out packages that are elsewhere on the medium.
    ///
    /// - Parameters:
    ///   - repositories: The repositories by their place.
    ///   - image: Alpine's image.
    ///   - architecture: Alpine's name of the processor.
    /// - Returns: The repositories with their indexes, and the packages that only they hold.
    /// - Throws: `ISOError` for an image that cannot be read.
    static func lacking(_ repositories: FileTree, on image: FilePath, architecture: String) throws -> FileTree {
        guard !repositories.isEmpty else { return repositories }
        let folder = "apks/\(architecture)/"
        var held: Set<String> = []
        for entry in try ISOReader(image).entries() where entry.path.hasPrefix(folder) {
            held.insert(String(entry.path.dropFirst(folder.count)))
        }
        var tree = FileTree()
        for entry in repositories.entries {
            let name = entry.path.components.last ?? ""
            if !entry.isDirectory, name.hasSuffix(".apk"), !held.insert(name).inserted { continue }
            try tree.insert(entry)
        }
        return tree
    }
}
