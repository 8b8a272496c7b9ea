internal import CLinux
internal import Glibc
public import SystemPackage

/// Changing names on the host: each call names the path it failed on, and what must last is synchronised.
extension HostFile {
    /// Makes one directory; one that is there already is left as it is.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/creation``.
    public static func makeDirectory(_ path: FilePath, mode: EntryMode = .directory) throws(ArtefactError) {
        let result = unsafe path.withPlatformString { name in unsafe mkdir(name, mode_t(mode.bits)) }
        guard result != 0 else { return }
        let errno = Errno(rawValue: Glibc.errno)
        if errno == .fileExists, (try? status(of: path))?.kind == .directory { return }
        throw .creation("create directory", path, errno)
    }

    /// Makes a directory and those above it, each durable before the next.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/creation``.
    public static func makeDirectories(_ path: FilePath) throws(ArtefactError) {
        guard !path.components.isEmpty, (try? status(of: path))?.kind != .directory else { return }
        try makeDirectories(path.removingLastComponent())
        try makeDirectory(path)
        try synchronise(nameOf: path)
    }

    /// Makes the name that a directory has in the one above it last through a power failure.
    ///
    /// Where the one above may not be read, such as one of mode 0711 that belongs to somebody else, every file system is
    /// synchronised.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func synchronise(nameOf path: FilePath) throws(ArtefactError) {
        do {
            try synchronise(directory: path.removingLastComponent())
        } catch {
            guard error.errno == .permissionDenied else { throw error }
            sync()
        }
    }

    /// Makes what was done to the names in a directory last through a power failure.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func synchronise(directory: FilePath) throws(ArtefactError) {
        let path = directory.isEmpty ? FilePath(".") : directory
        let descriptor = unsafe path.withPlatformString { name in
            unsafe Glibc.open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw .system("open directory", path, Errno(rawValue: Glibc.errno)) }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw .system("synchronise directory", path, Errno(rawValue: Glibc.errno))
        }
    }

    /// Makes what is in a file that another program has written last through a power failure.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func synchronise(file: FilePath) throws(ArtefactError) {
        let descriptor = unsafe file.withPlatformString { name in unsafe Glibc.open(name, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system("open", file, Errno(rawValue: Glibc.errno)) }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("synchronise", file, Errno(rawValue: Glibc.errno)) }
    }

    /// Makes everything that was written to the file system of a path last through a power failure, names and bytes
    /// (`syncfs(2)`, which tells of failures since Linux 5.8).
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func synchronise(fileSystemOf path: FilePath) throws(ArtefactError) {
        let file = try open(path)
        defer { try? file.close() }
        guard syncfs(file.rawValue) == 0 else {
            throw .system("synchronise the file system of", path, Errno(rawValue: Glibc.errno))
        }
    }

    /// Gives a file its new name, replacing what was there in the same instant.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/creation``.
    public static func rename(_ from: FilePath, to: FilePath) throws(ArtefactError) {
        let result = unsafe from.withPlatformString { old in
            unsafe to.withPlatformString { new in unsafe Glibc.rename(old, new) }
        }
        guard result == 0 else { throw .creation("rename \(from.string) to this", to, Errno(rawValue: Glibc.errno)) }
    }

    /// Gives a file a second name.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/creation``.
    public static func link(_ from: FilePath, to: FilePath) throws(ArtefactError) {
        let result = unsafe from.withPlatformString { old in
            unsafe to.withPlatformString { new in unsafe Glibc.link(old, new) }
        }
        guard result == 0 else { throw .creation("link \(from.string) to this", to, Errno(rawValue: Glibc.errno)) }
    }

    /// Makes a symbolic link at `path`.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/creation``.
    public static func makeSymlink(_ path: FilePath, to target: String) throws(ArtefactError) {
        let result = unsafe target.withPlatformString { old in
            unsafe path.withPlatformString { new in unsafe symlink(old, new) }
        }
        guard result == 0 else { throw .creation("create link", path, Errno(rawValue: Glibc.errno)) }
    }

    /// Removes a name that is no directory; one that is not there is no error.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func remove(_ path: FilePath) throws(ArtefactError) {
        let result = unsafe path.withPlatformString { name in unsafe unlink(name) }
        guard result == 0 || Glibc.errno == ENOENT else { throw .system("remove", path, Errno(rawValue: Glibc.errno)) }
    }

    /// Removes a directory and all below it, read-only directories included; links are not followed.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func removeTree(_ path: FilePath) throws(ArtefactError) {
        guard exists(path) else { return }
        guard try status(of: path, followingLinks: false).kind == .directory else { return try remove(path) }
        try setMode(of: path, EntryMode(0o700))
        for name in try names(in: path) { try removeTree(path.appending(name)) }
        let result = unsafe path.withPlatformString { name in unsafe rmdir(name) }
        guard result == 0 else { throw .system("remove directory", path, Errno(rawValue: Glibc.errno)) }
    }

    /// Sets the permission bits of a file, whatever the umask.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func setMode(of path: FilePath, _ mode: EntryMode) throws(ArtefactError) {
        let result = unsafe path.withPlatformString { name in unsafe chmod(name, mode_t(mode.bits)) }
        guard result == 0 else { throw .system("set the mode of", path, Errno(rawValue: Glibc.errno)) }
    }
}
