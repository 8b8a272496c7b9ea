import APKOVL
import Archive
import Artefact
import FoundationEssentials
import ISOBuild
import SystemPackage
import Upstream

/// An ISO image: its trees, its partition tables, what firmware can boot from it, and what Alpine's init makes of it.
struct ImageInspection: Inspection {
    let kind = "iso"
    let path: String
    let label: String
    let bytes: UInt64
    let trees: [String]
    let volume: VolumeRows
    let bootEntries: [BootRow]
    let partitionTables: PartitionRows
    let medium: MediumRows
    let entries: [InspectedEntry]
    let overlays: [String]
    let boot: OverlayInspection.Boot?
    let findings: [Finding]

    init(_ path: FilePath) throws {
        let image = try ISOReader(path)
        let report = try MediumReport(image)
        let tables = try HybridTables(path)
        self.path = path.string
        label = image.volume.volumeIdentifier
        bytes = image.volume.imageSize
        trees = image.volume.nameSpaces.map { "\($0)" }
        volume = VolumeRows(image.volume)
        bootEntries = try image.bootEntries().map(BootRow.init)
        partitionTables = PartitionRows(tables)
        medium = MediumRows(report)
        entries = try image.entries().map { InspectedEntry($0) }
        overlays = report.overlays
        let overlay = try Self.overlay(of: report, image)
        boot = overlay.boot
        findings =
            (tables.faults.map {
                Finding(
                    severity: .error, rule: "partition-tables", path: path.string,
                    message: "\($0); write the image again")
            } + report.findings.map(Finding.init) + overlay.findings)
            .sorted { $0.severity == $1.severity ? false : $0.severity == LintFinding.Severity.error.rawValue }
    }

    /// What the node would be by the overlay that init takes, and what is wrong with that overlay on this medium.
    private static func overlay(
        of report: MediumReport, _ image: borrowing ISOReader
    ) throws -> (boot: OverlayInspection.Boot?, findings: [Finding]) {
        let name =
            switch report.choice {
            case .none: ""
            case .found(let path): path
            case .commandLine(let value, _): value.split(separator: "/").last.map(String.init) ?? ""
            }
        guard name.hasSuffix(".apkovl.tar.gz") else { return (nil, []) }
        let folder = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-inspect-")
        let file = folder.path.appending("overlay.apkovl.tar.gz")
        guard try report.extractOverlay(of: image, to: file) else { return (nil, []) }
        do {
            let overlay = try OverlayLint.inspect(file)
            let missing = report.missing(world: overlay.facts.world).map { word in
                Finding(
                    severity: .error, rule: "world-missing", path: "\(name): etc/apk/world",
                    message: "'\(word)' is in no repository of the medium and is left out in silence; take it out, or"
                        + " put the package on the medium")
            }
            let files = report.missingFiles(world: overlay.facts.world).map { file in
                Finding(
                    severity: .error, rule: "package-file-missing", path: "\(name): etc/apk/world",
                    message: "takes \(file), which an index lists and which is on the medium in no repository, so apk"
                        + " leaves it out; put it beside its index")
            }
            return (
                OverlayInspection.Boot(overlay.facts),
                missing + files + overlay.findings.map { Finding($0, in: name) }
            )
        } catch let error as ArchiveError {
            let finding = Finding(
                severity: .error, rule: "overlay-unreadable", path: name,
                message: "init cannot unpack it (\(error.detail)), and the boot ends there; write it again")
            return (nil, [finding])
        }
    }

    var lines: [String] {
        ["\(path): ISO 9660 image '\(label)', \(bytes) bytes", "  trees: \(trees.joined(separator: ", "))"]
            + volume.lines
            + bootEntries.map { "  boots: \($0.platform), \($0.sectors) sectors from sector \($0.location)" }
            + partitionTables.lines + entries.map(\.line) + medium.lines + (boot?.lines ?? [])
    }

    var placedFindings: [PlacedFinding] {
        findings.map { PlacedFinding($0, in: FilePath(path), isWhole: $0.path == path) }
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

    /// What the volume descriptors say.
    struct VolumeRows: Encodable {
        let sectors: UInt32
        let joliet: String?
        let system: String
        let volumeSet: String
        let publisher: String
        let preparer: String
        let application: String
        let created: Int64?
        let modified: Int64?

        init(_ volume: ISOVolume) {
            sectors = volume.sectors
            joliet = volume.jolietVolumeIdentifier
            system = volume.systemIdentifier
            volumeSet = volume.volumeSetIdentifier
            publisher = volume.publisherIdentifier
            preparer = volume.preparerIdentifier
            application = volume.applicationIdentifier
            created = volume.created
            modified = volume.modified
        }

        var lines: [String] {
            let rows = [
                ("sectors", "\(sectors)"), ("label in Joliet", joliet ?? ""), ("system", system),
                ("volume set", volumeSet),
                ("publisher", publisher), ("preparer", preparer), ("application", application),
                ("created", Self.moment(created)),
                ("modified", Self.moment(modified)),
            ]
            return rows.filter { !$0.1.isEmpty }.map { "  \($0.0): \($0.1)" }
        }

        private static func moment(_ seconds: Int64?) -> String {
            seconds.map { Date(timeIntervalSince1970: Double($0)).formatted(.iso8601) } ?? ""
        }
    }
}
