public import SystemPackage

/// The bytes of a regular file: at hand, or in a file on the host that is streamed when it is written.
public enum Content: Hashable, Sendable {
    /// Bytes at hand.
    case bytes([UInt8])
    /// A file on the host and the size in bytes that it had when the tree was made.
    case file(FilePath, size: UInt64)

    /// The size in bytes.
    public var size: UInt64 {
        switch self {
        case .bytes(let bytes): UInt64(bytes.count)
        case .file(_, let size): size
        }
    }

    /// The UTF-8 bytes of `text`.
    public static func text(_ text: String) -> Content { .bytes(Array(text.utf8)) }

    /// Hands the bytes to `body` in pieces of at most 256 KiB, in order; an empty file gives no piece.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/changedWhileReading`` when a file on the host no longer has
    ///   the size that was recorded, ``ArtefactError/Code/system`` when it cannot be read, or what `body` throws.
    public func forEachChunk(_ body: (Span<UInt8>) throws -> Void) throws {
        switch self {
        case .bytes(let bytes):
            guard !bytes.isEmpty else { return }
            try body(bytes.span)
        case .file(let path, let expected):
            var count: UInt64 = 0
            try HostFile.forEachChunk(of: path) { chunk in
                count += UInt64(chunk.count)
                guard count <= expected else { throw Self.changed(path, expected) }
                try body(chunk)
            }
            guard count == expected else { throw Self.changed(path, expected) }
        }
    }

    private static func changed(_ path: FilePath, _ expected: UInt64) -> ArtefactError {
        ArtefactError(
            .changedWhileReading, subject: path.string,
            detail: "changed while it was being read (it had \(expected) bytes); run again when nothing writes to it")
    }
}

/// One entry of a tree: a directory, a file or a symbolic link, with what every format needs to know of it.
public struct TreeEntry: Hashable, Sendable {
    /// What an entry is.
    public enum Kind: Hashable, Sendable {
        /// A directory.
        case directory
        /// A regular file and its bytes.
        case file(Content)
        /// A symbolic link and its target, stored as it stands.
        case symlink(target: String)
    }

    /// Where it stands in the tree.
    public var path: EntryPath
    /// What it is.
    public var kind: Kind
    /// Its permission bits.
    public var mode: EntryMode
    /// The number of its owner; 0 unless stated.
    public var owner: UInt32
    /// The number of its group; 0 unless stated.
    public var group: UInt32
    /// Seconds since 1970-01-01 where it differs from the epoch of the build.
    public var modified: Int64?
    /// Who put it there, for `plan` and for conflict messages: `network`, `layer overlays/site`.
    public var origin: String
    /// Whether its bytes must never be shown, logged or left readable by others.
    public var isSecret: Bool

    /// Makes an entry of any kind.
    public init(
        path: EntryPath, kind: Kind, mode: EntryMode, owner: UInt32 = 0, group: UInt32 = 0, modified: Int64? = nil,
        origin: String, isSecret: Bool = false
    ) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.owner = owner
        self.group = group
        self.modified = modified
        self.origin = origin
        self.isSecret = isSecret
    }

    /// Whether it is a directory.
    public var isDirectory: Bool { kind == .directory }

    /// The size in bytes of a regular file, 0 for anything else.
    public var size: UInt64 {
        guard case .file(let content) = kind else { return 0 }
        return content.size
    }
}
