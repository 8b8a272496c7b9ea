internal import Bundle

/// What iPXE is told (https://ipxe.org/scripting): kernel, initramfs, and the words by which Alpine's init finds packages,
/// modules and the overlay of the node.
///
/// iPXE has asked for an address already and hands it on in `ip=`, so that Alpine's initramfs, which has no DHCP client on
/// the images of the ISO kind, needs none; `BOOTIF` says on which card (`initramfs-init`, `configure_ip`).
struct NetbootScript {
    /// How a node's overlay is found.
    enum Key: String, CaseIterable {
        /// By the address of its card: Alpine's `{MAC}`.
        case hardwareAddress = "{MAC}"
        /// By its SMBIOS UUID: Alpine's `{UUID}`.
        case uuid = "{UUID}"
    }

    /// The name and version of the bundle, for whoever reads the script.
    let title: String
    /// The address of the version's directory, without a slash at its end.
    let address: String
    /// The name of the kernel's flavour: `virt`.
    let kernel: String
    /// The places of the package repositories below the address.
    let repositories: [String]
    /// What the kernel is told besides.
    let arguments: [String]

    /// The script of nodes that are told apart by a key, or of the only node.
    func text(_ key: Key?) -> String {
        let name = key?.rawValue ?? NetbootTree.onlyNode
        let words =
            [
                "initrd=initramfs-\(kernel)", "ip=${ip}::${gateway}:${netmask}:::none:${dns}",
                "BOOTIF=01-${mac:hexhyp}",
                "alpine_repo=" + repositories.map { "${base}/\($0)" }.joined(separator: ","),
                "modloop=${base}/modloop-\(kernel)", "ksbuild.kubesolo=${base}/kubesolo",
                "apkovl=${base}/overlays/\(name).apkovl.tar.gz",
            ] + arguments
        return """
            #!ipxe
            # \(title)
            set base \(address)
            isset ${ip} || dhcp || goto failed
            kernel ${base}/vmlinuz-\(kernel) \(words.joined(separator: " ")) || goto failed
            initrd ${base}/initramfs-\(kernel) || goto failed
            boot || goto failed
            :failed
            echo \(title) cannot be booted from \(address)
            exit 1

            """
    }
}
