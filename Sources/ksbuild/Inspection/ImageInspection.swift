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
    let entries: [InspectedEntry]
    let overlays: [String]
    let findings: [Finding]

    init(_ path: FilePath) throws {
        let image = try ISOReader(path)
        self.path = path.string
        label = image.volume.volumeIdentifier
        bytes = image.volume.imageSize
        trees = image.volume.nameSpaces.map { "\($0)" }
        bootEntries = try image.bootEntries().map(BootRow.init)
        entries = try image.entries().map { InspectedEntry($0) }
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
            + entries.map(\.line)
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
}
