internal import Archive
internal import Artefact

/// Who can log in, by the rules of busybox login and sshd (`StrictModes`).
enum AccessRules {
    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        accounts(contents) + keys(contents) + hostKeys(contents) + root(contents) + lastingHostKeys(contents)
    }

    private static func accounts(_ contents: OverlayContents) -> [LintFinding] {
        var findings: [LintFinding] = []
        for path in ["etc/passwd", "etc/group", "etc/shadow"] where contents.entries[path] != nil {
            findings.append(
                .warning(
                    "whole-accounts", path,
                    "replaces the release's own file, and system users of a later release are missing in it",
                    "make users at boot instead"))
        }
        for line in contents.lines("etc/shadow") ?? [] {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 1 else { continue }
            if fields[1].isEmpty {
                findings.append(
                    .error(
                        "empty-password", "etc/shadow", "\(fields[0]) logs in on a console without a password",
                        "put * in its second field"))
            }
            if fields[1].hasPrefix("!"), hasKeys(String(fields[0]), contents) {
                findings.append(
                    .error(
                        "locked-account", "etc/shadow",
                        "sshd refuses the keys of \(fields[0]), which is locked with '!'", "lock it with '*'"))
            }
        }
        return findings
    }

    private static func hasKeys(_ user: String, _ contents: OverlayContents) -> Bool {
        let home = user == "root" ? "root" : "home/\(user)"
        return contents.entries["\(home)/.ssh/authorized_keys"] != nil
    }

    private static func keys(_ contents: OverlayContents) -> [LintFinding] {
        contents.entries.keys.filter { $0.hasSuffix("/.ssh/authorized_keys") }.sorted().flatMap {
            path -> [LintFinding] in
            guard let file = contents.entries[path] else { return [] }
            var findings: [LintFinding] = []
            if file.mode.bits & 0o022 != 0 {
                findings.append(
                    .error(
                        "keys-mode", path, "sshd ignores keys that others can write (mode \(file.mode))", "make it 0600"
                    ))
            }
            let folder = String(path.dropLast("/authorized_keys".count))
            let home = String(folder.dropLast("/.ssh".count))
            for place in [folder, home] {
                guard let directory = contents.entries[place] else { continue }
                if directory.mode.bits & 0o022 != 0 {
                    findings.append(
                        .error(
                            "keys-folder", place,
                            "sshd ignores keys below a directory that others can write (mode \(directory.mode))",
                            "make it 0700"))
                }
            }
            // The owner of the home directory is who the user is; without an entry it is root's.
            let owner = contents.entries[home]?.owner ?? contents.entries[folder]?.owner ?? 0
            if file.owner != owner, file.owner != 0 {
                findings.append(
                    .error(
                        "keys-owner", path,
                        "belongs to \(file.owner), its home directory to \(owner), so sshd ignores it",
                        "give both to the user"))
            }
            return findings
        }
    }

    private static func hostKeys(_ contents: OverlayContents) -> [LintFinding] {
        contents.paths(below: "etc/ssh").compactMap { path in
            guard path.hasPrefix("etc/ssh/ssh_host_"), path.hasSuffix("_key"), let file = contents.entries[path],
                file.kind == .file, file.mode.bits & 0o077 != 0
            else { return nil }
            return .error(
                "host-key-mode", path, "sshd refuses a private key that others can read (mode \(file.mode))",
                "make it 0600")
        }
    }

    /// Root of the release has no password, and whoever is at a console logs in with none.
    ///
    /// `/etc/securetty` keeps it off where it names no terminal. Init adds its consoles to the file that it finds there,
    /// which it does not do behind a link to an absolute path.
    private static func root(_ contents: OverlayContents) -> [LintFinding] {
        // A shadow file of the overlay is the one that counts, and what is wrong with it has a rule of its own.
        guard contents.entries["etc/shadow"] == nil else { return [] }
        let securetty = "etc/securetty"
        if case .symlink(let target)? = contents.entries[securetty]?.kind, target.hasPrefix("/") {
            let terminals = contents.words(OverlayContents.place(of: target)).flatMap { $0 }.filter { word in
                ["tty", "console", "hvc", "pts", "vc", "xvc"].contains { word.hasPrefix($0) }
            }
            if contents.lines(OverlayContents.place(of: target)) != nil, terminals.isEmpty { return [] }
        }
        let scripts = ServiceScripts(contents)
        let isSet = scripts.someWord(of: scripts.started) { word in
            ["chpasswd", "passwd", "usermod"].contains { word == $0 || word.hasSuffix("bin/\($0)") }
                || word.hasSuffix("etc/shadow")
        }
        guard !isSet else { return [] }
        return [
            .warning(
                "root-without-password", contents.entries[securetty] == nil ? "etc" : securetty,
                "root keeps the release's empty password, with which anybody logs in on a console",
                "let a service in the runlevel boot lock it: echo 'root:*' | chpasswd -e")
        ]
    }

    /// The SSH server's script makes the keys that it misses, in memory.
    private static func lastingHostKeys(_ contents: OverlayContents) -> [LintFinding] {
        let scripts = ServiceScripts(contents)
        guard scripts.started.contains("sshd") else { return [] }
        let settings = "etc/conf.d/sshd"
        if ["yes", "YES", "true", "1"].contains(contents.assignment("sshd_disable_keygen", in: settings) ?? "") {
            return []
        }
        let hasKeys = contents.paths(below: "etc/ssh").contains {
            $0.hasPrefix("etc/ssh/ssh_host_") && $0.hasSuffix("_key")
        }
        let namesOthers = contents.words("etc/ssh/sshd_config").contains { line in
            line.count > 1 && line[0].lowercased() == "hostkey" && !line[1].hasPrefix("/etc/ssh/")
        }
        let isProvided = scripts.someWord(of: scripts.started) {
            $0.contains("ssh_host_") || $0.hasSuffix("ssh-keygen")
        }
        guard !hasKeys, !namesOthers, !isProvided else { return [] }
        return [
            .warning(
                "host-keys-anew", "etc/ssh",
                "sshd makes new host keys at every boot, and clients warn of an attack",
                "let a service keep them on the data disk, and set sshd_disable_keygen in \(settings)")
        ]
    }
}
