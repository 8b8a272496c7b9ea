internal import SystemPackage

/// What the system use entries of one directory record say (SUSP 1.12, RRIP 1.12).
struct RockRidgeFields {
    var name: [UInt8]?
    var mode: UInt32?
    var owner: UInt32 = 0
    var group: UInt32 = 0
    var target: [UInt8]?
    var modified: ISOTime?
    /// The extent of a directory that was moved elsewhere (`CL`).
    var childLink: UInt32?
    /// Whether this directory was moved here (`RE`) and is to be seen where its link is.
    var isRelocated = false

    private var nameContinues = true
    private var targetContinues = true
    private var componentContinues = true

    /// Reads the entries of a record and of its continuation areas.
    ///
    /// - Parameters:
    ///   - systemUse: The system use field of the record.
    ///   - skip: The bytes before the first entry.
    ///   - sector: The sector of the record, for errors.
    ///   - image: The image that holds the continuation areas.
    ///   - limits: What is refused.
    ///   - budget: The bytes of structures that may still be read.
    /// - Throws: ``ISOError`` where an entry is damaged or exceeds a limit.
    init(
        _ systemUse: [UInt8], skip: Int, sector: UInt32, image: borrowing ImageFile, limits: ISOLimits,
        budget: inout Int
    ) throws {
        var area = Fields(bytes: Array(systemUse.dropFirst(skip)))
        var place = sector
        for count in 0...limits.continuations {
            guard let next = try take(area, at: place, subject: image.path.string, limits: limits) else { return }
            guard count < limits.continuations else { break }
            guard next.offset + next.length <= ISOFormat.sectorSize else {
                throw ISOError(
                    .damaged, subject: image.path.string, detail: "a continuation area crosses the end of its sector",
                    sector: place)
            }
            budget -= Int(next.length)
            guard budget >= 0 else { throw ISOWalk.tooMuch(image.path, limits) }
            area = Fields(
                bytes: try image.read(
                    at: UInt64(next.sector) * UInt64(ISOFormat.sectorSize) + UInt64(next.offset),
                    count: Int(next.length), what: "a continuation area"))
            place = next.sector
        }
        throw ISOError(
            .limitExceeded, subject: image.path.string,
            detail: "more than \(limits.continuations) continuation areas for one entry, or a loop of them",
            sector: place)
    }

    private struct Continuation {
        let sector: UInt32
        let offset: UInt32
        let length: UInt32
    }

    /// Takes the entries of one area; the last `CE` leads on.
    private mutating func take(
        _ area: Fields, at sector: UInt32, subject: String, limits: ISOLimits
    ) throws -> Continuation? {
        var next: Continuation?
        var offset = 0
        while area.bytes.count - offset >= 4, area.byte(offset) != 0 {
            let length = Int(area.byte(offset + 2))
            guard length >= 4, offset + length <= area.bytes.count else {
                throw ISOError(
                    .damaged, subject: subject, detail: "a system use entry has a wrong length of \(length)",
                    sector: sector)
            }
            let entry = Fields(bytes: area.slice(offset, length))
            switch (entry.byte(0), entry.byte(1)) {
            case (0x43, 0x45):  // CE
                next = Continuation(sector: entry.little32(4), offset: entry.little32(12), length: entry.little32(20))
                guard entry.little32(12) <= 2048, entry.little32(20) <= 2048 else {
                    throw ISOError(
                        .damaged, subject: subject, detail: "a continuation area crosses the end of its sector",
                        sector: sector)
                }
            case (0x53, 0x54): return next  // ST
            case (0x50, 0x58):  // PX
                mode = entry.little32(4)
                owner = entry.little32(20)
                group = entry.little32(28)
            case (0x4E, 0x4D): try takeName(entry, sector, subject, limits)  // NM
            case (0x53, 0x4C): try takeLink(entry, sector, subject, limits)  // SL
            case (0x54, 0x46): takeTimes(entry)  // TF
            case (0x43, 0x4C): childLink = entry.little32(4)  // CL
            case (0x52, 0x45): isRelocated = true  // RE
            default: break
            }
            offset += length
        }
        return next
    }

    /// `NM`: flag 1 says that more follows, 2 and 4 that the name is `.` or `..`.
    private mutating func takeName(
        _ entry: Fields, _ sector: UInt32, _ subject: String, _ limits: ISOLimits
    ) throws {
        guard nameContinues, entry.byte(4) & 0x06 == 0 else { return }
        let whole = (name ?? []) + entry.slice(5, entry.bytes.count - 5)
        guard whole.count <= limits.nameBytes else {
            throw ISOError(
                .limitExceeded, subject: subject, detail: "a name is longer than \(limits.nameBytes) bytes",
                sector: sector)
        }
        name = whole
        nameContinues = entry.byte(4) & 0x01 != 0
    }

    /// `SL`: components with a flag for the root, `.` and `..`; each may go on in the next entry.
    private mutating func takeLink(
        _ entry: Fields, _ sector: UInt32, _ subject: String, _ limits: ISOLimits
    ) throws {
        guard targetContinues else { return }
        targetContinues = entry.byte(4) & 0x01 != 0
        var text = target ?? []
        var offset = 5
        while offset + 2 <= entry.bytes.count {
            let flag = entry.byte(offset)
            let length = Int(entry.byte(offset + 1))
            guard offset + 2 + length <= entry.bytes.count else {
                throw ISOError(
                    .damaged, subject: subject, detail: "a component of a link is longer than its entry",
                    sector: sector)
            }
            if !componentContinues { text.append(UInt8(ascii: "/")) }
            switch flag & 0x0E {
            case 0x02: text.append(UInt8(ascii: "."))
            case 0x04: text += Array("..".utf8)
            case 0x08: text = [UInt8(ascii: "/")]
            default: text += entry.slice(offset + 2, length)
            }
            componentContinues = flag & 0x09 != 0
            offset += 2 + length
        }
        guard text.count <= limits.targetBytes else {
            throw ISOError(
                .limitExceeded, subject: subject,
                detail: "the target of a link is longer than \(limits.targetBytes) bytes", sector: sector)
        }
        target = text
    }

    /// `TF`: the flags say which times follow, creation before modification; bit 7 tells the long form.
    private mutating func takeTimes(_ entry: Fields) {
        let flags = entry.byte(4)
        guard flags & 0x02 != 0 else { return }
        let isLong = flags & 0x80 != 0
        let offset = 5 + (flags & 0x01 != 0 ? (isLong ? 17 : 7) : 0)
        guard offset + (isLong ? 17 : 7) <= entry.bytes.count else { return }
        modified = isLong ? ISOTime(long: entry, at: offset) : ISOTime(short: entry, at: offset)
    }
}
