public import Artefact

/// One member of a tar archive, exactly as its headers say it; nothing is cleaned up.
public struct ArchiveMember: Hashable, Sendable {
    /// What a member is.
    public enum Kind: Hashable, Sendable {
        /// A regular file.
        case file
        /// A directory.
        case directory
        /// A symbolic link and its target as stored.
        case symlink(target: String)
        /// A second name of an earlier member, by the name of that member as stored.
        case hardlink(target: String)
        /// Anything else, in words: `character device`, `block device`, `FIFO`, `type 'V'`.
        case other(String)
    }

    /// The dialect of tar that the headers are written in.
    public enum Dialect: Hashable, Sendable {
        /// The original format, without magic.
        case v7
        /// POSIX.1-1988.
        case ustar
        /// `ustar` with pax records before it (POSIX.1-2001).
        case pax
        /// GNU tar's own.
        case gnu
    }

    /// A field of which a pax record and the header before the member say different things.
    public struct Disagreement: Hashable, Sendable {
        /// The fields that a record may replace, by the keys of their records.
        public enum Field: String, Hashable, Sendable {
            case size
            case uid
            case gid
            case uname
            case gname
        }

        /// The field.
        public let field: Field
        /// What the record says, which is what the member says too.
        public let record: String
        /// What the header says, which is what busybox tar goes by: of all records it reads those of names alone.
        public let header: String
    }

    /// The name as stored: with `./`, a leading or a trailing `/` where it has them.
    public let name: String
    /// The bytes of the name, which need not be UTF-8.
    public let nameBytes: [UInt8]
    /// What it is.
    public let kind: Kind
    /// Its permission bits.
    public let mode: EntryMode
    /// The number of its owner.
    public let owner: UInt32
    /// The number of its group.
    public let group: UInt32
    /// The name of its owner; may be empty.
    public let ownerName: String
    /// The name of its group; may be empty.
    public let groupName: String
    /// The size of its content in bytes; 0 for all but regular files.
    public let size: UInt64
    /// Seconds since 1970-01-01.
    public let modified: Int64
    /// The dialect of its headers.
    public let dialect: Dialect
    /// The keys of its pax records in the order stored, such as `path` or `SCHILY.xattr.user.note`.
    public let recordKeys: [String]
    /// Where its pax records and its header say different things, names and times left aside.
    public let disagreements: [Disagreement]

    /// Whether the name is UTF-8.
    public var hasValidName: Bool { Array(name.utf8) == nameBytes }
}

/// What the reader learnt about an archive as a whole; complete once there are no more members.
public struct ArchiveSummary: Hashable, Sendable {
    /// What follows the mark that ends a tar archive.
    public enum Remainder: Hashable, Sendable {
        /// Nothing but zeros.
        case nothing
        /// A tar header: another archive, which no tar program reads without being told to.
        case archive
        /// Something else.
        case bytes
    }

    /// How many gzip members hold the archive; 0 where it is not compressed.
    public internal(set) var gzipMembers = 0
    /// Whether bytes that are no gzip member follow the last one; gzip programs ignore them.
    public internal(set) var hasBytesAfterGzip = false
    /// Whether two blocks of zeros end the archive; without them only the end of the file does.
    public internal(set) var hasEndMark = false
    /// What follows the end mark.
    public internal(set) var remainder = Remainder.nothing
    /// How many bytes came out of the decompressor.
    public internal(set) var inflatedBytes: UInt64 = 0
}
