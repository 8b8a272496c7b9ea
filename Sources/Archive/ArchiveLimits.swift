/// The bounds within which an archive is read, so that no input takes unbounded time or memory.
public struct ArchiveLimits: Hashable, Sendable {
    /// How many headers may be read, those of long names and pax records included.
    public var headers: Int
    /// How many bytes may come out of the decompressor, or out of the file where nothing is compressed.
    public var totalBytes: UInt64
    /// How large one member may say it is, in bytes.
    public var memberBytes: UInt64
    /// How long a member's name or a link's target may be, in bytes.
    public var nameBytes: Int
    /// How large the pax records of one member may be, in bytes.
    ///
    /// busybox tar passes over 1 MiB and more.
    public var recordBytes: Int
    /// How many pax records may stand in one header.
    public var records: Int
    /// How large all extended headers together may be, pax records and long names, in bytes.
    public var extendedBytes: Int
    /// How many times larger than the compressed bytes the result may be, once ``ratioFloor`` bytes have come out.
    public var ratio: UInt64

    /// How many bytes come out before ``ratio`` counts: small archives of zeros are no bombs.
    public static let ratioFloor: UInt64 = 32 << 20

    /// Suits release tarballs and overlays: 100 000 headers, 4 GiB in all and in one member, names of 4095 bytes.
    public static let standard = ArchiveLimits()

    /// Takes the bounds; each has a default that suits release tarballs and overlays.
    ///
    /// - Parameters:
    ///   - headers: The number of headers.
    ///   - totalBytes: The bytes after decompression.
    ///   - memberBytes: The bytes of one member.
    ///   - nameBytes: The bytes of one name or link target.
    ///   - recordBytes: The bytes of one member's pax records.
    ///   - records: The number of one member's pax records.
    ///   - extendedBytes: The bytes of all pax records and long names.
    ///   - ratio: The quotient of decompressed and compressed bytes; deflate itself cannot exceed 1032.
    public init(
        headers: Int = 100_000, totalBytes: UInt64 = 4 << 30, memberBytes: UInt64 = 4 << 30, nameBytes: Int = 4095,
        recordBytes: Int = (1 << 20) - 1, records: Int = 64, extendedBytes: Int = 8 << 20, ratio: UInt64 = 250
    ) {
        self.headers = headers
        self.totalBytes = totalBytes
        self.memberBytes = memberBytes
        self.nameBytes = nameBytes
        self.recordBytes = recordBytes
        self.records = records
        self.extendedBytes = extendedBytes
        self.ratio = ratio
    }
}
