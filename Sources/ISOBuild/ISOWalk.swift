internal import Artefact
internal import SystemPackage

/// A walk over the directories of one tree with the bounds that keep a hostile image from costing more than it may.
struct ISOWalk {
    let nameSpace: ISONameSpace
    /// The bytes before the system use entries of each record.
    let skip: Int
    let limits: ISOLimits
    private var visited: Set<UInt32> = []
    private var budget: Int
    private var entries = 0
    private var pathBytes = 0

    init(nameSpace: ISONameSpace, skip: Int, limits: ISOLimits) {
        self.nameSpace = nameSpace
        self.skip = skip
        self.limits = limits
        budget = limits.structureBytes
    }

    /// What the directory `parent` holds, sorted by the bytes of the names.
    mutating func children(of parent: ISOEntry, in image: borrowing ImageFile) throws -> [ISOEntry] {
        try recorded(below: parent, in: image).sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// What the directory `parent` holds, in the order of the records.
    mutating func recorded(below parent: ISOEntry, in image: borrowing ImageFile) throws -> [ISOEntry] {
        let subject = image.path.string
        guard let extent = parent.extents.first else { return [] }
        guard visited.insert(extent.sector).inserted else {
            throw ISOError(
                .damaged, subject: subject,
                detail: "the directory \(Self.shown(parent.path)) is reached twice, so the tree has a loop",
                sector: extent.sector)
        }
        budget -= Int(extent.length)
        guard budget >= 0 else { throw Self.tooMuch(image.path, limits) }
        var records = try DirectoryRecords(extent, in: image, shown: Self.shown(parent.path))
        var found: [ISOEntry] = []
        var open: DirectoryRecord?
        var extents: [ISOExtent] = []
        while let place = try records.next(shown: Self.shown(parent.path)) {
            let (record, sector) = (place.record, place.sector)
            if record.identifier == DirectoryRecord.itself || record.identifier == DirectoryRecord.above { continue }
            if record.flags & ISOFormat.Flag.associated != 0 { continue }
            guard !record.isUnusual else { throw records.unusual(place, shown: Self.shown(parent.path)) }
            entries += 1
            guard entries <= limits.entries else {
                throw ISOError(.limitExceeded, subject: subject, detail: "more than \(limits.entries) entries")
            }
            if let first = open {
                guard first.identifier == record.identifier, !record.isDirectory else {
                    throw ISOError(
                        .damaged, subject: subject, detail: "a file of several extents lacks its last", sector: sector)
                }
            }
            guard extents.count < limits.extents else {
                throw ISOError(
                    .limitExceeded, subject: subject, detail: "a file of more than \(limits.extents) extents",
                    sector: sector)
            }
            extents.append(ISOExtent(sector: record.extent, length: record.length))
            open = record.continues ? record : nil
            guard open == nil else { continue }
            if let entry = try entry(record, extents, below: parent, at: sector, in: image) { found.append(entry) }
            extents = []
        }
        guard open == nil else {
            throw ISOError(
                .damaged, subject: subject, detail: "a file of several extents lacks its last", sector: extent.sector)
        }
        return found
    }

    /// Makes an entry of a record, or `nil` for a directory that is to be seen elsewhere.
    private mutating func entry(
        _ record: DirectoryRecord, _ extents: [ISOExtent], below parent: ISOEntry, at sector: UInt32,
        in image: borrowing ImageFile
    ) throws -> ISOEntry? {
        var extents = extents
        var fields: RockRidgeFields?
        if nameSpace == .rockRidge {
            fields = try RockRidgeFields(
                record.systemUse, skip: skip, sector: sector, image: image, limits: limits, budget: &budget)
        }
        if fields?.isRelocated == true { return nil }
        let name = try Self.checked(
            fields?.name.map { String(decoding: $0, as: UTF8.self) } ?? plainName(record), at: sector, in: image)
        var kind: ISOEntry.Kind = record.isDirectory ? .directory : .file
        if let moved = fields?.childLink {
            kind = .directory
            extents = [try Self.relocated(moved, in: image)]
        } else if let target = fields?.target, !record.isDirectory {
            kind = .symlink(target: String(decoding: target, as: UTF8.self))
        } else if let mode = fields?.mode, ![0o100000, 0o040000, 0].contains(mode & 0o170000), !record.isDirectory {
            kind = .special
        }
        let path = parent.path.isEmpty ? name : parent.path + "/" + name
        if kind == .file { try Self.require(extents, of: path, within: image) }
        pathBytes += path.utf8.count
        guard pathBytes <= limits.pathBytes else {
            throw ISOError(
                .limitExceeded, subject: image.path.string, detail: "the paths have more than \(limits.pathBytes) bytes"
            )
        }
        return ISOEntry(
            path: path, kind: kind,
            mode: fields?.mode.map { EntryMode(UInt16(truncatingIfNeeded: $0)) }
                ?? EntryMode(kind == .directory ? 0o555 : 0o444),
            owner: fields?.owner ?? 0, group: fields?.group ?? 0,
            size: kind == .file ? extents.reduce(0) { $0 + UInt64($1.length) } : 0,
            modified: (fields?.modified ?? record.recorded)?.seconds, extents: extents)
    }

    /// Requires that all bytes of a file lie in the image.
    private static func require(
        _ extents: [ISOExtent], of path: String, within image: borrowing ImageFile
    ) throws(ISOError) {
        for extent in extents where extent.length > 0 {
            let end = UInt64(extent.sector) * UInt64(ISOFormat.sectorSize) + UInt64(extent.length)
            guard end > image.size else { continue }
            throw ISOError(
                .damaged, subject: image.path.string,
                detail: "the bytes of \(shown(path)) would end at byte \(end), outside of the image",
                sector: extent.sector)
        }
    }

    /// The extent of a directory that a `CL` entry points to: its own record tells the length.
    private static func relocated(_ sector: UInt32, in image: borrowing ImageFile) throws -> ISOExtent {
        let fields = try image.sector(sector, what: "a relocated directory")
        guard let itself = DirectoryRecord(fields, at: 0), itself.identifier == DirectoryRecord.itself,
            itself.isDirectory
        else {
            throw ISOError(
                .damaged, subject: image.path.string, detail: "a relocated directory is no directory", sector: sector)
        }
        return ISOExtent(sector: sector, length: itself.length)
    }

    /// The identifier without `;` and version, and without the full stop that only separates.
    private func plainName(_ record: DirectoryRecord) -> String {
        if nameSpace == .joliet {
            var text = Fields(bytes: record.identifier).wideText
            if !record.isDirectory, text.hasSuffix(";1") { text.removeLast(2) }
            return text
        }
        var name = record.identifier
        if !record.isDirectory {
            if let end = name.lastIndex(of: UInt8(ascii: ";")) { name = Array(name[..<end]) }
            if name.count > 1, name.last == UInt8(ascii: ".") { name.removeLast() }
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func checked(_ name: String, at sector: UInt32, in image: borrowing ImageFile) throws -> String {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "/"))
        else {
            throw ISOError(
                .damaged, subject: image.path.string, detail: "no file can have the name \(String(reflecting: name))",
                sector: sector)
        }
        return name
    }

    static func tooMuch(_ path: FilePath, _ limits: ISOLimits) -> ISOError {
        ISOError(
            .limitExceeded, subject: path.string,
            detail: "its directories have more than \(limits.structureBytes) bytes")
    }

    static func shown(_ path: String) -> String { path.isEmpty ? "/" : String(reflecting: path) }
}
