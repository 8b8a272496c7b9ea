internal import Artefact
internal import ISOBuild
public import SystemPackage

extension BundledMedium {
    /// Writes a medium with the token by which a node gives up what a confirmed version has written on its data disk.
    ///
    /// - Parameters:
    ///   - medium: The medium as it was composed.
    ///   - token: The line: the KubeSolo release that is given up, and words that no line before has had.
    ///   - target: Where it goes; readable for whom `medium` is.
    /// - Returns: `target`.
    /// - Throws: `ISOError` or `ArtefactError`.
    public func write(_ medium: FilePath, withRestoreToken token: String, to target: FilePath) throws -> FilePath {
        var tree = FileTree()
        try tree.insert(
            TreeEntry(
                path: EntryPath("ksbuild/restore"), kind: .file(.bytes(Array("\(token)\n".utf8))),
                mode: EntryMode(0o444), origin: "restore token"))
        let written = try ISOGraft(medium, epoch: epoch).write(tree, removing: [], to: target)
        if try HostFile.status(of: medium).mode.bits & 0o044 == 0 { try HostFile.setMode(of: target, .secret) }
        return written.path
    }
}
