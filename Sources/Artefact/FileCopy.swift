internal import CLinux
internal import Glibc
public import SystemPackage

/// `FICLONE` of `<linux/fs.h>`: `_IOW(0x94, 9, int)`.
private let cloneRequest: UInt = 0x4004_9409

extension HostFile {
    /// Copies all bytes of one open file to the beginning of another, which is empty.
    ///
    /// Shares blocks where the file system can (a reflink), else lets the kernel copy, else reads and writes.
    ///
    /// - Parameters:
    ///   - from: The source, at its beginning; it is only read.
    ///   - source: What messages call it.
    ///   - to: The target.
    ///   - target: What messages call it.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func copyBytes(
        of from: FileDescriptor, named source: FilePath, to: FileDescriptor, named target: FilePath
    ) throws {
        if ioctl(to.rawValue, cloneRequest, from.rawValue) == 0 { return }
        var done: off_t = 0
        while true {
            let copied = copy_file_range(from.rawValue, nil, to.rawValue, nil, 64 << 20, 0)
            if copied == 0 { return }
            if copied < 0 {
                let errno = Errno(rawValue: Glibc.errno)
                if errno == .interrupted { continue }
                // Across file systems, or on one that cannot: both offsets stand where the copy ended.
                guard [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno.rawValue) else {
                    throw ArtefactError.system("write", target, errno)
                }
                return try copyThroughMemory(from, source, to, target)
            }
            // The disk begins while the rest is copied, so that little is left when the file is synchronised. Where this
            // cannot be had, synchronising does it all.
            _ = sync_file_range(to.rawValue, done, off_t(copied), ksbuild_beginWriting)
            done += off_t(copied)
        }
    }

    private static func copyThroughMemory(
        _ from: FileDescriptor, _ source: FilePath, _ to: FileDescriptor, _ target: FilePath
    ) throws {
        try forEachChunk(of: from, named: source) { chunk in
            do {
                unsafe try chunk.withUnsafeBytes { bytes in unsafe _ = try to.writeAll(bytes) }
            } catch {
                throw ArtefactError.system("write", target, error as? Errno ?? .ioError)
            }
        }
    }
}
