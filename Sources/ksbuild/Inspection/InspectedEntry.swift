import Archive
import ISOBuild

/// One entry of an archive or an image, exactly as it is stored there.
struct InspectedEntry: Encodable {
    let path: String
    let kind: String
    let mode: String
    let owner: UInt32
    let group: UInt32
    let size: UInt64
    let target: String?

    init(_ member: ArchiveMember) {
        path = member.name
        mode = "\(member.mode)"
        owner = member.owner
        group = member.group
        size = member.size
        switch member.kind {
        case .file: (kind, target) = ("file", nil)
        case .directory: (kind, target) = ("directory", nil)
        case .symlink(let to): (kind, target) = ("symlink", to)
        case .hardlink(let to): (kind, target) = ("hard link", to)
        case .other(let what): (kind, target) = (what, nil)
        }
    }

    init(_ entry: ISOEntry) {
        path = entry.path
        mode = "\(entry.mode)"
        owner = entry.owner
        group = entry.group
        size = entry.size
        switch entry.kind {
        case .file: (kind, target) = ("file", nil)
        case .directory: (kind, target) = ("directory", nil)
        case .symlink(let to): (kind, target) = ("symlink", to)
        case .special: (kind, target) = ("device, pipe or socket", nil)
        }
    }

    var line: String {
        let note =
            switch kind {
            case "file", "directory": ""
            case "symlink": " -> \(target ?? "")"
            case "hard link": " (same file as \(target ?? ""))"
            default: " (\(kind))"
            }
        return "  \(mode)  \(owner):\(group)  \(size)  \(path)\(note)"
    }
}
