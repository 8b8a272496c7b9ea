import Artefact
import Bundle
import Diff
import SystemPackage

/// What `diff` and `plan --against` compare, as it is named on the command line.
enum ComparedSubject {
    /// Reads a version in the folder, `current`, a bundle's directory, an overlay or an image.
    ///
    /// - Parameters:
    ///   - name: As it is named.
    ///   - folder: Where versions are.
    ///   - choice: Which node of a fleet's bundle.
    /// - Returns: What it says of a node, or of all of a fleet.
    /// - Throws: `BundleError` or `ArtefactError` where it is not there or cannot be read, `BuildError` with
    ///   `BuildError.Code.otherNode`.
    static func read(_ name: String, in folder: OutputFolder, node choice: NodeChoice = .all) throws -> Side {
        let path = FilePath(name)
        func bundle(_ path: FilePath, _ name: String) throws -> Side {
            try Side(bundle: path, named: name) { names in try choice.name(among: names, in: name) }
        }
        if let status = try? HostFile.status(of: path) {
            if status.kind == .directory { return try bundle(path, name) }
            let scratch = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-diff-")
            return try ImageMark.isOn(path)
                ? Side(image: path, scratch: scratch.path) : Side(overlay: path)
        }
        let store = BundleStore(folder.path)
        if name == "current" {
            guard let version = try store.current() else {
                throw BundleError(.notFound, subject: folder.path.appending(name).string, detail: "no bundle is live")
            }
            return try bundle(store.path(of: version), version.description)
        }
        guard let version = try? Version(name) else {
            throw ArtefactError.system("read", path, .noSuchFileOrDirectory)
        }
        guard HostFile.exists(store.path(of: version)) else {
            throw BundleError(.notFound, subject: "version \(version)", detail: "is not in \(folder.path)")
        }
        return try bundle(store.path(of: version), name)
    }

    /// Prints what differs, and ends the command with 1 where anything does.
    static func conclude(_ difference: Difference, json: Bool, _ report: ReportOptions) throws {
        if json {
            Console.print(try JSONText.of(difference))
        } else if !report.quiet {
            for line in difference.lines { Console.print(printable(line)) }
        }
        if !difference.isEqual { throw Outcome(failureClass: .findings) }
    }
}
