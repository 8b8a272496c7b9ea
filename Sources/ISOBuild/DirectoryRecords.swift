internal import SystemPackage

/// The records of one directory in their order (ECMA-119 §6.8.1), read without trust.
struct DirectoryRecords {
    /// A record and where it stands.
    struct Place {
        let record: DirectoryRecord
        /// Its first byte in the directory.
        let offset: Int
        /// The sector of the image that holds it.
        let sector: UInt32
    }

    /// The bytes of the directory.
    let fields: Fields
    private let extent: ISOExtent
    private let subject: String
    private var offset = 0

    /// Reads the extent of a directory.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/damaged`` where it lies outside of the image.
    init(_ extent: ISOExtent, in image: borrowing ImageFile, shown name: String) throws {
        self.extent = extent
        subject = image.path.string
        fields = Fields(
            bytes: try image.read(
                at: UInt64(extent.sector) * UInt64(ISOFormat.sectorSize), count: Int(extent.length),
                what: "the directory \(name)"))
    }

    /// The next record; no record crosses a sector, so that zeros lead to the next one.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/damaged`` for a record that contradicts its own length.
    mutating func next(shown name: @autoclosure () -> String) throws(ISOError) -> Place? {
        while offset < fields.bytes.count {
            let sector = extent.sector &+ UInt32(offset / ISOFormat.sectorSize)
            let length = Int(fields.byte(offset))
            guard length > 0 else {
                offset = (offset / ISOFormat.sectorSize + 1) * ISOFormat.sectorSize
                continue
            }
            guard let record = DirectoryRecord(fields, at: offset) else {
                throw ISOError(
                    .damaged, subject: subject,
                    detail: "a record of the directory \(name()) contradicts its length of \(length)", sector: sector)
            }
            defer { offset += length }
            return Place(record: record, offset: offset, sector: sector)
        }
        return nil
    }

    /// The refusal of a record whose bytes readers do not agree on.
    func unusual(_ place: Place, shown name: String) -> ISOError {
        ISOError(
            .unsupported, subject: subject,
            detail: "has a file in \(name) that is interleaved or begins with an extended attribute record, which"
                + " readers do not agree on", sector: place.sector)
    }
}
