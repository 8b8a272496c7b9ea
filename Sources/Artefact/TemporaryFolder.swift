internal import Glibc
public import SystemPackage

/// A folder for what is made on the way, which only its owner can enter; it is gone when this value is.
///
/// The folder is locked (`flock(2)`) for as long as it is used, so the next one to make such a folder in the same place
/// can tell what a killed process left behind, whatever name space that ran in, and removes it.
public struct TemporaryFolder: ~Copyable {
    /// Where it is.
    public let path: FilePath
    private let lock: CInt

    /// Makes a folder whose name begins with `prefix` in a directory that is there.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/creation``.
    public init(in directory: FilePath, prefix: String) throws(ArtefactError) {
        Self.removeLeftovers(in: directory, prefix: prefix)
        for _ in 0..<100 {
            var template = Array(directory.appending("\(prefix)XXXXXX").string.utf8CString)
            let isMade = unsafe template.withUnsafeMutableBufferPointer { name in
                unsafe name.baseAddress.map { start in unsafe mkdtemp(start) != nil } ?? false
            }
            guard isMade else { throw .creation("create a folder in", directory, Errno(rawValue: errno)) }
            let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
            let lock = Self.open(path)
            // Between the two calls another process may have taken the folder for one that was left behind.
            if lock >= 0, flock(lock, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK, Self.isStill(lock, at: path) {
                self.path = path
                self.lock = lock
                return
            }
            if lock >= 0 { _ = close(lock) }
        }
        throw .creation("create a folder in", directory, .resourceBusy)
    }

    deinit {
        try? HostFile.removeTree(path)
        _ = close(lock)
    }

    /// Removes folders of the same kind that nobody holds; one that is not one's own stays.
    private static func removeLeftovers(in directory: FilePath, prefix: String) {
        guard let names = try? HostFile.names(in: directory) else { return }
        for name in names where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + 6 {
            let path = directory.appending(name)
            guard (try? HostFile.status(of: path, followingLinks: false))?.owner == geteuid() else { continue }
            let lock = open(path)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { try? HostFile.removeTree(path) }
            _ = close(lock)
        }
    }

    private static func open(_ path: FilePath) -> CInt {
        unsafe path.withPlatformString { name in
            unsafe Glibc.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
    }

    private static func isStill(_ descriptor: CInt, at path: FilePath) -> Bool {
        var mine = stat()
        var named = stat()
        let isThere = unsafe path.withPlatformString { name in
            unsafe fstat(descriptor, &mine) == 0 && lstat(name, &named) == 0
        }
        return isThere && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev
    }
}
