internal import Glibc
public import SystemPackage

/// `O_TMPFILE` of `<fcntl.h>`, a macro that Swift does not import; the same on every architecture but for `O_DIRECTORY`.
private let temporaryFile = O_DIRECTORY | 0o20_000_000

/// A file that appears under its name only when it is complete and on the disk.
///
/// Bytes go to an unnamed file in the target's directory (`O_TMPFILE`), or where the file system has none to a hidden
/// name that no reader takes. ``commit(mode:)`` synchronises the bytes, gives the file its name with one rename and
/// synchronises the directory. A staged file that is dropped, or whose process is killed, leaves nothing behind.
public struct StagedFile: ~Copyable {
    /// When a file lasts through a power failure.
    public enum Durability: Hashable, Sendable {
        /// As soon as it has its name.
        case immediate
        /// When whoever had it written synchronises the whole file system, before anyone relies on it.
        case deferred
    }

    /// Where the file will stand.
    public let target: FilePath
    private let directory: FilePath
    private let hidden: FilePath
    let file: FileDescriptor
    private var isNamed: Bool
    private var isCommitted = false
    private var buffer: [UInt8] = []
    private var size: UInt64 = 0
    private var stream: DigestStream?

    /// Begins a file that will stand at `target`; the directory must be there.
    ///
    /// - Parameters:
    ///   - target: The name it will have.
    ///   - digesting: Whether the SHA-256 of the bytes is computed as they pass.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``; where something that is no regular file stands
    ///   at `target`, it is refused and stays.
    public init(_ target: FilePath, digesting: Bool = false) throws(ArtefactError) {
        let resolved = Self.resolve(target)
        // By the name given, too: a link such as /dev/stdout may lead to what has no name of its own.
        for path in [target, resolved] {
            guard let present = try? HostFile.status(of: path), present.kind != .file else { continue }
            throw .creation(
                "write: it is no regular file", target, present.kind == .directory ? .isDirectory : .fileExists)
        }
        let directory = resolved.removingLastComponent()
        let folder = directory.isEmpty ? FilePath(".") : directory
        let name = resolved.lastComponent?.string ?? "output"
        let hidden = folder.appending(".\(name.prefix(200)).partial-\(getpid())")
        var isNamed = false
        var descriptor = unsafe folder.withPlatformString { path in
            unsafe open(path, temporaryFile | O_RDWR | O_CLOEXEC, 0o600)
        }
        if descriptor < 0, [EOPNOTSUPP, EISDIR, ENOENT].contains(Glibc.errno), HostFile.exists(folder) {
            try HostFile.remove(hidden)
            isNamed = true
            descriptor = unsafe hidden.withPlatformString { path in
                unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
            }
        }
        guard descriptor >= 0 else { throw Self.cannotCreate(resolved, Errno(rawValue: Glibc.errno)) }
        self.target = resolved
        self.directory = folder
        self.hidden = hidden
        self.file = FileDescriptor(rawValue: descriptor)
        self.isNamed = isNamed
        self.stream = digesting ? DigestStream() : nil
    }

    deinit {
        try? file.close()
        if isNamed && !isCommitted { try? HostFile.remove(hidden) }
    }

    /// Appends bytes.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public mutating func write(_ bytes: Span<UInt8>) throws(ArtefactError) {
        size += UInt64(bytes.count)
        stream?.update(bytes)
        if buffer.count + bytes.count <= HostFile.chunkSize {
            unsafe bytes.withUnsafeBufferPointer { pieces in unsafe buffer.append(contentsOf: pieces) }
            return
        }
        try flush()
        try writeThrough(bytes)
    }

    /// Appends bytes.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public mutating func write(_ bytes: [UInt8]) throws(ArtefactError) { try write(bytes.span) }

    /// Lets `body` read what was written so far, under a path that leads to it although it has no name yet.
    ///
    /// What `body` refuses never appears, and what stands at the target stays.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``, or what `body` throws.
    public mutating func readBack(_ body: (FilePath) throws -> Void) throws {
        try flush()
        try body(FilePath("/proc/self/fd/\(file.rawValue)"))
    }

    /// Makes the file appear under its name, durable and with exactly `mode`, replacing what was there.
    ///
    /// - Returns: What stands there now.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``; what was at the target is then still there.
    @discardableResult
    public consuming func commit(
        mode: EntryMode = .file, durability: Durability = .immediate
    ) throws(ArtefactError) -> WrittenFile {
        try flush()
        guard fchmod(file.rawValue, mode_t(mode.bits)) == 0 else {
            throw .system("set the mode of", target, Errno(rawValue: Glibc.errno))
        }
        guard durability == .deferred || fsync(file.rawValue) == 0 else {
            throw .system("synchronise", target, Errno(rawValue: Glibc.errno))
        }
        if !isNamed {
            try HostFile.remove(hidden)
            let result = unsafe "/proc/self/fd/\(file.rawValue)".withPlatformString { from in
                unsafe hidden.withPlatformString { to in
                    unsafe linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW)
                }
            }
            guard result == 0 else { throw Self.cannotCreate(target, Errno(rawValue: Glibc.errno)) }
            isNamed = true
        }
        try HostFile.rename(hidden, to: target)
        isCommitted = true
        if durability == .immediate { try HostFile.synchronise(directory: directory) }
        return WrittenFile(path: target, size: size, digest: stream?.finalize())
    }

    /// Writes a whole file at once, durably.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    @discardableResult
    public static func write(
        _ bytes: [UInt8], to target: FilePath, mode: EntryMode = .file
    ) throws(ArtefactError) -> WrittenFile {
        var file = try StagedFile(target, digesting: true)
        try file.write(bytes)
        return try file.commit(mode: mode)
    }

    /// Whether nothing was written yet and no digest is computed of what passes.
    var canCopy: Bool { size == 0 && stream == nil }

    /// Takes over the size of a file that was copied in.
    mutating func extend(to size: UInt64) { self.size = size }

    mutating func flush() throws(ArtefactError) {
        guard !buffer.isEmpty else { return }
        let bytes = buffer
        buffer = []
        buffer.reserveCapacity(HostFile.chunkSize)
        try writeThrough(bytes.span)
    }

    private func writeThrough(_ bytes: Span<UInt8>) throws(ArtefactError) {
        do {
            unsafe try bytes.withUnsafeBytes { pieces in unsafe _ = try file.writeAll(pieces) }
        } catch {
            throw .system("write", target, error as? Errno ?? .ioError)
        }
    }

    /// A link at the target is written through, so that its directory is the one that is synchronised.
    private static func resolve(_ target: FilePath) -> FilePath {
        var path = target
        for _ in 0..<40 {
            guard let link = try? HostFile.target(ofLink: path) else { return path }
            path = path.removingLastComponent().pushing(FilePath(link))
        }
        return path
    }

    private static func cannotCreate(_ path: FilePath, _ errno: Errno) -> ArtefactError {
        errno == .noSuchFileOrDirectory
            ? ArtefactError(.creation, subject: path.string, detail: "cannot create: its directory does not exist")
            : .creation("create", path, errno)
    }
}

/// A file that was written and is durable.
public struct WrittenFile: Hashable, Sendable {
    /// Where it stands.
    public let path: FilePath
    /// Its size in bytes.
    public let size: UInt64
    /// Its digest, where that was asked for.
    public let digest: Digest?

    /// Joins the parts.
    public init(path: FilePath, size: UInt64, digest: Digest?) {
        self.path = path
        self.size = size
        self.digest = digest
    }
}
