internal import Artefact
internal import Glibc
internal import SystemPackage

/// `FICLONE` of `<linux/fs.h>`: `_IOW(0x94, 9, int)`.
private let cloneRequest: UInt = 0x4004_9409

/// Copying a file that is somebody else's into the store.
///
/// The copy shares blocks where the file system can (a reflink), never the inode: whoever owns the source may change
/// it later, and a hard link would change with it.
enum FileCopy {
    /// Copies the bytes of a regular file to a name that is free, and synchronises them.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/system``; a copy that fails midway stays for the caller to
    ///   remove.
    static func copy(from source: FilePath, to target: FilePath) throws {
        guard try HostFile.status(of: source).kind == .file else {
            throw BundleError.system("read: it is no regular file", source, .invalidArgument)
        }
        let from = try HostFile.open(source)
        defer { try? from.close() }
        let opened = unsafe target.withPlatformString { name in
            unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        guard opened >= 0 else { throw BundleError.system("create", target, Errno(rawValue: Glibc.errno)) }
        let to = FileDescriptor(rawValue: opened)
        defer { try? to.close() }
        if ioctl(opened, cloneRequest, from.rawValue) != 0 {
            try copyThroughMemory(from, to, source, target)
        }
        guard fsync(opened) == 0 else { throw BundleError.system("synchronise", target, Errno(rawValue: Glibc.errno)) }
    }

    private static func copyThroughMemory(
        _ from: FileDescriptor, _ to: FileDescriptor, _ source: FilePath, _ target: FilePath
    ) throws {
        try HostFile.forEachChunk(of: from, named: source) { chunk in
            do {
                unsafe try chunk.withUnsafeBytes { bytes in unsafe _ = try to.writeAll(bytes) }
            } catch let errno as Errno {
                throw BundleError.system("write", target, errno)
            }
        }
    }
}
