internal import Artefact
internal import Node

extension FileTree {
    /// Adds `/etc/hostname` and `/etc/hosts`.
    mutating func addNames(_ node: NodeImage) throws {
        let isName = node.hostname.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46
        }
        guard isName, !node.hostname.isEmpty, node.hostname.utf8.count <= 253 else {
            throw OverlayError(
                .invalidValue, subject: "hostname \(String(reflecting: node.hostname))",
                detail: "is no host name; use letters, digits and hyphens (RFC 1123)")
        }
        let short = node.hostname.split(separator: ".").first.map(String.init) ?? node.hostname
        let names = short == node.hostname ? short : "\(node.hostname) \(short)"
        try addFile("etc/hostname", "\(node.hostname)\n", origin: "hostname")
        try addFile(
            "etc/hosts",
            "127.0.0.1\t\(names) localhost localhost.localdomain\n::1\t\t\(names) localhost localhost.localdomain\n",
            origin: "hostname")
    }

    /// Adds what says which build this is: `/etc/ksbuild/release` for scripts, `/etc/motd` for people.
    mutating func addRelease(_ node: NodeImage, binary: BinaryPin?) throws {
        var release = ShellSettings("The bundle that this node runs.")
        try release.assign("NAME", node.name)
        try release.assign("VERSION", node.stamp.version)
        try release.assign("EPOCH", String(node.stamp.epoch))
        try release.assign("ALPINE", node.alpine.version)
        try release.assign("FLAVOR", node.alpine.flavor.rawValue)
        try release.assign("ARCH", node.architecture.alpineName)
        try release.assign("KUBESOLO", node.kubesolo.version.description)
        try release.assign("DIGEST", binary?.digest.hex ?? "")
        try addFile("etc/ksbuild/release", release.text, origin: "release")
        try addFile(
            "etc/motd",
            """
            \(node.name) \(node.stamp.version): \(node.alpine), KubeSolo \(node.kubesolo.version)

            This system runs from memory. What is not on the data disk at \(node.dataDisk.mountPoint) is gone after a
            reboot; to change it for good, build and boot a new bundle.

            """, origin: "release")
    }

    /// Adds `/etc/inittab` with a login on each console, and the list of consoles on which services report.
    ///
    /// `tty0` stands for whichever virtual terminal is shown; its login is on `tty1`. Serial lines run at 115200.
    mutating func addConsoles(_ consoles: [String]) throws {
        var gettys: [String] = []
        var reports: [String] = []
        for console in consoles {
            let isName = console.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            }
            guard isName, !console.isEmpty, console.utf8.count <= 15 else {
                throw OverlayError(
                    .invalidValue, subject: "console \(String(reflecting: console))",
                    detail: "is no terminal of the kernel; name one such as tty0 or ttyS0")
            }
            let terminal = console == "tty0" ? "tty1" : console
            let isVirtual =
                terminal.dropFirst(3).utf8.allSatisfy { (48...57).contains($0) } && terminal.hasPrefix("tty")
            gettys.append(
                isVirtual
                    ? "\(terminal)::respawn:/sbin/getty 38400 \(terminal)"
                    : "\(terminal)::respawn:/sbin/getty -L 115200 \(terminal) vt100")
            reports.append(isVirtual ? terminal : "\(terminal) 115200")
        }
        try addFile(
            "etc/inittab",
            """
            # Runlevels, a login on each console of the recipe, and the end.
            ::sysinit:/sbin/openrc sysinit
            ::sysinit:/sbin/openrc boot
            ::wait:/sbin/openrc default

            \(gettys.joined(separator: "\n"))

            ::ctrlaltdel:/sbin/reboot
            ::shutdown:/sbin/openrc shutdown

            """, origin: "consoles")
        try addFile("etc/ksbuild/consoles", reports.map { $0 + "\n" }.joined(), origin: "consoles")
    }
}
