import APKOVL
import SystemPackage

/// An overlay: its members as stored, what a node would be, and what Alpine's init would pass over in silence.
struct OverlayInspection: Inspection {
    let kind = "overlay"
    let path: String
    let entries: [InspectedEntry]
    let boot: Boot
    let findings: [Finding]

    init(_ path: FilePath) throws {
        let overlay = try OverlayLint.inspect(path)
        self.path = path.string
        entries = overlay.members.map { InspectedEntry($0) }
        boot = Boot(overlay.facts)
        findings = overlay.findings.map { Finding($0) }
    }

    var lines: [String] {
        ["\(path): overlay, \(entries.count) members"] + entries.map(\.line) + boot.lines
    }

    var placedFindings: [PlacedFinding] { findings.map { PlacedFinding($0, in: FilePath(path)) } }

    /// What a node booted with it would be.
    struct Boot: Encodable {
        let hostname: String?
        let release: [String]
        let interfaces: [String]
        let packages: [String]
        let repositories: [String]
        let mounts: [String]
        let consoles: [String]
        let authorizedKeys: [String]
        let defaultServicesAdded: Bool
        let runlevels: [String: [String]]

        init(_ facts: OverlayFacts) {
            hostname = facts.hostname
            release = facts.release
            interfaces = facts.interfaces
            packages = facts.world
            repositories = facts.repositories
            mounts = facts.mounts
            consoles = facts.consoles
            authorizedKeys = facts.authorizedKeys
            defaultServicesAdded = facts.hasDefaultServices
            runlevels = facts.runlevels
        }

        var lines: [String] {
            var rows = [
                ("host name", hostname ?? ""), ("release", release.joined(separator: " ")),
                ("interfaces", interfaces.joined(separator: " ")), ("packages", packages.joined(separator: " ")),
                ("repositories", repositories.joined(separator: ", ")), ("mounts", mounts.joined(separator: ", ")),
                ("consoles", consoles.joined(separator: " ")), ("keys", authorizedKeys.joined(separator: " ")),
                ("default services", defaultServicesAdded ? "added by init" : "not added"),
            ]
            for (level, services) in runlevels.sorted(by: { $0.key < $1.key }) {
                rows.append(("runlevel \(level)", services.joined(separator: " ")))
            }
            return ["boot:"] + rows.filter { !$0.1.isEmpty }.map { "  \($0.0): \($0.1)" }
        }
    }
}
