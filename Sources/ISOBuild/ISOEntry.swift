public import Artefact

/// The name spaces in which one image may tell the same files.
public enum ISONameSpace: Hashable, Sendable, CaseIterable {
    /// POSIX names, modes and links (RRIP).
    case rockRidge
    /// Unicode names of at most 64 characters, or 103 in some images.
    case joliet
    /// Upper-case names of ECMA-119.
    case plain
}

/// A run of bytes in an image.
public struct ISOExtent: Hashable, Sendable {
    /// The sector of 2048 bytes at which it begins.
    public let sector: UInt32
    /// Its bytes.
    public let length: UInt32
}

/// One entry that an image holds.
public struct ISOEntry: Hashable, Sendable {
    /// What an entry is.
    public enum Kind: Hashable, Sendable {
        /// A directory.
        case directory
        /// A regular file.
        case file
        /// A symbolic link and its target; Rock Ridge only.
        case symlink(target: String)
        /// A device, pipe or socket; Rock Ridge only.
        case special
    }

    /// The path with `/` between its components and none at either end; empty for the root.
    public let path: String
    /// What it is.
    public let kind: Kind
    /// Its permission bits; without Rock Ridge 0555 for directories and 0444 for files.
    public let mode: EntryMode
    /// The number of its owner; 0 without Rock Ridge.
    public let owner: UInt32
    /// The number of its group; 0 without Rock Ridge.
    public let group: UInt32
    /// The bytes of a file, 0 for anything else.
    public let size: UInt64
    /// Seconds since 1970-01-01 of its last change, where the image states it.
    public let modified: Int64?
    /// Where its bytes are, or its records for a directory; several for files of 4 GiB and more.
    public let extents: [ISOExtent]

    /// Whether it is a directory.
    public var isDirectory: Bool { kind == .directory }

    /// The last component of the path.
    public var name: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}

/// What the descriptors of an image say of the whole.
public struct ISOVolume: Hashable, Sendable {
    /// The label.
    public let volumeIdentifier: String
    /// The label of the Joliet tree, where there is one.
    public let jolietVolumeIdentifier: String?
    /// The system whose programs may use the first sixteen sectors.
    public let systemIdentifier: String
    /// The set of volumes that this one is part of.
    public let volumeSetIdentifier: String
    /// Who published the image.
    public let publisherIdentifier: String
    /// Who prepared its data.
    public let preparerIdentifier: String
    /// The program that wrote it, or what it is.
    public let applicationIdentifier: String
    /// The sectors of 2048 bytes that the image claims.
    public let sectors: UInt32
    /// The bytes of the file on the host.
    public let imageSize: UInt64
    /// Seconds since 1970-01-01 at which it was made, where the image states it.
    public let created: Int64?
    /// Seconds since 1970-01-01 at which it was last changed, where the image states it.
    public let modified: Int64?
    /// The name spaces that the image has, the preferred one first.
    public let nameSpaces: [ISONameSpace]
    /// The sector of the El Torito boot catalogue, where the image has one.
    public let bootCatalog: UInt32?
}

/// One thing that firmware can boot, from the El Torito catalogue.
public struct BootEntry: Hashable, Sendable {
    /// The firmware that an entry is for.
    public enum Platform: Hashable, Sendable {
        /// A BIOS of the PC (0).
        case bios
        /// UEFI (0xEF).
        case efi
        /// Any other number.
        case other(UInt8)
    }

    /// The firmware that it is for.
    public let platform: Platform
    /// Whether it may be booted.
    public let isBootable: Bool
    /// The media type: 0 for none, 1 to 3 for a floppy, 4 for a hard disk.
    public let emulation: UInt8
    /// The segment to which a BIOS loads it, 0 for 0x7C0.
    public let loadSegment: UInt16
    /// The sectors of 512 bytes that are loaded.
    public let sectors: UInt16
    /// The sector of 2048 bytes at which it begins.
    public let location: UInt32
    /// The text of the section or of the validation entry.
    public let identifier: String
}
