import APKOVL
import Archive
import ArgumentParser
import Artefact
import ISOBuild
import SystemPackage

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what an overlay or an ISO image holds and what Alpine's init would make of it.")

    @Argument(help: ArgumentHelp("The overlay or image, made by ksbuild or by others.", valueName: "file"))
    var file: String

    @OptionGroup var report: ReportOptions

    func run() throws {
        let path = FilePath(file)
        let head = try head(of: path)
        if head.count >= 32774, head[32769..<32774].elementsEqual("CD001".utf8) { return try inspectImage(path) }
        try inspectOverlay(path)
    }

    private func head(of path: FilePath) throws -> [UInt8] {
        let descriptor = try HostFile.open(path)
        defer { try? descriptor.close() }
        var bytes = [UInt8](repeating: 0, count: 32774)
        let count = unsafe try bytes.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
        return Array(bytes.prefix(count))
    }

    private func inspectOverlay(_ path: FilePath) throws {
        let overlay = try OverlayLint.inspect(path)
        if !report.quiet {
            Console.print("\(path): overlay, \(overlay.members.count) members")
            for member in overlay.members { Console.print("  " + Self.row(member)) }
            Console.print("boot:")
            for (name, value) in Self.facts(overlay.facts) where !value.isEmpty { Console.print("  \(name): \(value)") }
        }
        for finding in overlay.findings { Console.print("\(finding.severity.rawValue): \(finding)") }
        if !overlay.findings.isEmpty { throw Outcome(failureClass: .findings) }
    }

    private static func row(_ member: ArchiveMember) -> String {
        let name =
            switch member.kind {
            case .symlink(let target): "\(member.name) -> \(target)"
            case .hardlink(let target): "\(member.name) (same file as \(target))"
            case .other(let kind): "\(member.name) (\(kind))"
            case .file, .directory: member.name
            }
        return "\(member.mode)  \(member.owner):\(member.group)  \(member.size)  \(name)"
    }

    private static func facts(_ facts: OverlayFacts) -> [(String, String)] {
        var rows: [(String, String)] = [
            ("host name", facts.hostname ?? ""),
            ("release", facts.release.joined(separator: " ")),
            ("interfaces", facts.interfaces.joined(separator: " ")),
            ("packages", facts.world.joined(separator: " ")),
            ("repositories", facts.repositories.joined(separator: ", ")),
            ("mounts", facts.mounts.joined(separator: ", ")),
            ("consoles", facts.consoles.joined(separator: " ")),
            ("keys", facts.authorizedKeys.joined(separator: " ")),
            ("default services", facts.hasDefaultServices ? "added by init" : "not added"),
        ]
        for (level, services) in facts.runlevels.sorted(by: { $0.key < $1.key }) {
            rows.append(("runlevel \(level)", services.joined(separator: " ")))
        }
        return rows
    }

    private func inspectImage(_ path: FilePath) throws {
        let image = try ISOReader(path)
        let entries = try image.entries()
        let overlays = entries.map(\.path).filter { !$0.contains("/") && $0.contains(".apkovl.tar.gz") }
        if !report.quiet {
            let volume = image.volume
            Console.print("\(path): ISO 9660 image '\(volume.volumeIdentifier)', \(volume.imageSize) bytes")
            Console.print("  trees: \(volume.nameSpaces.map { "\($0)" }.joined(separator: ", "))")
            for entry in try image.bootEntries() {
                Console.print("  boots: \(entry.platform), \(entry.sectors) sectors from sector \(entry.location)")
            }
            for entry in entries {
                let target = if case .symlink(let target) = entry.kind { " -> \(target)" } else { "" }
                Console.print("  \(entry.mode)  \(entry.owner):\(entry.group)  \(entry.size)  \(entry.path)\(target)")
            }
            if let first = overlays.first { Console.print("init takes the overlay \(first)") }
        }
        guard overlays.count > 1 else { return }
        Console.print(
            "error: \(path): holds \(overlays.joined(separator: " and ")); init takes the first it reads; keep one")
        throw Outcome(failureClass: .findings)
    }
}
