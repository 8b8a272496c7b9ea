internal import Artefact
internal import Glibc
internal import SystemPackage

/// Copying a file that is somebody else's into the store.
///
/// The copy shares blocks where the file system can (a reflink), never the inode: whoever owns the source may change
/// it later, and a hard link would change with it.
enum FileCopy {
    /// Copies the bytes of a regular file to a name that is free, and synchronises them.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/system``, or `ArtefactError`; a copy that fails midway stays for
    ///   the caller to remove.
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
        try HostFile.copyBytes(of: from, named: source, to: to, named: target)
        guard fsync(opened) == 0 else { throw BundleError.system("synchronise", target, Errno(rawValue: Glibc.errno)) }
    }
}
