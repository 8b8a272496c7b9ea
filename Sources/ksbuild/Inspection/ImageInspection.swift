import APKOVL
import ISOBuild
import SystemPackage

/// An ISO image: its trees, what firmware can boot from it, its entries, and the overlay that init would take.
struct ImageInspection: Inspection {
    let kind = "iso"
    let path: String
    let label: String
    let bytes: UInt64
    let trees: [String]
    let bootEntries: [BootRow]
    let entries: [Entry]
    let overlays: [String]
    let findings: [Finding]

    init(_ path: FilePath) throws {
        let image = try ISOReader(path)
        self.path = path.string
        label = image.volume.volumeIdentifier
        bytes = image.volume.imageSize
        trees = image.volume.nameSpaces.map { "\($0)" }
        bootEntries = try image.bootEntries().map(BootRow.init)
        entries = try image.entries().map(Entry.init)
        // `nlplug-findfs` looks in the root only, at names that match *.apkovl.tar.gz*.
        overlays = entries.map(\.path).filter { !$0.contains("/") && $0.contains(".apkovl.tar.gz") }
        findings =
            overlays.count > 1
            ? [
                Finding(
                    severity: .error, rule: "several-overlays", path: path.string,
                    message: "holds \(overlays.joined(separator: " and ")); init takes the first it reads; keep one")
            ] : []
    }

    var lines: [String] {
        ["\(path): ISO 9660 image '\(label)', \(bytes) bytes", "  trees: \(trees.joined(separator: ", "))"]
            + bootEntries.map { "  boots: \($0.platform), \($0.sectors) sectors from sector \($0.location)" }
            + entries.map { "  \($0.line)" }
            + (overlays.first.map { ["init takes the overlay \($0)"] } ?? [])
    }

    /// One thing that firmware can boot.
    struct BootRow: Encodable {
        let platform: String
        let sectors: UInt16
        let location: UInt32

        init(_ entry: BootEntry) {
            platform = "\(entry.platform)"
            sectors = entry.sectors
            location = entry.location
        }
    }

    /// One entry of the preferred tree.
    struct Entry: Encodable {
        let path: String
        let kind: String
        let mode: String
        let owner: UInt32
        let group: UInt32
        let size: UInt64
        let target: String?

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
            case .special: (kind, target) = ("special", nil)
            }
        }

        var line: String { "\(mode)  \(owner):\(group)  \(size)  \(path)\(target.map { " -> \($0)" } ?? "")" }
    }
}
