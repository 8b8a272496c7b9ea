internal import Artefact

/// The system use entries that give a directory record its POSIX meaning (SUSP 1.12, RRIP 1.12).
enum RockRidgeWriter {
    /// The longest system use entry; its length is one byte.
    private static let longestEntry = 255
    /// The length of a `CE` entry.
    static let continuationLength = 28

    private static let directoryType: UInt32 = 0o040000
    private static let fileType: UInt32 = 0o100000
    private static let linkType: UInt32 = 0o120000

    /// A component of the target of a link: flag 1 says that it goes on in the next record.
    private struct Component {
        let flag: UInt8
        let text: [UInt8]
    }

    /// The entries of the root's own record: `SP`, which says that system use entries are here (SUSP §5.3), and `ER`,
    /// which names Rock Ridge (SUSP §5.5, RRIP §4.3).
    static func rootEntries() -> (first: [UInt8], last: [UInt8]) {
        let identifier = Array("IEEE_P1282".utf8)
        let description = Array("THE IEEE P1282 PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS".utf8)
        let source = Array(
            "PLEASE CONTACT THE IEEE STANDARDS DEPARTMENT, PISCATAWAY, NJ, USA FOR THE P1282 SPECIFICATION.".utf8)
        let lengths = [identifier.count, description.count, source.count].map { UInt8(truncatingIfNeeded: $0) }
        return (
            entry("SP", [0xBE, 0xEF, 0]), entry("ER", lengths + [1] + identifier + description + source)
        )
    }

    /// `PX`, RRIP §4.1.1: type and mode, links, owner, group and a serial number.
    static func attributes(
        _ kind: ISONode.Kind, mode: EntryMode, links: UInt32, owner: UInt32, group: UInt32, serial: UInt32
    ) -> [UInt8] {
        let type =
            switch kind {
            case .directory: directoryType
            case .file: fileType
            case .symlink: linkType
            }
        var body: [UInt8] = []
        for value in [type | UInt32(mode.bits), links, owner, group, serial] { body.appendBoth32(value) }
        return entry("PX", body)
    }

    /// `TF`, RRIP §4.1.6, with the time of modification alone: readers take it for the others too.
    static func times(_ modified: ISOTime) -> [UInt8] { entry("TF", [0x02] + modified.short) }

    /// `NM`, RRIP §4.1.4: as many entries as the name needs, each but the last marked as continued.
    static func name(_ name: [UInt8]) -> [[UInt8]] {
        let longest = longestEntry - 5
        return stride(from: 0, to: name.count, by: longest).map { start in
            let piece = name[start..<Swift.min(start + longest, name.count)]
            return entry("NM", [start + longest < name.count ? 1 : 0] + piece)
        }
    }

    /// `SL`, RRIP §4.1.3: the target in components; a record that is full continues in the next.
    ///
    /// The cut is made within a component wherever that can be, because libarchive loses the `/` at a cut between two.
    static func link(_ target: [UInt8]) -> [[UInt8]] {
        let longest = longestEntry - 5
        var records: [[UInt8]] = []
        var record: [Component] = []
        var left = Array(components(target).reversed())
        while let next = left.popLast() {
            let room = longest - record.reduce(0) { $0 + 2 + $1.text.count } - 2
            if next.text.count <= room {
                record.append(next)
                continue
            }
            var cut = next
            var piece = room
            if room < 1 || next.text.isEmpty {
                left.append(next)
                let place = record.lastIndex { $0.text.count > 1 } ?? record.lastIndex { !$0.text.isEmpty }
                guard let place else {
                    records.append(linkEntry(record, continues: true))
                    record = []
                    continue
                }
                cut = record[place]
                piece = Swift.max(1, cut.text.count - 1)
                left += record[(place + 1)...].reversed()
                record.removeSubrange(place...)
            }
            record.append(Component(flag: 1, text: Array(cut.text.prefix(piece))))
            left.append(Component(flag: 0, text: Array(cut.text.dropFirst(piece))))
            records.append(linkEntry(record, continues: true))
            record = []
        }
        records.append(linkEntry(record, continues: false))
        return records
    }

    /// `CE`, SUSP §5.1: where more entries are.
    static func continuation(sector: UInt32, offset: Int, length: Int) -> [UInt8] {
        var body: [UInt8] = []
        body.appendBoth32(sector)
        body.appendBoth32(UInt32(truncatingIfNeeded: offset))
        body.appendBoth32(UInt32(truncatingIfNeeded: length))
        return entry("CE", body)
    }

    /// The target split at `/`; the root, `.` and `..` have flags of their own, and an empty component stands for a
    /// second or a trailing `/`.
    private static func components(_ target: [UInt8]) -> [Component] {
        var pieces = target.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
        var components: [Component] = []
        if target.first == UInt8(ascii: "/") {
            components.append(Component(flag: 8, text: []))
            pieces.removeFirst()
            if pieces == [[]] { return components }
        }
        for piece in pieces {
            switch piece {
            case Array(".".utf8): components.append(Component(flag: 2, text: []))
            case Array("..".utf8): components.append(Component(flag: 4, text: []))
            default: components.append(Component(flag: 0, text: piece))
            }
        }
        return components
    }

    private static func linkEntry(_ components: [Component], continues: Bool) -> [UInt8] {
        entry(
            "SL",
            [continues ? 1 : 0] + components.flatMap { [$0.flag, UInt8(truncatingIfNeeded: $0.text.count)] + $0.text })
    }

    private static func entry(_ signature: StaticString, _ body: [UInt8]) -> [UInt8] {
        Array("\(signature)".utf8) + [UInt8(truncatingIfNeeded: body.count + 4), 1] + body
    }
}

/// The continuation areas of one directory, packed one after the other, none across a sector boundary.
struct ContinuationPool {
    /// The sector at which the pool begins.
    let start: UInt32
    /// The areas so far.
    private var bytes: [UInt8] = []

    /// The areas in whole sectors.
    var sectors: [UInt8] {
        var sectors = bytes
        sectors.padToSector()
        return sectors
    }

    /// Whether no record needed one.
    var isEmpty: Bool { bytes.isEmpty }

    init(start: UInt32) { self.start = start }

    /// Keeps as many of `entries` as fit beside an identifier and puts the others into the pool.
    ///
    /// - Returns: What stands in the record itself, with a `CE` entry where there is more.
    mutating func pack(_ entries: [[UInt8]], identifier: [UInt8]) -> [UInt8] {
        let room = DirectoryRecord.room(identifier: identifier.count)
        var total = 0
        for entry in entries { total += entry.count }
        if total <= room { return Array(entries.joined()) }
        var kept: [UInt8] = []
        var rest = entries[...]
        while let next = rest.first, kept.count + next.count + RockRidgeWriter.continuationLength <= room {
            kept += next
            rest.removeFirst()
        }
        return kept + place(Array(rest))
    }

    /// Puts entries into the pool, in a chain of areas where one sector does not hold them.
    ///
    /// - Returns: The `CE` entry that leads to them.
    private mutating func place(_ entries: [[UInt8]]) -> [UInt8] {
        var areas: [[UInt8]] = [[]]
        var left = entries.reduce(0) { $0 + $1.count }
        for entry in entries {
            let current = areas.count - 1
            let holdsAll = areas[current].count + left <= ISOFormat.sectorSize
            let limit = ISOFormat.sectorSize - (holdsAll ? 0 : RockRidgeWriter.continuationLength)
            if areas[current].count + entry.count > limit { areas.append([]) }
            areas[areas.count - 1] += entry
            left -= entry.count
        }
        let lengths = areas.indices.map {
            areas[$0].count + ($0 < areas.count - 1 ? RockRidgeWriter.continuationLength : 0)
        }
        if bytes.count % ISOFormat.sectorSize + lengths[0] > ISOFormat.sectorSize { bytes.padToSector() }
        let first = pointer(length: lengths[0])
        for (index, area) in areas.enumerated() {
            bytes += area
            guard index < areas.count - 1 else { break }
            let sector = start + UInt32(truncatingIfNeeded: bytes.count / ISOFormat.sectorSize + 1)
            bytes += RockRidgeWriter.continuation(sector: sector, offset: 0, length: lengths[index + 1])
            bytes.padToSector()
        }
        return first
    }

    private func pointer(length: Int) -> [UInt8] {
        RockRidgeWriter.continuation(
            sector: start + UInt32(truncatingIfNeeded: bytes.count / ISOFormat.sectorSize),
            offset: bytes.count % ISOFormat.sectorSize, length: length)
    }
}
