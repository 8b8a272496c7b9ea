internal import Artefact

/// What a header, the pax records and the GNU long names before it say together.
struct MemberAssembly {
    private let header: TarHeader
    private let records: PaxRecords
    private let name: [UInt8]
    private let link: [UInt8]
    private let size: Int64
    private let modified: Int64
    private let owner: Int64
    private let group: Int64

    init(_ header: TarHeader, _ records: PaxRecords, longName: [UInt8]?, longLink: [UInt8]?) throws(TarHeader.Fault) {
        self.header = header
        self.records = records
        name = records["path"] ?? longName ?? header.name
        link = records["linkpath"] ?? longLink ?? header.link
        size = try records.number("size") ?? header.size
        modified = try records.number("mtime") ?? header.modified
        owner = try records.number("uid") ?? header.owner
        group = try records.number("gid") ?? header.group
    }

    /// What makes the member unreadable, if anything does.
    func complaint(_ limits: ArchiveLimits) -> (code: ArchiveError.Code, detail: String)? {
        let shown = String(reflecting: String(decoding: name.prefix(120), as: UTF8.self))
        guard !name.isEmpty, !name.contains(0), !link.contains(0) else {
            return (.malformed, "a member has no name, or one with a NUL byte in it")
        }
        guard name.count <= limits.nameBytes, link.count <= limits.nameBytes else {
            return (.limitExceeded, "member \(shown)… has a name or target of more than \(limits.nameBytes) bytes")
        }
        guard header.type != UInt8(ascii: "S"), !records.keys.contains(where: { $0.hasPrefix("GNU.sparse.") }) else {
            return (.unsupportedMember, "member \(shown) is a sparse file; pack it without --sparse")
        }
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

    /// The member, which is meaningful where there is no complaint.
    var member: ArchiveMember {
        let kind = self.kind
        func text(_ key: String, _ field: [UInt8]) -> String { String(decoding: records[key] ?? field, as: UTF8.self) }
        let hasContent: Bool =
            switch kind {
            case .file: true
            case .other: !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(header.type)
            default: false
            }
        return ArchiveMember(
            name: String(decoding: name, as: UTF8.self), nameBytes: name, kind: kind,
            mode: EntryMode(UInt16(truncatingIfNeeded: header.mode)), owner: UInt32(truncatingIfNeeded: owner),
            group: UInt32(truncatingIfNeeded: group), ownerName: text("uname", header.ownerName),
            groupName: text("gname", header.groupName), size: hasContent ? UInt64(clamping: size) : 0,
            modified: modified, dialect: records.isEmpty ? header.dialect : .pax, recordKeys: records.keys)
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
