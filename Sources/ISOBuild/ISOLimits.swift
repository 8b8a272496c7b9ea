/// How much a reader takes from an image before it refuses it, so that a hostile image costs bounded time and memory.
public struct ISOLimits: Hashable, Sendable {
    /// The most volume descriptors.
    public var descriptors = 64
    /// The most entries in one tree.
    public var entries = 1_000_000
    /// The most bytes of directories and continuation areas that one walk of a tree reads.
    public var structureBytes = 64 << 20
    /// The most bytes that the paths of all entries may have together.
    public var pathBytes = 128 << 20
    /// The most levels of directories, the root included.
    public var depth = 128
    /// The most continuation areas of one directory record.
    public var continuations = 100
    /// The most extents of one file; of the size that an extent may have, that is 16 TiB.
    public var extents = 4096
    /// The most bytes of one name.
    public var nameBytes = 255
    /// The most bytes of the target of a link.
    public var targetBytes = 4096
    /// The most entries of a boot catalogue.
    public var bootEntries = 64

    /// The limits that every real image keeps.
    public static let standard = ISOLimits()

    /// Makes the standard limits, to be changed.
    public init() {}
}
