internal import Archive
internal import Artefact

/// What is started, by OpenRC's rules and init's (`initramfs-init`, OpenRC's `rc`).
enum ServiceRules {
    static let marker = "etc/.default_boot_services"

    /// What init adds where the marker is, and what a diskless node cannot do without.
    private static let needed: [(runlevel: String, services: [String])] = [
        ("sysinit", ["devfs", "dmesg", "mdev", "hwdrivers", "modloop"]),
        ("boot", ["modules", "sysctl", "hostname", "bootmisc", "syslog"]),
        ("shutdown", ["mount-ro", "killprocs", "savecache"]),
    ]

    /// The services of Alpine's own packages: `openrc`, `busybox-openrc` and those of the usual images.
    private static let stock: Set<String> = [
        "acpid", "binfmt", "bootmisc", "cgroups", "chronyd", "consolefont", "copy-modloop", "crond", "devfs", "dhcpcd",
        "dmesg", "firstboot", "fsck", "hostname", "hwclock", "hwdrivers", "inetd", "ip6tables", "iptables", "killprocs",
        "klogd", "loadkmap", "local", "localmount", "loopback", "machine-id", "mdev", "modloop", "modules", "mount-ro",
        "net-online", "netmount", "networking", "nftables", "ntpd", "numlock", "openntpd", "osclock", "procfs",
        "qemu-guest-agent", "rdate", "root", "save-keymaps", "savecache", "seedrng", "sshd", "staticroute", "swap",
        "swclock", "sysctl", "sysfs", "sysfsconf", "syslog", "termencoding", "tiny-cloud-boot", "tiny-cloud-early",
        "tiny-cloud-final", "tiny-cloud-main", "udev", "udev-postmount", "udev-settle", "udev-trigger", "urandom",
        "user",
        "watchdog", "wpa_supplicant",
    ]

    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        scripts(contents) + links(contents) + runlevels(contents) + inittab(contents)
    }

    private static func scripts(_ contents: OverlayContents) -> [LintFinding] {
        contents.paths(below: "etc/init.d").flatMap { path -> [LintFinding] in
            guard let member = contents.entries[path], member.kind == .file else { return [] }
            var findings: [LintFinding] = []
            if member.mode.bits & 0o111 == 0 {
                findings.append(
                    .error(
                        "script-mode", path, "is not executable (mode \(member.mode)), so OpenRC never mentions it",
                        "make it 0755"))
            }
            let interpreters = ["#!/sbin/openrc-run", "#!/usr/sbin/openrc-run", "#!/sbin/runscript"]
            let first = contents.lines(path)?.first ?? ""
            if !path.hasSuffix(".sh"), !interpreters.contains(where: { first.hasPrefix($0) }) {
                findings.append(
                    .error(
                        "script-interpreter", path, "is no service: it begins with '\(first.prefix(40))'",
                        "begin it with #!/sbin/openrc-run"))
            }
            return findings
        }
    }

    private static func links(_ contents: OverlayContents) -> [LintFinding] {
        let prefix = "etc/runlevels/"
        return contents.entries.keys.filter { $0.hasPrefix(prefix) }.sorted().flatMap { path -> [LintFinding] in
            let parts = path.split(separator: "/")
            guard parts.count == 4, let member = contents.entries[path] else { return [] }
            let (level, service) = (String(parts[2]), String(parts[3]))
            guard case .symlink(let target) = member.kind else {
                return [
                    .error(
                        "runlevel-entry", path, "is no link, so nothing is started", "link it to /etc/init.d/\(service)"
                    )
                ]
            }
            var findings: [LintFinding] = []
            if target != "/etc/init.d/\(service)", target != "../../init.d/\(service)" {
                findings.append(
                    .error(
                        "runlevel-link", path, "leads to '\(target)', not to the service",
                        "link it to /etc/init.d/\(service)"))
            } else if contents.entries["etc/init.d/\(service)"] == nil, !stock.contains(service) {
                findings.append(
                    .warning(
                        "unknown-service", path,
                        "names a service that neither the overlay nor Alpine's usual packages have",
                        "add the package that has it to world, or the script to etc/init.d"))
            }
            if ["hwclock", "swclock"].contains(service) {
                findings.append(
                    .warning(
                        "clock-link", path, "init adds the clock service that fits (\(level))", "leave the link out"))
            }
            return findings
        }
    }

    private static func runlevels(_ contents: OverlayContents) -> [LintFinding] {
        var findings: [LintFinding] = []
        if contents.entries[marker] != nil {
            if contents.entries["etc/tiny-cloud.disabled"] == nil {
                findings.append(
                    .warning(
                        "default-services", marker,
                        "init adds tiny-cloud as well as soon as a volume labelled cidata is attached",
                        "add an empty etc/tiny-cloud.disabled, or ship complete runlevels instead"))
            }
        } else {
            let missing = needed.flatMap { level, services in
                services.filter { contents.entries["etc/runlevels/\(level)/\($0)"] == nil }.map { "\(level)/\($0)" }
            }
            if !missing.isEmpty {
                findings.append(
                    .error(
                        "runlevels-incomplete", "etc/runlevels",
                        "lacks \(missing.joined(separator: ", ")), which init adds only with \(marker)",
                        "add the links"))
            }
        }
        if contents.entries["etc/network/interfaces"] != nil, !contents.services(in: "boot").contains("networking"),
            !contents.services(in: "default").contains("networking")
        {
            findings.append(
                .error(
                    "networking-not-started", "etc/network/interfaces", "nothing brings the interfaces up",
                    "link networking into the runlevel boot"))
        }
        if let paths = contents.assignment("critical_mounts", in: "etc/conf.d/localmount"), !paths.isEmpty {
            findings.append(
                .error(
                    "critical-mounts", "etc/conf.d/localmount",
                    "a disk that is missing makes localmount fail, and networking and syslog with it",
                    "let the service that needs the mount check for it"))
        }
        return findings
    }

    /// An inittab of the overlay replaces Alpine's, and with it what starts OpenRC.
    private static func inittab(_ contents: OverlayContents) -> [LintFinding] {
        let path = "etc/inittab"
        guard let lines = contents.lines(path) else { return [] }
        let commands = lines.filter { !$0.hasPrefix("#") }.map { line in
            line.split { $0 == ":" || $0 == " " || $0 == "\t" }.map(String.init)
        }
        let missing = ["sysinit", "boot", "default"].filter { level in
            !commands.contains { words in
                zip(words, words.dropFirst()).contains { $0.hasSuffix("openrc") && $1 == level }
            }
        }
        guard !missing.isEmpty else { return [] }
        return [
            .error(
                "inittab-openrc", path,
                "starts no service of \(missing.joined(separator: ", ")): it replaces Alpine's own, which calls openrc",
                "keep the stock lines with /sbin/openrc")
        ]
    }
}
