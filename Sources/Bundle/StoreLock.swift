internal import Artefact
internal import Glibc
package import SystemPackage

/// Keeps a second writer out while one changes the store.
///
/// The lock is `flock(2)` on `OUT/.lock`: it ends with the process that holds it, however that ends. The file is removed
/// by its holder; whoever locked a file that has meanwhile been removed notices and tries again.
package enum StoreLock {
    static let fileName = ".lock"

    /// Runs `body` while no other writer runs.
    ///
    /// - Parameters:
    ///   - out: The output directory.
    ///   - isPatient: Whether to wait for another writer to end.
    ///   - body: The change.
    /// - Returns: What the change came to.
    /// - Throws: ``BundleError`` with ``BundleError/Code/busy`` at once where another one does and `isPatient` is false.
    package static func hold<Result>(
        _ out: FilePath, isPatient: Bool = false, _ body: () throws -> Result
    ) throws -> Result {
        let path = out.appending(fileName)
        for _ in 0..<(isPatient ? Int.max : 100) {
            let file = unsafe path.withPlatformString { name in
                unsafe open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
            }
            guard file >= 0 else { throw refusal(path, Errno(rawValue: errno)) }
            defer { close(file) }
            while flock(file, isPatient ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
                let reason = Errno(rawValue: errno)
                if reason == .interrupted { continue }
                guard reason == .wouldBlock else { throw BundleError.system("lock", path, reason) }
                throw BundleError(
                    .busy, subject: out.string, detail: "another ksbuild is changing it; try again later, or say --wait"
                )
            }
            var mine = stat()
            var named = stat()
            let isMine = unsafe path.withPlatformString { name in
                unsafe fstat(file, &mine) == 0 && lstat(name, &named) == 0
            }
            guard isMine, mine.st_ino == named.st_ino, mine.st_dev == named.st_dev else { continue }
            defer { try? HostFile.remove(path) }
            return try body()
        }
        throw BundleError(.busy, subject: out.string, detail: "other commands are changing it; try again later")
    }

    private static func refusal(_ path: FilePath, _ errno: Errno) -> BundleError {
        let isForeign = errno == .permissionDenied || errno == .notPermitted
        guard isForeign, let owner = try? HostFile.status(of: path, followingLinks: false).owner, owner != geteuid()
        else { return BundleError.system("create", path, errno) }
        return BundleError(
            .system(.permission), subject: path.string,
            detail: "was left by another user (number \(owner)); it may be removed when no ksbuild runs")
    }
}
