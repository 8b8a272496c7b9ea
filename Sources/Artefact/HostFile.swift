internal import Glibc
public import SystemPackage

/// Reading and replacing files on the host: one function per system call, each naming the path it failed on.
public enum HostFile {
    /// The size of the pieces in which files are read, in bytes.
    public static let chunkSize = 256 * 1024

    /// What `stat` tells of a file.
    public struct Status: Hashable, Sendable {
        /// What kind of file it is.
        public enum Kind: Hashable, Sendable {
            /// A regular file.
            case file
            /// A directory.
            case directory
            /// A symbolic link; only when links are not followed.
            case symlink
            /// A device, socket or pipe.
            case special
        }

        /// What kind of file it is.
        public let kind: Kind
        /// Its size in bytes.
        public let size: UInt64
        /// Its permission bits.
        public let mode: EntryMode
        /// The device and inode, which together name the file.
        public let identity: [UInt64]
        /// How many names it has.
        public let links: UInt64
        /// The number of its owner.
        public let owner: UInt32
    }

    /// Looks a file up.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public static func status(
        of path: FilePath, followingLinks: Bool = true
    ) throws(ArtefactError) -> Status {
        var value = stat()
        let result = unsafe path.withPlatformString { name in
            unsafe followingLinks ? stat(name, &value) : lstat(name, &value)
        }
        guard result == 0 else { throw .system("read", path, Errno(rawValue: Glibc.errno)) }
        return Status(value)
    }

    /// Whether anything stands at `path`, a dangling link included.
    public static func exists(_ path: FilePath) -> Bool { (try? status(of: path, followingLinks: false)) != nil }

    /// Hands a file's bytes to `body` in pieces of at most ``chunkSize`` bytes.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``, or what `body` throws.
    public static func forEachChunk(of path: FilePath, _ body: (Span<UInt8>) throws -> Void) throws {
        let file = try open(path)
        defer { try? file.close() }
        try forEachChunk(of: file, named: path, body)
    }

    /// Hands the rest of an open file to `body` in pieces of at most ``chunkSize`` bytes.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``, or what `body` throws.
    public static func forEachChunk(
        of file: FileDescriptor, named path: FilePath, _ body: (Span<UInt8>) throws -> Void
    ) throws {
        var buffer = [UInt8](repeating: 0, count: chunkSize)
        while true {
            let count: Int
            do {
                count = unsafe try buffer.withUnsafeMutableBytes { bytes in unsafe try file.read(into: bytes) }
            } catch let errno as Errno {
                throw ArtefactError.system("read", path, errno)
            }
            guard count > 0 else { return }
            try body(buffer.span.extracting(first: count))
        }
    }

    /// Opens a file for reading.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - waitingForWriter: Whether a named pipe is waited for until somebody writes to it. Without it, opening never
    ///     waits, and a pipe that nobody writes to is empty. Reading waits for a writer in either case.
    /// - Returns: The file, which the caller closes.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``; a directory is refused as one.
    public static func open(
        _ path: FilePath, waitingForWriter: Bool = false
    ) throws(ArtefactError) -> FileDescriptor {
        do {
            guard !waitingForWriter else {
                return try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            }
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            let flags = fcntl(file.rawValue, F_GETFL)
            guard flags >= 0, fcntl(file.rawValue, F_SETFL, flags & ~O_NONBLOCK) >= 0 else {
                let errno = Errno(rawValue: Glibc.errno)
                try? file.close()
                throw errno
            }
            return file
        } catch {
            throw .system("read", path, error as? Errno ?? .ioError)
        }
    }

    /// Reads a whole file of at most `limit` bytes.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``; a larger file is refused with
    ///   `fileTooLarge` before it is read in full.
    public static func read(_ path: FilePath, limit: Int, waitingForWriter: Bool = false) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let file = try open(path, waitingForWriter: waitingForWriter)
        defer { try? file.close() }
        try forEachChunk(of: file, named: path) { chunk in
            guard bytes.count + chunk.count <= limit else {
                throw ArtefactError.system("read more than \(limit) bytes", path, .fileTooLarge)
            }
            unsafe chunk.withUnsafeBufferPointer { buffer in unsafe bytes.append(contentsOf: buffer) }
        }
        return bytes
    }

    /// The names in a directory in byte order, without `.` and `..`.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``, or ``ArtefactError/Code/invalidPath`` for a name
    ///   that is not UTF-8.
    public static func names(in directory: FilePath) throws(ArtefactError) -> [String] {
        guard let stream = unsafe directory.withPlatformString({ name in unsafe opendir(name) }) else {
            throw .system("list", directory, Errno(rawValue: Glibc.errno))
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while true {
            Glibc.errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard Glibc.errno == 0 else { throw .system("list", directory, Errno(rawValue: Glibc.errno)) }
                break
            }
            let name: String? = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(validatingCString: $0) }
            }
            guard let name else {
                throw ArtefactError(.invalidPath, subject: directory.string, detail: "holds a name that is not UTF-8")
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The target of a symbolic link.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``, or ``ArtefactError/Code/invalidPath`` for a target
    ///   that is not UTF-8.
    public static func target(ofLink path: FilePath) throws(ArtefactError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe path.withPlatformString { name in
            unsafe buffer.withUnsafeMutableBufferPointer { bytes in
                unsafe bytes.baseAddress.map { start in unsafe readlink(name, start, bytes.count) } ?? -1
            }
        }
        guard count >= 0 else { throw .system("read link", path, Errno(rawValue: Glibc.errno)) }
        guard let target = String(validating: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
            throw ArtefactError(.invalidPath, subject: path.string, detail: "is a link to a name that is not UTF-8")
        }
        return target
    }
}

extension HostFile.Status {
    fileprivate init(_ value: stat) {
        kind =
            switch value.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            default: .special
            }
        size = UInt64(clamping: value.st_size)
        mode = EntryMode(UInt16(truncatingIfNeeded: value.st_mode))
        identity = [UInt64(value.st_dev), UInt64(value.st_ino)]
        links = UInt64(value.st_nlink)
        owner = value.st_uid
    }
}
