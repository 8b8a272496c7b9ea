internal import Artefact
internal import Node

/// What follows from which packages a node has.
enum Packages {
    /// Whether an SSH server is among them: `openssh` depends on `openssh-server`.
    static func bringSSH(_ packages: [String]) -> Bool {
        packages.contains("openssh") || packages.contains("openssh-server")
    }

    /// Whether one word stands for a name that `/etc/apk/world` takes (apk-world(5)): no white space, no control.
    static func isWord(_ word: String) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}

extension Overlay {
    /// The words of `/etc/apk/world`: `alpine-base`, which init adds anyway, and the packages of the node.
    ///
    /// Nothing is added for VLANs, bridges and bonds: the interfaces make theirs with busybox alone.
    static func world(_ node: NodeImage) -> [String] {
        Set(node.packages + ["alpine-base"]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// What works otherwise than one may expect.
    static func warnings(_ node: NodeImage, binary: BinaryPin?) -> [String] {
        var warnings: [String] = []
        let packages = Set(node.packages)
        if packages.isDisjoint(with: ["nftables", "iptables"]) {
            warnings.append(
                "packages: neither nftables nor iptables is among them, and KubeSolo ends at start without nft; "
                    + "add both; the boot medium brings what Alpine's image lacks, from --mirror DIR")
        }
        if !packages.contains("e2fsprogs") {
            let consequence = node.dataDisk.format == .ifBlank ? "neither checked nor formatted" : "not checked"
            warnings.append("packages: e2fsprogs is not among them, so the data disk is \(consequence); add it")
        }
        if !packages.contains("e2fsprogs-extra") {
            warnings.append(
                "packages: e2fsprogs-extra is not among them, so the data disk does not grow with its disk; add it")
        }
        if !packages.contains("openssl") {
            warnings.append(
                "packages: openssl is not among them, so the API server cannot be asked and the node is never healthy; "
                    + "add it")
        }
        if !Packages.bringSSH(node.packages) {
            warnings.append("packages: openssh is not among them, so nobody can log in over the network; add it")
        }
        if node.access.users.contains(where: { $0.doas }) && !packages.contains("doas") {
            warnings.append("packages: doas is not among them, so no user can become root; add it")
        }
        if node.dataDisk.format == .ifBlank && node.dataDisk.match == nil {
            warnings.append("storage: no match names the disk to format, so a blank one is never taken; add a match")
        }
        warnings += networkWarnings(node)
        if node.kubesolo.version < .oldestOnAlpine {
            warnings.append("kubesolo: \(node.kubesolo.version) needs systemd and fails on Alpine; use v1.1.3 or newer")
        }
        if node.kubesolo.configuration["api"]?["enabled"] == .bool(true) {
            warnings.append(
                "kubesolo.config.api.enabled: an upgrade in place lasts until the next boot, which starts the bundle's "
                    + "release on a datastore of a newer one; leave it out")
        }
        return warnings
    }
}

extension FileTree {
    /// Adds `/etc/apk/world`, and `/etc/apk/repositories` where the recipe names some: without it init writes the
    /// repositories of the media there, with it what is there stays (`initramfs-init.in`).
    mutating func addPackages(world: [String], repositories: [String]) throws {
        for word in world where !Packages.isWord(word) {
            throw OverlayError(
                .invalidValue, subject: "package \(String(reflecting: word))", detail: "is no word of /etc/apk/world")
        }
        try addFile("etc/apk/world", world.joined(separator: "\n") + "\n", origin: "packages")
        guard !repositories.isEmpty else { return }
        for line in repositories where !line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) || line.isEmpty {
            throw OverlayError(
                .invalidValue, subject: "repository \(String(reflecting: line))",
                detail: "is no line of /etc/apk/repositories")
        }
        try addFile("etc/apk/repositories", repositories.joined(separator: "\n") + "\n", origin: "packages")
    }
}
