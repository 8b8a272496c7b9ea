internal import Artefact

extension PackageIndex {
    /// The packages that Alpine's extended image carries and its virtual and standard images do not, as far as nodes ask
    /// for them (`mkimg.standard.sh`, `profile_extended`).
    private static let onExtendedOnly: Set<String> = [
        "btrfs-progs", "ca-certificates", "conntrack-tools", "coreutils", "cryptsetup", "curl", "dnsmasq", "dosfstools",
        "ethtool", "hwids", "ip6tables", "iproute2", "iproute2-qos", "iptables", "iputils", "logrotate", "lsof", "lvm2",
        "mdadm", "mkinitfs", "nano", "nfs-utils", "nftables", "parted", "pciutils", "rng-tools", "rsync", "socat",
        "strace", "tcpdump", "tmux", "usbutils", "util-linux", "vim", "wireguard-tools", "xfsprogs", "xtables-addons",
        "zfs", "zstd",
    ]

    /// Demands that the medium satisfies every word of a node's world, and `alpine-base`, which init adds to it.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/missingPackages``, which names each word.
    func requireWorld(_ world: [String], on image: AlpineIdentity, subject: String) throws(UpstreamError) {
        let base = "alpine-base"
        let world = world.contains(base) ? world : world + [base]
        let missing = missing(world: world)
        guard !missing.isEmpty else { return try requireDependencies(of: world, subject: subject) }
        var seen: Set<String> = []
        let words = missing.filter { seen.insert($0).inserted }
        let shown = words.lazy.map { "\($0)\(hint($0, image))" }.listed(most: 20)
        throw UpstreamError(
            .missingPackages, subject: subject,
            detail:
                "does not carry what the node's world names, and apk leaves that out without failing: \(shown)")
    }

    /// Demands that what the packages of a world need is on the medium, too: apk leaves out what it cannot complete.
    private func requireDependencies(of world: [String], subject: String) throws(UpstreamError) {
        let missing = missingDependencies(world: world)
        guard !missing.isEmpty else { return }
        let shown = missing.lazy.map { "\($0.package) needs \($0.word)" }.listed(most: 20)
        throw UpstreamError(
            .missingPackages, subject: subject,
            detail: "does not carry what packages of the node's world need, and apk leaves those out without failing: "
                + shown)
    }

    /// What may be said about a word that is missing.
    private func hint(_ word: String, _ image: AlpineIdentity) -> String {
        guard let entry = WorldEntry(word) else { return " (no valid word of a world)" }
        if offers(entry.name) {
            let versions = packages.filter { $0.name == entry.name }.map(\.version).joined(separator: ", ")
            return versions.isEmpty ? " (another version is there)" : " (\(versions) is there)"
        }
        if Self.onExtendedOnly.contains(entry.name), image.flavor != "extended", image.architectures.contains("x86_64")
        {
            return " (flavor: extended carries it)"
        }
        return nearestName(to: entry.name).map { " (did you mean \($0)?)" } ?? ""
    }
}
