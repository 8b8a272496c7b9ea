internal import Glibc
public import SystemPackage

/// A point in time as a file system notes it.
public struct FileTime: Hashable, Sendable, Comparable {
    /// Seconds since 1970-01-01.
    public let seconds: Int64
    /// Nanoseconds of that second, 0 to 999,999,999; file systems count them in steps of their own.
    public let nanoseconds: Int64

    /// Joins the two.
    public init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Orders by time.
    public static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// What the system says of a regular file without reading it; every write to the file changes it.
///
/// The time of the last change (`st_ctime`) is the kernel's own: writing, truncating, renaming and setting other times
/// all move it, and no call sets it back.
public struct FileFingerprint: Hashable, Sendable {
    /// The number of the device.
    public let device: UInt64
    /// The number of the inode.
    public let inode: UInt64
    /// The size in bytes.
    public let size: UInt64
    /// When the bytes were last written, as far as nobody set that time.
    public let modified: FileTime
    /// When anything about the file last changed.
    public let changed: FileTime

    /// Joins the parts.
    public init(device: UInt64, inode: UInt64, size: UInt64, modified: FileTime, changed: FileTime) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// Looks a file up; `nil` where nothing or no regular file is there.
    public init?(of path: FilePath, followingLinks: Bool = true) {
        var value = stat()
        let result = unsafe path.withPlatformString { name in
            unsafe followingLinks ? stat(name, &value) : lstat(name, &value)
        }
        guard result == 0, value.st_mode & S_IFMT == S_IFREG else { return nil }
        self.init(value)
    }

    private init(_ value: stat) {
        device = UInt64(value.st_dev)
        inode = UInt64(value.st_ino)
        size = UInt64(clamping: value.st_size)
        modified = FileTime(value.st_mtim)
        changed = FileTime(value.st_ctim)
    }

    /// Whether the bytes are the same as far as their own time tells: what may differ is names and permission bits.
    public func hasSameBytes(as other: FileFingerprint) -> Bool {
        device == other.device && inode == other.inode && size == other.size && modified == other.modified
    }

    /// The time by the clock of the file system on which a directory lies.
    ///
    /// - Throws: ``ArtefactError`` where no file can be made there.
    public static func now(in directory: FilePath) throws -> FileTime {
        let probe = try StagedFile(directory.appending(".now"))
        var value = stat()
        guard unsafe fstat(probe.file.rawValue, &value) == 0 else {
            throw ArtefactError.system("read", directory, Errno(rawValue: Glibc.errno))
        }
        return FileTime(value.st_ctim)
    }
}

extension FileTime {
    fileprivate init(_ value: timespec) {
        self.init(seconds: Int64(value.tv_sec), nanoseconds: Int64(value.tv_nsec))
    }
}
