internal import Archive
internal import Artefact

/// Who can log in, by the rules of busybox login and sshd (`StrictModes`).
enum AccessRules {
    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        accounts(contents) + keys(contents) + hostKeys(contents)
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
}
