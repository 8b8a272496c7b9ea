internal import Artefact
internal import Bundle
internal import Glibc
public import SystemPackage

/// A version laid out below a directory that a web server serves.
///
/// ```
/// DIR/VERSION/                  one version, never written again; it does not depend on the address
/// DIR/boot.ipxe                 what starts the version published last; replaced last
/// DIR/boot-by-uuid.ipxe         the same by UUIDs alone, where nodes have some
/// ```
public struct NetbootPublication: Hashable, Sendable {
    /// The version's directory.
    public let path: FilePath
    /// Whether it was there already, byte for byte.
    public let isIdentical: Bool
    /// How many overlays it holds.
    public let overlays: Int
}

extension NetbootTree {
    /// Lays the tree out in a directory; it appears whole, by one rename.
    ///
    /// - Parameter folder: The directory, which is made where it is not there.
    /// - Returns: What is there now.
    /// - Throws: ``NetbootError`` with ``NetbootError/Code/versionTaken`` where the version stands there with another
    ///   content, with ``NetbootError/Code/busy`` where another command writes there, and what reading and writing throw.
    public func publish(to folder: FilePath) throws -> NetbootPublication {
        try HostFile.makeDirectories(folder)
        let lock = try HostFile.open(folder)
        defer { try? lock.close() }
        guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw NetbootError(
                .busy, subject: folder.string,
                detail: "is being written by another command; try again when it has ended")
        }
        let version = manifest.version.description
        let target = folder.appending(version)
        let staging = folder.appending(".\(version).partial")
        try HostFile.removeTree(staging)
        try HostFile.makeDirectory(staging)
        defer { try? HostFile.removeTree(staging) }
        let scratch = try TemporaryFolder(in: folder, prefix: ".packages-")
        let repositories = try write(into: staging, scratch: scratch.path)
        let digests = try Self.digests(of: staging, below: "")
        try HostFile.synchronise(fileSystemOf: staging)
        let isThere = HostFile.exists(target)
        if isThere {
            // Scripts within a version are those of an earlier ksbuild.
            let there = try Self.digests(of: target, below: "").filter { !Self.isScript($0.key) }
            let places = Set(digests.keys).union(there.keys).sorted()
            if let odd = places.first(where: { digests[$0] != there[$0] }) {
                let what =
                    there[odd] == nil ? "lacks '\(odd)'" : digests[odd] == nil ? "has '\(odd)'" : "has another '\(odd)'"
                throw NetbootError(
                    .versionTaken, subject: target.string,
                    detail:
                        "holds another content (it \(printable(what))); a published version never changes: remove it,"
                        + " or take a new version")
            }
        } else {
            try HostFile.rename(staging, to: target)
            try HostFile.synchronise(directory: folder)
        }
        let scripts = scripts(repositories: repositories)
        for script in scripts.reversed() {
            try StagedFile.write(Array(script.text.utf8), to: folder.appending(script.name))
        }
        // One that another version left would go on starting that one.
        if !scripts.contains(where: { $0.name == Self.scriptByUUID }) {
            try HostFile.remove(folder.appending(Self.scriptByUUID))
        }
        return NetbootPublication(path: target, isIdentical: isThere, overlays: overlays.count)
    }

    private static func isScript(_ place: String) -> Bool { !place.contains("/") && place.hasSuffix(".ipxe") }

    /// The digest of every file below a directory, by its place; what is neither file nor directory has none.
    private static func digests(of root: FilePath, below prefix: String) throws -> [String: Digest?] {
        var found: [String: Digest?] = [:]
        for name in try HostFile.names(in: root) {
            let path = root.appending(name)
            switch try HostFile.status(of: path, followingLinks: false).kind {
            case .directory: found.merge(try digests(of: path, below: "\(prefix)\(name)/")) { first, _ in first }
            case .file: found["\(prefix)\(name)"] = .some(try Digest(ofFile: path))
            default: found["\(prefix)\(name)"] = .some(nil)
            }
        }
        return found
    }
}
