internal import Archive

/// What is known to go wrong with KubeSolo under OpenRC.
enum KubeSoloRules {
    private static let script = "etc/init.d/kubesolo"

    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        settings(contents) + start(contents) + belowMounts(contents)
    }

    private static func settings(_ contents: OverlayContents) -> [LintFinding] {
        var findings: [LintFinding] = []
        for path in [script, "etc/conf.d/kubesolo"] {
            let arguments = contents.assignment("command_args", in: path) ?? ""
            if arguments.split(separator: " ").contains("server") {
                findings.append(
                    .error(
                        "kubesolo-server", path, "KubeSolo has no subcommand 'server' and ends",
                        "take the word out of command_args"))
            }
            if ["yes", "YES", "true", "1"].contains(contents.assignment("rc_cgroup_cleanup", in: path) ?? "") {
                findings.append(
                    .warning(
                        "cgroup-cleanup", path, "a restart kills the pods, which must outlive it",
                        "take rc_cgroup_cleanup out"))
            }
        }
        return findings
    }

    private static func start(_ contents: OverlayContents) -> [LintFinding] {
        let scripts = ServiceScripts(contents)
        let needs = scripts.needs(of: "kubesolo")
        let hasScript = contents.lines(script) != nil
        var findings: [LintFinding] = []
        if hasScript, !needs.contains("localmount") {
            findings.append(
                .warning(
                    "kubesolo-mount", script, "may start before the data disk is mounted", "add localmount to its need")
            )
        }
        guard scripts.started.contains("kubesolo") else { return findings }
        if !scripts.started.contains("cgroups"), !needs.contains("cgroups") {
            findings.append(
                .error(
                    "kubesolo-cgroups", script, "nothing mounts the control groups, without which KubeSolo ends",
                    "link cgroups into the runlevel sysinit"))
        }
        // A service that it needs may be the one that looks: where that fails KubeSolo does not start.
        let looks = scripts.someWord(of: needs.union(["kubesolo"])) { word in
            word == "mountpoint" || word == "mountinfo" || word.hasPrefix("/proc/") && word.hasSuffix("mounts")
        }
        if hasScript, !looks {
            findings.append(
                .warning(
                    "kubesolo-memory", script,
                    "nothing looks whether the data disk is mounted, so without it KubeSolo starts in memory",
                    "let start_pre fail without 'mountinfo -q' of the mount point"))
        }
        return findings
    }

    /// What the overlay brings below the mount point of a disk is there when the disk is not, and only then.
    private static func belowMounts(_ contents: OverlayContents) -> [LintFinding] {
        var mounts = Set(
            contents.words("etc/fstab").filter { line in
                guard line.count >= 3, line[1].hasPrefix("/"), line[1] != "/" else { return false }
                return line[0].contains("=") || line[0].hasPrefix("/dev/")
            }.map { $0[1] })
        if let mount = contents.assignment("data_mount", in: "etc/conf.d/kubesolo-data") { mounts.insert(mount) }
        return mounts.sorted().compactMap { mount in
            let prefix = mount.split(separator: "/").joined(separator: "/") + "/"
            let below = contents.entries.filter { $0.value.kind == .file && $0.key.hasPrefix(prefix) }.map(\.key)
            guard prefix != "/", let first = below.min(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) else {
                return nil
            }
            return .warning(
                "below-mount", first,
                "stands below \(mount), where the disk hides it, and is used from memory when the disk is missing",
                "put it elsewhere")
        }
    }
}
