internal import Artefact
internal import SystemPackage

/// Reads a directory tree for a graft: everything, and only where the structures agree with each other.
struct GraftTreeReader: ~Copyable {
    private let nameSpace: ISONameSpace
    /// The bytes before the system use entries of each record.
    private let skip: Int
    private let limits: ISOLimits
    private var budget: Int
    private var entries = 0
    private var visited: Set<UInt32> = []
    /// The level of each node, that of the root 0.
    private var levels = [0]
    private var tree: GraftTree

    /// Reads the tree whose root a volume descriptor tells.
    ///
    /// - Throws: ``ISOError`` where a structure is damaged, contradicts another or exceeds a limit.
    static func read(
        _ root: DirectoryRecord, nameSpace: ISONameSpace, skip: Int, in image: borrowing ImageFile, limits: ISOLimits
    ) throws -> GraftTree {
        var reader = GraftTreeReader(nameSpace: nameSpace, skip: skip, limits: limits)
        let extent = ISOExtent(sector: root.extent, length: root.length)
        reader.tree.nodes.append(
            GraftTree.Node(name: [], records: [], isDirectory: true, parent: 0, source: extent))
        var next = 0
        while next < reader.tree.nodes.count {
            if reader.tree.nodes[next].isDirectory { try reader.readDirectory(next, in: image) }
            next += 1
        }
        reader.tree.indexSectors()
        try reader.checkLinks(image.path)
        return reader.tree
    }

    /// Requires that directories which lie too deep were moved as RRIP §4.1.5 says: each link leads to one of them, and
    /// each of them knows the directory in which it is seen.
    private func checkLinks(_ path: FilePath) throws {
        guard nameSpace == .rockRidge else { return }
        var linked: Set<UInt32> = []
        func damaged(_ index: Int, _ detail: String) -> ISOError {
            ISOError(
                .damaged, subject: path.string,
                detail: "the directory \(ISOWalk.shown(tree.path(of: index))), which was moved, \(detail)")
        }
        for index in tree.nodes.indices {
            guard let sector = tree.nodes[index].records.first?.number("CL", at: 4) else { continue }
            guard let moved = tree.link(of: index), tree.nodes[moved].records.first?.has("RE") ?? false,
                linked.insert(sector).inserted
            else { throw damaged(index, "is not where its link leads") }
        }
        for index in tree.nodes.indices where tree.nodes[index].isDirectory {
            let node = tree.nodes[index]
            guard node.records.first?.has("RE") ?? false, let above = node.above?.number("PL", at: 4) else { continue }
            guard linked.contains(node.source?.sector ?? 0), tree.bySector[above] != nil else {
                throw damaged(index, "tells a directory above it that is none")
            }
        }
    }

    private init(nameSpace: ISONameSpace, skip: Int, limits: ISOLimits) {
        self.nameSpace = nameSpace
        self.skip = skip
        self.limits = limits
        budget = limits.structureBytes
        tree = GraftTree(nameSpace: nameSpace, skip: skip, nodes: [])
    }

    private mutating func readDirectory(_ index: Int, in image: borrowing ImageFile) throws {
        guard let extent = tree.nodes[index].source else { return }
        let subject = image.path.string
        var shown: String { ISOWalk.shown(tree.path(of: index)) }
        guard visited.insert(extent.sector).inserted else {
            throw ISOError(
                .damaged, subject: subject,
                detail: "the directory \(shown) is reached twice, so the tree has a loop", sector: extent.sector)
        }
        guard levels[index] < limits.depth else {
            throw ISOError(
                .limitExceeded, subject: subject, detail: "more than \(limits.depth) levels of directories",
                sector: extent.sector)
        }
        try spend(Int(extent.length), image.path)
        var records = try DirectoryRecords(extent, in: image, shown: shown)
        var found: [GraftRecord] = []
        while let place = try records.next(shown: ISOWalk.shown(tree.path(of: index))) {
            let (record, sector) = (place.record, place.sector)
            entries += 1
            guard entries <= limits.entries else {
                throw ISOError(.limitExceeded, subject: subject, detail: "more than \(limits.entries) entries")
            }
            let use = try systemUse(of: record, at: sector, isFirst: index == 0 && found.isEmpty, in: image)
            let kept = GraftRecord(records.fields, at: place.offset, record, systemUse: use)
            guard kept.isConsistent else {
                throw ISOError(
                    .damaged, subject: subject,
                    detail: "a record of the directory \(shown) tells two places in its two byte orders",
                    sector: sector)
            }
            let end = UInt64(record.extent) * UInt64(ISOFormat.sectorSize) + UInt64(record.length)
            guard record.isDirectory || record.length == 0 || end <= image.size else {
                throw ISOError(
                    .damaged, subject: subject,
                    detail: "the bytes of a file in \(shown) would end at byte \(end), outside of the image",
                    sector: sector)
            }
            guard !record.isUnusual else { throw records.unusual(place, shown: shown) }
            found.append(kept)
        }
        try take(found, into: index, at: extent, image.path)
    }

    /// Sorts the records of a directory: itself, the one above, and what it holds.
    private mutating func take(
        _ records: [GraftRecord], into index: Int, at extent: ISOExtent, _ path: FilePath
    ) throws {
        func damaged(_ detail: String) -> ISOError {
            ISOError(
                .damaged, subject: path.string,
                detail: "the directory \(ISOWalk.shown(tree.path(of: index))) \(detail)", sector: extent.sector)
        }
        guard records.count >= 2, records[0].identifier == DirectoryRecord.itself,
            records[1].identifier == DirectoryRecord.above
        else { throw damaged("does not begin with the records of itself and the one above") }
        guard records[0].extent == extent.sector, records[0].length == extent.length else {
            throw damaged("tells another place or size of itself than the record that leads to it")
        }
        // The place of the one above is not held against the tree: libisofs writes others into Joliet trees, no reader
        // follows it, and the graft writes the right one.
        tree.nodes[index].itself = records[0]
        tree.nodes[index].above = records[1]
        var open: [GraftRecord] = []
        for record in records.dropFirst(2) {
            guard record.identifier != DirectoryRecord.itself, record.identifier != DirectoryRecord.above else {
                throw damaged("has a second record of itself")
            }
            if let first = open.first {
                guard first.identifier == record.identifier, !record.isDirectory else {
                    throw damaged("has a file of several extents that lacks its last")
                }
            }
            open.append(record)
            guard open.count <= limits.extents else {
                throw ISOError(
                    .limitExceeded, subject: path.string, detail: "a file of more than \(limits.extents) extents")
            }
            guard !record.continues else { continue }
            let source =
                record.isDirectory ? ISOExtent(sector: record.extent, length: record.length) : nil
            let node = GraftTree.Node(
                name: Self.name(of: open[0], in: nameSpace), records: open, isDirectory: record.isDirectory,
                parent: index, source: source)
            tree.nodes.append(node)
            levels.append(levels[index] + 1)
            tree.nodes[index].children.append(tree.nodes.count - 1)
            open = []
        }
        guard open.isEmpty else { throw damaged("has a file of several extents that lacks its last") }
    }

    /// The name that `NM` entries tell (RRIP §4.1.4), else the identifier without version and separator.
    private static func name(of record: GraftRecord, in nameSpace: ISONameSpace) -> [UInt8] {
        var name: [UInt8] = []
        if nameSpace == .rockRidge {
            for entry in record.systemUse where entry.count > 5 && entry.starts(with: "NM".utf8) {
                name += entry.dropFirst(5)
                if entry[4] & 0x01 == 0 { break }
            }
            if !name.isEmpty { return name }
        }
        return Self.name(ofIdentifier: record.identifier, isDirectory: record.isDirectory, in: nameSpace)
    }

    /// The identifier without version and separator.
    static func name(ofIdentifier identifier: [UInt8], isDirectory: Bool, in nameSpace: ISONameSpace) -> [UInt8] {
        var name = identifier
        guard !isDirectory else { return name }
        if nameSpace == .joliet {
            let version: [UInt8] = [0, UInt8(ascii: ";"), 0, UInt8(ascii: "1")]
            if name.count > 4, name.suffix(4).elementsEqual(version) { name.removeLast(4) }
            return name
        }
        if let end = name.lastIndex(of: UInt8(ascii: ";")) { name = Array(name[..<end]) }
        if name.count > 1, name.last == UInt8(ascii: ".") { name.removeLast() }
        return name
    }

    /// The system use entries of a record and of its continuation areas.
    private mutating func systemUse(
        of record: DirectoryRecord, at sector: UInt32, isFirst: Bool, in image: borrowing ImageFile
    ) throws -> [[UInt8]] {
        guard nameSpace == .rockRidge else { return record.systemUse.isEmpty ? [] : [record.systemUse] }
        // The root's own record has the entry that tells how much is skipped; it begins where that entry stands.
        var start = skip
        if isFirst {
            start = [0, 14].first { record.systemUse.dropFirst($0).starts(with: "SP".utf8) } ?? skip
        }
        var entries: [[UInt8]] = []
        if start > 0 { entries.append(Array(record.systemUse.prefix(start))) }
        var area = Fields(bytes: Array(record.systemUse.dropFirst(start)))
        var place = sector
        for _ in 0...limits.continuations {
            guard let next = try Self.split(area, into: &entries, at: place, image.path) else { return entries }
            guard next.offset + next.length <= ISOFormat.sectorSize else {
                throw ISOError(
                    .damaged, subject: image.path.string, detail: "a continuation area crosses the end of its sector",
                    sector: place)
            }
            try spend(next.length, image.path)
            area = Fields(
                bytes: try image.read(
                    at: UInt64(next.sector) * UInt64(ISOFormat.sectorSize) + UInt64(next.offset), count: next.length,
                    what: "a continuation area"))
            place = next.sector
        }
        throw ISOError(
            .limitExceeded, subject: image.path.string,
            detail: "more than \(limits.continuations) continuation areas for one entry, or a loop of them",
            sector: place)
    }

    /// Splits one area into its entries.
    ///
    /// - Returns: Where the next area is, for an area with a `CE` entry.
    private static func split(
        _ area: Fields, into entries: inout [[UInt8]], at sector: UInt32, _ path: FilePath
    ) throws -> (sector: UInt32, offset: Int, length: Int)? {
        var next: (sector: UInt32, offset: Int, length: Int)?
        var offset = 0
        while area.bytes.count - offset >= 4, area.byte(offset) != 0 {
            let length = Int(area.byte(offset + 2))
            guard length >= 4, offset + length <= area.bytes.count else {
                throw ISOError(
                    .damaged, subject: path.string, detail: "a system use entry has a wrong length of \(length)",
                    sector: sector)
            }
            let entry = area.slice(offset, length)
            switch String(decoding: entry.prefix(2), as: UTF8.self) {
            case "CE":
                let fields = Fields(bytes: entry)
                guard fields.little32(12) <= 2048, fields.little32(20) <= 2048 else {
                    throw ISOError(
                        .damaged, subject: path.string, detail: "a continuation area crosses the end of its sector",
                        sector: sector)
                }
                next = (fields.little32(4), Int(fields.little32(12)), Int(fields.little32(20)))
            case "ST": return next
            case "PD": break
            default: entries.append(entry)
            }
            offset += length
        }
        return next
    }

    private mutating func spend(_ bytes: Int, _ path: FilePath) throws {
        budget -= bytes
        guard budget >= 0 else { throw ISOWalk.tooMuch(path, limits) }
    }
}
