internal import Artefact
internal import Bundle
internal import Glibc
public import SystemPackage

/// A version laid out below a directory that a web server serves.
///
/// ```
/// DIR/VERSION/                  one version, never written again
/// DIR/VERSION/boot.ipxe         what starts it, by the addresses of the cards
/// DIR/boot.ipxe                 the same for the version published last; replaced last
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
        try write(into: staging, scratch: scratch.path)
        let digests = try Self.digests(of: staging, below: "")
        try HostFile.synchronise(fileSystemOf: staging)
        let isThere = HostFile.exists(target)
        if isThere {
            guard try Self.digests(of: target, below: "") == digests else {
                throw NetbootError(
                    .versionTaken, subject: target.string,
                    detail: "holds another content; a published version never changes: remove it, or take a new version"
                )
            }
        } else {
            try HostFile.rename(staging, to: target)
            try HostFile.synchronise(directory: folder)
        }
        for name in digests.keys.sorted() where name.hasSuffix(".ipxe") {
            try StagedFile.write(try HostFile.read(target.appending(name), limit: 1 << 20), to: folder.appending(name))
        }
        // One that another version left would go on starting that one.
        if digests[Self.scriptByUUID] == nil { try HostFile.remove(folder.appending(Self.scriptByUUID)) }
        return NetbootPublication(
            path: target, isIdentical: isThere, overlays: digests.keys.count { $0.hasPrefix("overlays/") })
    }

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
