internal import Artefact
internal import Glibc
internal import SystemPackage

/// Whether a user of the host can go through directories, by their modes and access control lists (acl(5)).
struct PathSearch: Hashable, Sendable {
    private let account: HostAccount

    /// Prepares the question for a user.
    init(_ account: HostAccount) { self.account = account }

    /// The first directory, from the root on, that the user cannot go through on the way to what is in `directory`.
    ///
    /// - Parameter directory: An absolute path; of what is not there yet the nearest that is counts.
    /// - Returns: `nil` where there is none; root goes through all.
    /// - Throws: `ArtefactError` where a directory cannot be looked at.
    func obstacle(on directory: FilePath) throws -> FilePath? {
        guard account.identifier != 0 else { return nil }
        var path = Self.nearest(directory)
        if let real = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) {
            path = FilePath(unsafe String(cString: real))
            unsafe free(real)
        }
        var ancestors = [path]
        while let last = ancestors.last, last.removingLastComponent() != last {
            ancestors.append(last.removingLastComponent())
        }
        for ancestor in ancestors.reversed() where try !canSearch(ancestor) { return ancestor }
        return nil
    }

    /// The path itself, or the nearest one above it that is there.
    static func nearest(_ path: FilePath) -> FilePath {
        var path = path
        while !HostFile.exists(path), path.removingLastComponent() != path { path = path.removingLastComponent() }
        return path
    }

    private func canSearch(_ directory: FilePath) throws -> Bool {
        var status = stat()
        let result = unsafe directory.withPlatformString { unsafe stat($0, &status) }
        guard result == 0 else { throw ArtefactError.system("read", directory, Errno(rawValue: errno)) }
        if let list = AccessList(of: directory) { return list.allowsSearch(account, of: status) }
        return AccessList(mode: status.st_mode).allowsSearch(account, of: status)
    }
}
