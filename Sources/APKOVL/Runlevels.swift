internal import Artefact

extension FileTree {
    /// Adds a link for every service, in full: without `etc/.default_boot_services` init adds nothing but a clock.
    ///
    /// A link to a service whose package is not there would be ignored with a warning at every boot, so links of
    /// packaged services follow the packages. Neither `hwclock` nor `swclock` is linked: init picks one
    /// (`initramfs-init.in`).
    mutating func addRunlevels(packages: [String]) throws(ArtefactError) {
        var levels: [(String, [String])] = [
            ("sysinit", ["cgroups", "devfs", "dmesg", "hwdrivers", "mdev", "modloop"]),
            (
                "boot",
                [
                    "bootmisc", "hostname", "ksbuild-clock", "ksbuild-users", "kubesolo-data", "localmount", "modules",
                    "networking", "seedrng", "sysctl", "syslog",
                ]
            ),
            ("default", ["acpid", "ksbuild-health", "ksbuild-report", "kubesolo", "kubesolo-stage"]),
            ("shutdown", ["killprocs", "mount-ro", "savecache"]),
        ]
        if Packages.bringSSH(packages) {
            levels.append(("boot", ["ksbuild-hostkeys"]))
            levels.append(("default", ["sshd"]))
        }
        if packages.contains("chrony") { levels.append(("default", ["chronyd"])) }
        for (level, services) in levels {
            for service in services {
                try addSymlink("etc/runlevels/\(level)/\(service)", to: "/etc/init.d/\(service)", origin: "runlevels")
            }
        }
    }
}
