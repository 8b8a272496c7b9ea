internal import Archive
internal import Artefact
public import SystemPackage

/// Reads any overlay, made by ksbuild or by others, as Alpine's init, its apk and OpenRC do, and says what they would
/// pass over in silence.
public enum OverlayLint {
    /// Reads an overlay.
    ///
    /// - Parameters:
    ///   - path: The overlay.
    ///   - packages: Whether the boot medium has a package, where that is known.
    /// - Returns: What it holds, what a node would be, and what is wrong.
    /// - Throws: `ArchiveError` for a file that busybox tar cannot unpack either: the boot ends there.
    public static func inspect(
        _ path: FilePath, packages: ((String) -> Bool)? = nil
    ) throws -> OverlayReport {
        let contents = try OverlayContents(path)
        var findings: [LintFinding] = []
        for rules in [
            ArchiveRules.findings, DirectoryRules.findings, ServiceRules.findings, AccessRules.findings,
            ConfigurationRules.findings, KubeSoloRules.findings, EgressRules.findings,
        ] {
            findings += rules(contents)
        }
        if let packages { findings += ConfigurationRules.missingPackages(contents, packages) }
        return OverlayReport(
            members: contents.members, facts: OverlayFacts(contents),
            findings: findings.sorted { left, right in
                if left.severity != right.severity { return left.severity == .error }
                return (left.path, left.rule) < (right.path, right.rule)
            })
    }
}

extension LintFinding {
    static func error(_ rule: String, _ path: String, _ message: String, _ remedy: String) -> LintFinding {
        LintFinding(rule: rule, severity: .error, path: path, message: message, remedy: remedy)
    }

    static func warning(_ rule: String, _ path: String, _ message: String, _ remedy: String) -> LintFinding {
        LintFinding(rule: rule, severity: .warning, path: path, message: message, remedy: remedy)
    }
}

extension OverlayFacts {
    init(_ contents: OverlayContents) {
        hostname = contents.lines("etc/hostname")?.first
        let levels = Set(
            contents.entries.keys.compactMap { path -> String? in
                guard path.hasPrefix("etc/runlevels/") else { return nil }
                let parts = path.split(separator: "/")
                return parts.count == 4 ? String(parts[2]) : nil
            })
        for level in levels { runlevels[level] = contents.services(in: level) }
        hasDefaultServices = contents.entries[ServiceRules.marker] != nil
        world = contents.words("etc/apk/world").flatMap { $0 }
        repositories = contents.words("etc/apk/repositories").map { $0.joined(separator: " ") }
        mounts = contents.words("etc/fstab").map { $0.joined(separator: " ") }
        consoles = (contents.lines("etc/inittab") ?? []).compactMap { line in
            guard line.contains("getty"), !line.hasPrefix("#") else { return nil }
            return line.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init)
        }
        interfaces = contents.words("etc/network/interfaces").filter { $0.first == "auto" }.flatMap { $0.dropFirst() }
        authorizedKeys = contents.entries.keys.filter { $0.hasSuffix("/.ssh/authorized_keys") }.sorted()
        release = contents.lines("etc/ksbuild/release") ?? []
    }
}
