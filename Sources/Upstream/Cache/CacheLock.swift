internal import Artefact
internal import Glibc
internal import SystemPackage

/// A file that one process holds while it changes what the file stands for.
///
/// The lock is `flock(2)`: it ends with the process that holds it, however that ends. The holder removes the file; whoever
/// locked one that has meanwhile been removed notices and tries again.
enum CacheLock {
    /// Runs `body` while nobody else does; waits for others.
    ///
    /// - Parameters:
    ///   - path: The file, in a directory that is there.
    ///   - isCancelled: Whether to stop waiting, asked twenty times a second.
    ///   - body: Is told whether somebody else held the lock before.
    /// - Returns: What `body` returns; `nil` where the wait was stopped.
    /// - Throws: `ArtefactError`, or what `body` throws.
    static func hold<Result>(
        _ path: FilePath, isCancelled: () -> Bool, _ body: (Bool) throws -> Result
    ) throws -> Result? {
        var hasWaited = false
        while !isCancelled() {
            let file = unsafe path.withPlatformString { name in
                unsafe open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            }
            guard file >= 0 else { throw ArtefactError.system("lock", path, Errno(rawValue: errno)) }
            defer { close(file) }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                let reason = Errno(rawValue: errno)
                guard reason == .wouldBlock || reason == .interrupted else {
                    throw ArtefactError.system("lock", path, reason)
                }
                hasWaited = true
                usleep(50_000)
                continue
            }
            guard isStill(file, at: path) else {
                // Whoever removed it held it until just now.
                hasWaited = true
                continue
            }
            defer { try? HostFile.remove(path) }
            return try body(hasWaited)
        }
        return nil
    }

    /// Runs a change that takes no time while nobody else does.
    ///
    /// - Throws: `ArtefactError`, or what `body` throws.
    static func hold(_ path: FilePath, _ body: () throws -> Void) throws {
        _ = try hold(path, isCancelled: { false }) { _ in try body() }
    }

    private static func isStill(_ file: CInt, at path: FilePath) -> Bool {
        var mine = stat()
        var named = stat()
        let isThere = unsafe path.withPlatformString { name in
            unsafe fstat(file, &mine) == 0 && lstat(name, &named) == 0
        }
        return isThere && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev
    }
}
