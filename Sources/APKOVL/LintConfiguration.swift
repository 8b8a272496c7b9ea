internal import Archive
internal import Artefact

/// What the configuration files make of a boot.
enum ConfigurationRules {
    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        mounts(contents) + world(contents) + hostname(contents) + resolver(contents) + lineEnds(contents)
    }

    private static func mounts(_ contents: OverlayContents) -> [LintFinding] {
        let path = "etc/fstab"
        guard contents.entries[path] != nil else { return [] }
        var findings: [LintFinding] = []
        let lines = contents.words(path)
        let missing = ["/media/cdrom", "/media/usb"].filter { place in
            !lines.contains { $0.count > 1 && $0[1] == place }
        }
        if !missing.isEmpty {
            findings.append(
                .warning(
                    "fstab-media", path,
                    "replaces Alpine's own, whose lines for \(missing.joined(separator: " and ")) it lacks",
                    "keep the stock lines"))
        }
        for line in lines where line.count >= 4 {
            let options = line[3].split(separator: ",")
            if options.contains("shared") || options.contains("rshared") {
                findings.append(
                    .error(
                        "fstab-shared", path, "busybox mount does not know 'shared', so \(line[1]) is not mounted",
                        "make it shared in a service"))
            }
            if line.count >= 6, line[5] != "0", line[1] != "/" {
                findings.append(
                    .warning(
                        "fstab-pass", path, "OpenRC's fsck may stop the boot or restart the node for \(line[1])",
                        "make the last field 0 and check the disk in a service"))
            }
        }
        return findings
    }

    private static func world(_ contents: OverlayContents) -> [LintFinding] {
        contents.words("etc/apk/world").flatMap { $0 }.compactMap { word in
            guard word.contains(where: { "=<>~@".contains($0) }) else { return nil }
            return .warning(
                "world-pin", "etc/apk/world", "'\(word)' is dropped in silence by a medium with another version",
                "name the package alone")
        }
    }

    /// Packages in `world` that the medium lacks are left out without a word.
    static func missingPackages(_ contents: OverlayContents, _ has: (String) -> Bool) -> [LintFinding] {
        contents.words("etc/apk/world").flatMap { $0 }.compactMap { word in
            let name = String(word.prefix { !"=<>~@".contains($0) })
            guard !word.hasPrefix("!"), !has(name) else { return nil }
            return .error(
                "world-missing", "etc/apk/world", "'\(name)' is not on the medium and is left out in silence",
                "take it out, or boot a medium that has it")
        }
    }

    private static func hostname(_ contents: OverlayContents) -> [LintFinding] {
        guard let name = contents.lines("etc/hostname")?.first else { return [] }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isValid = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }
        }
        guard !isValid else { return [] }
        return [
            .error(
                "hostname", "etc/hostname", "'\(name.prefix(64))' is no host name, and Kubernetes takes no such node",
                "use lower-case letters, digits and hyphens")
        ]
    }

    /// udhcpc's script writes the file anew with every lease unless it is told not to (`default.script`).
    private static func resolver(_ contents: OverlayContents) -> [LintFinding] {
        let path = "etc/resolv.conf"
        let settings = "etc/udhcpc/udhcpc.conf"
        let usesDHCP = contents.words("etc/network/interfaces").contains { line in
            line.first == "iface" && line.last == "dhcp" || line.starts(with: ["use", "dhcp"])
        }
        guard usesDHCP, !["no", "NO"].contains(contents.assignment("RESOLV_CONF", in: settings) ?? "") else {
            return []
        }
        // Search domains have a setting of their own there.
        let hasDomains = contents.assignment("search", in: settings) != nil
        let lost = contents.words(path).filter { line in line[0] == "nameserver" || line[0] == "search" && !hasDomains }
        guard let first = lost.first else { return [] }
        return [
            .warning(
                "resolv-conf-dhcp", path,
                "a DHCP lease replaces it, and '\(first.joined(separator: " ").prefix(60))' is lost",
                "set RESOLV_CONF=no in \(settings), or leave the name servers to DHCP")
        ]
    }

    /// A carriage return becomes part of the last word on a line.
    private static func lineEnds(_ contents: OverlayContents) -> [LintFinding] {
        let places = ["etc/init.d", "etc/conf.d", "etc/network", "etc/apk", "etc/local.d"]
        let files = [
            "etc/hostname", "etc/fstab", "etc/inittab", "etc/modules", "etc/resolv.conf", "etc/ssh/sshd_config",
        ]
        return (files + places.flatMap { contents.paths(below: $0) }).compactMap { path in
            guard let bytes = contents.bytes(path), bytes.contains(UInt8(ascii: "\r")) else { return nil }
            return .error(
                "carriage-return", path,
                "has carriage returns, which become part of words and of the interpreter's name",
                "convert it to Unix line ends")
        }
    }
}
