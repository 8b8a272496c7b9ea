internal import CLinux
internal import Glibc
public import SystemPackage

/// `FICLONE` of `<linux/fs.h>`: `_IOW(0x94, 9, int)`.
private let cloneRequest: UInt = 0x4004_9409

/// A staged file that begins as the copy of another one.
extension StagedFile {
    /// How the bytes of the copied file came to be in the new one.
    public enum CopyMethod: Hashable, Sendable {
        /// They share the disk's blocks (`FICLONE`): no byte was moved.
        case reflink
        /// The kernel copied them (`copy_file_range`).
        case kernel
        /// They went through memory.
        case memory
    }

    /// Puts the bytes of `source` at the beginning of a file to which nothing was written yet.
    ///
    /// Shares blocks where the file system can, else lets the kernel copy, else reads and writes.
    ///
    /// - Parameters:
    ///   - source: A regular file; it is only read.
    ///   - expected: The bytes it has; one that has another size by now is refused.
    /// - Returns: How they were copied.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system`` or
    ///   ``ArtefactError/Code/changedWhileReading``.
    @discardableResult
    public mutating func copy(_ source: FilePath, size expected: UInt64) throws -> CopyMethod {
        precondition(canCopy, "a file is copied into one that is empty and not digested")
        let from = try HostFile.open(source)
        defer { try? from.close() }
        let method = try transfer(from, source, expected)
        let end = lseek(file.rawValue, 0, SEEK_END)
        guard end >= 0, UInt64(end) == expected else {
            throw ArtefactError(
                .changedWhileReading, subject: source.string,
                detail: "changed while it was being copied (it had \(expected) bytes); run again when nothing writes to"
                    + " it")
        }
        extend(to: expected)
        return method
    }

    /// Replaces bytes that were written before.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public mutating func overwrite(at offset: UInt64, _ bytes: [UInt8]) throws(ArtefactError) {
        try flush()
        var done = 0
        while done < bytes.count {
            do {
                done += unsafe try bytes.withUnsafeBytes { all in
                    unsafe try file.write(
                        toAbsoluteOffset: Int64(clamping: offset + UInt64(done)),
                        UnsafeRawBufferPointer(rebasing: all[done...]))
                }
            } catch {
                throw .system("write", target, error as? Errno ?? .ioError)
            }
        }
    }

    private func transfer(_ from: FileDescriptor, _ source: FilePath, _ expected: UInt64) throws -> CopyMethod {
        if ioctl(file.rawValue, cloneRequest, from.rawValue) == 0 { return .reflink }
        var done: UInt64 = 0
        while done < expected {
            let piece = Int(Swift.min(expected - done, 64 << 20))
            let copied = copy_file_range(from.rawValue, nil, file.rawValue, nil, piece, 0)
            if copied == 0 { break }
            if copied < 0 {
                let errno = Errno(rawValue: Glibc.errno)
                if errno == .interrupted { continue }
                // Across file systems, or on one that cannot: both offsets stand where the copy ended.
                guard [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno.rawValue) else {
                    throw ArtefactError.system("copy to", target, errno)
                }
                try copyThroughMemory(from, source)
                return .memory
            }
            // The disk begins while the rest is copied, so that little is left when the file is synchronised. Where this
            // cannot be had, synchronising does it all.
            _ = sync_file_range(file.rawValue, off_t(clamping: done), off_t(copied), ksbuild_beginWriting)
            done += UInt64(copied)
        }
        return .kernel
    }

    private func copyThroughMemory(_ from: FileDescriptor, _ source: FilePath) throws {
        try HostFile.forEachChunk(of: from, named: source) { chunk in
            do {
                unsafe try chunk.withUnsafeBytes { bytes in unsafe _ = try file.writeAll(bytes) }
            } catch {
                throw ArtefactError.system("write", target, error as? Errno ?? .ioError)
            }
        }
    }
}
