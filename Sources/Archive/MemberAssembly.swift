internal import Artefact

/// What a header, the pax records and the GNU long names before it say together.
struct MemberAssembly {
    private let header: TarHeader
    private let records: PaxRecords?
    private let hasLongName: Bool
    private let name: [UInt8]
    private let link: [UInt8]
    private let size: Int64
    private let modified: Int64
    private let owner: Int64
    private let group: Int64

    init(_ header: TarHeader, _ extended: ExtendedHeaders) throws(TarHeader.Fault) {
        self.header = header
        records = extended.records
        let longName = records?["path"] ?? extended.longName
        hasLongName = longName != nil
        name = longName ?? header.name
        link = records?["linkpath"] ?? extended.longLink ?? header.link
        size = try records?.number("size") ?? header.size
        modified = try records?.time("mtime") ?? header.modified
        owner = try records?.number("uid") ?? header.owner
        group = try records?.number("gid") ?? header.group
    }

    /// What makes the member unreadable, if anything does.
    func complaint(_ limits: ArchiveLimits) -> (code: ArchiveError.Code, detail: String)? {
        var shown: String { String(reflecting: String(decoding: name.prefix(120), as: UTF8.self)) }
        guard !name.isEmpty, !name.contains(0), !link.contains(0) else {
            return (.malformed, "a member has no name, or one with a NUL byte in it")
        }
        guard name.count <= limits.nameBytes, link.count <= limits.nameBytes else {
            return (.limitExceeded, "member \(shown)… has a name or target of more than \(limits.nameBytes) bytes")
        }
        guard header.type != UInt8(ascii: "S"), !keys.contains(where: { $0.hasPrefix("GNU.sparse.") }) else {
            return (.unsupportedMember, "member \(shown) is a sparse file; pack it without --sparse")
        }
        if let detail = ambiguity { return (.malformed, "member \(shown) \(detail)") }
        guard size >= 0 else { return (.malformed, "member \(shown) says it holds \(size) bytes") }
        guard UInt64(size) <= limits.memberBytes else {
            return (
                .limitExceeded, "member \(shown) says it holds \(size) bytes; at most \(limits.memberBytes) are read"
            )
        }
        guard UInt32(exactly: owner) != nil, UInt32(exactly: group) != nil else {
            return (
                .malformed, "member \(shown) belongs to \(owner):\(group), which are no numbers of users and groups"
            )
        }
        return nil
    }

    /// What busybox tar and others understand differently although every field is in order.
    ///
    /// busybox looks for the slash of a directory in the header alone, and makes an empty file with a target a hard link.
    private var ambiguity: String? {
        let isPlain = [0, UInt8(ascii: "0"), UInt8(ascii: "7")].contains(header.type)
        if isPlain, hasLongName, name.last == UInt8(ascii: "/") {
            return "is a file whose long name ends with a slash"
        }
        if isPlain, !link.isEmpty { return "is a file with the target of a link" }
        if [UInt8(ascii: "1"), UInt8(ascii: "2")].contains(header.type), link.isEmpty {
            return "is a link without a target"
        }
        return nil
    }

    private var keys: [String] { records?.keys ?? [] }

    private var hasContent: Bool {
        switch kind {
        case .file: true
        case .other: !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(header.type)
        default: false
        }
    }

    private func text(_ key: ArchiveMember.Disagreement.Field, _ field: [UInt8]) -> String {
        String(decoding: records?[key.rawValue] ?? field, as: UTF8.self)
    }

    private var disagreements: [ArchiveMember.Disagreement] {
        guard records != nil else { return [] }
        var found: [ArchiveMember.Disagreement] = []
        func compare(_ field: ArchiveMember.Disagreement.Field, _ record: String, _ header: String) {
            guard record != header else { return }
            found.append(.init(field: field, record: record, header: header))
        }
        if hasContent { compare(.size, String(size), String(header.size)) }
        compare(.uid, String(owner), String(header.owner))
        compare(.gid, String(group), String(header.group))
        compare(.uname, text(.uname, header.ownerName), String(decoding: header.ownerName, as: UTF8.self))
        compare(.gname, text(.gname, header.groupName), String(decoding: header.groupName, as: UTF8.self))
        return found
    }

    /// The member, which is meaningful where there is no complaint.
    var member: ArchiveMember {
        ArchiveMember(
            name: String(decoding: name, as: UTF8.self), nameBytes: name, kind: kind,
            mode: EntryMode(UInt16(truncatingIfNeeded: header.mode)), owner: UInt32(truncatingIfNeeded: owner),
            group: UInt32(truncatingIfNeeded: group), ownerName: text(.uname, header.ownerName),
            groupName: text(.gname, header.groupName), size: hasContent ? UInt64(clamping: size) : 0,
            modified: modified, dialect: keys.isEmpty ? header.dialect : .pax, recordKeys: keys,
            disagreements: disagreements)
    }

    private var kind: ArchiveMember.Kind {
        let target = String(decoding: link, as: UTF8.self)
        switch header.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): return name.last == UInt8(ascii: "/") ? .directory : .file
        case UInt8(ascii: "1"): return .hardlink(target: target)
        case UInt8(ascii: "2"): return .symlink(target: target)
        case UInt8(ascii: "3"): return .other("character device")
        case UInt8(ascii: "4"): return .other("block device")
        case UInt8(ascii: "5"): return .directory
        case UInt8(ascii: "6"): return .other("FIFO")
        default: return .other("type \(String(reflecting: String(decoding: [header.type], as: UTF8.self)))")
        }
    }
}
