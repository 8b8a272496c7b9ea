/// A directory record of an image that is grafted, kept as it stands but for what a graft must change.
///
/// What ``DirectoryRecord`` leaves out (the zone of a time, volume numbers, bytes before the first system use entry,
/// entries that nobody here knows) survives in the bytes that are kept.
struct GraftRecord {
    /// The 33 bytes before the identifier, ECMA-119 §9.1; the length of the record is set when it is written.
    private var header: [UInt8]
    /// The file identifier.
    let identifier: [UInt8]
    /// The system use entries in their order, also those of continuation areas.
    ///
    /// Before them stand, where there are any, the bytes that precede the first (SUSP §5.3). `CE`, `PD` and `ST` are not
    /// among them: they are made anew.
    var systemUse: [[UInt8]]

    /// Takes a record that is made here.
    init(_ record: DirectoryRecord, systemUse: [[UInt8]]) {
        header = Array(record.bytes.prefix(ISOFormat.recordHeader))
        identifier = record.identifier
        self.systemUse = systemUse
    }

    /// Takes the record that stands at `offset` of a directory and was found to fit there.
    init(_ fields: Fields, at offset: Int, _ record: DirectoryRecord, systemUse: [[UInt8]]) {
        header = fields.slice(offset, ISOFormat.recordHeader)
        identifier = record.identifier
        self.systemUse = systemUse
    }

    /// The first sector of the extent, in both byte orders.
    var extent: UInt32 {
        get { Fields(bytes: header).little32(2) }
        set { header.replaceBoth32(at: 2, newValue) }
    }

    /// The bytes of the extent, in both byte orders.
    var length: UInt32 {
        get { Fields(bytes: header).little32(10) }
        set { header.replaceBoth32(at: 10, newValue) }
    }

    var flags: UInt8 { header.count > 25 ? header[25] : 0 }
    var isDirectory: Bool { flags & ISOFormat.Flag.directory != 0 }
    var continues: Bool { flags & ISOFormat.Flag.multiExtent != 0 }
    var isAssociated: Bool { flags & ISOFormat.Flag.associated != 0 }

    /// Whether both byte orders of extent and length tell the same.
    var isConsistent: Bool {
        let fields = Fields(bytes: header)
        return fields.little32(2) == fields.big32(6) && fields.little32(10) == fields.big32(14)
    }

    /// Whether its system use entries do not fit beside its identifier.
    var needsContinuation: Bool {
        systemUse.reduce(0) { $0 + $1.count } > DirectoryRecord.room(identifier: identifier.count)
    }

    /// The bytes of the record without a continuation, or as many entries as fit and a `CE` to those in `areas`.
    func bytes(_ areas: inout ContinuationPool) -> [UInt8] {
        var bytes = header
        bytes += identifier
        if identifier.count % 2 == 0 { bytes.append(0) }
        bytes += areas.pack(systemUse, identifier: identifier)
        if bytes.count % 2 != 0 { bytes.append(0) }
        bytes[0] = UInt8(truncatingIfNeeded: bytes.count)
        return bytes
    }

    /// The value that the first entry with a signature holds at an offset, in both byte orders.
    func number(_ signature: StaticString, at offset: Int) -> UInt32? {
        guard let index = index(of: signature, reaching: offset + 8) else { return nil }
        return Fields(bytes: systemUse[index]).little32(offset)
    }

    /// Sets such a value, where there is such an entry.
    mutating func setNumber(_ signature: StaticString, at offset: Int, _ value: UInt32) {
        guard let index = index(of: signature, reaching: offset + 8) else { return }
        systemUse[index].replaceBoth32(at: offset, value)
    }

    /// Whether an entry has this signature.
    func has(_ signature: StaticString) -> Bool { index(of: signature, reaching: 4) != nil }

    private func index(of signature: StaticString, reaching end: Int) -> Int? {
        let wanted = Array("\(signature)".utf8)
        return systemUse.firstIndex { $0.count >= end && $0.starts(with: wanted) }
    }
}

extension [UInt8] {
    /// Replaces a number in both byte orders (ECMA-119 §7.3.3); what does not fit stays as it is.
    mutating func replaceBoth32(at offset: Int, _ value: UInt32) {
        guard offset >= 0, offset + 8 <= count else { return }
        var bytes: [UInt8] = []
        bytes.appendBoth32(value)
        replaceSubrange(offset..<offset + 8, with: bytes)
    }

    /// Replaces bytes in place; what does not fit stays as it is.
    mutating func replace(at offset: Int, _ bytes: [UInt8]) {
        guard offset >= 0, offset + bytes.count <= count else { return }
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
}
