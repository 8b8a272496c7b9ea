internal import Artefact
internal import Bundle
internal import Glibc
internal import SystemPackage

/// The folder `OUT/.pull` in which the files of a bundle arrive, each under its digest, so that a pull that was
/// interrupted goes on where it stopped; one command at a time uses it.
final class Receipt {
    let path: FilePath
    private let lock: FileDescriptor

    /// Makes or finds the folder below an output directory, and locks it.
    ///
    /// - Throws: ``PublishError`` with ``PublishError/Code/busy``, or `ArtefactError`.
    init(in out: FilePath) throws {
        try HostFile.makeDirectories(out)
        path = out.appending(".pull")
        lock = try Self.locked(path, for: out)
    }

    private static func locked(_ path: FilePath, for out: FilePath) throws -> FileDescriptor {
        for _ in 0..<100 {
            try HostFile.makeDirectory(path, mode: .privateDirectory)
            guard let lock = try? HostFile.open(path) else { continue }
            guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                try? lock.close()
                throw PublishError(.busy, subject: out.string, detail: "another pull is writing to it; try again later")
            }
            // Whoever held it before may have removed it meanwhile.
            if isStill(lock, at: path) { return lock }
            try? lock.close()
        }
        throw PublishError(.busy, subject: out.string, detail: "other pulls are writing to it; try again later")
    }

    deinit {
        // Where nothing is to be resumed, nothing stays.
        _ = unsafe path.withPlatformString { name in unsafe rmdir(name) }
        try? lock.close()
    }

    private static func isStill(_ lock: FileDescriptor, at path: FilePath) -> Bool {
        var mine = stat()
        guard unsafe fstat(lock.rawValue, &mine) == 0 else { return false }
        let named = try? HostFile.status(of: path, followingLinks: false).identity
        return named == [UInt64(mine.st_dev), UInt64(mine.st_ino)]
    }

    /// Where a file arrives.
    func file(_ digest: Digest) -> FilePath { path.appending(digest.hex) }

    /// Removes the folder with all that is in it: nothing is to be resumed.
    func remove() throws { try HostFile.removeTree(path) }
}
