internal import Bundle

/// What iPXE is told (https://ipxe.org/scripting): kernel, initramfs, the overlay of the node, and the words by which
/// Alpine's init finds it, packages and modules.
///
/// iPXE has asked for an address already and hands it on in `ip=`, so that Alpine's initramfs, which has no DHCP client on
/// the images of the ISO kind, needs none; `BOOTIF` says on which card (`initramfs-init`, `configure_ip`).
///
/// Alpine's init goes on without an overlay that it cannot fetch, and then starts the system of its image, where root has
/// no password. So init fetches none: iPXE does (https://ipxe.org/cmd/imgfetch), in an archive that the kernel unpacks
/// into its first root before Alpine's. iPXE starts nothing where it is not there: it says so, and takes the script anew
/// after a while, which may be that of another version by then.
struct NetbootScript {
    /// How a node's overlay is found: by a setting of iPXE, in lower case as overlays are named (https://ipxe.org/cfg).
    enum Key: String {
        /// By the address of its card.
        case hardwareAddress = "${mac}"
        /// By its SMBIOS UUID.
        case uuid = "${uuid}"
    }

    /// The name and version of the bundle, for whoever reads the script.
    let title: String
    /// The address of the version's directory, without a slash at its end.
    let address: String
    /// The address of the directory above it, without a slash at its end.
    let root: String
    /// The name of the kernel's flavour: `virt`.
    let kernel: String
    /// The places of the package repositories below the address.
    let repositories: [String]
    /// What the kernel is told besides.
    let arguments: [String]

    /// How many seconds a machine waits that was not started.
    static let pause = 30

    /// The script that finds nodes by keys, the first that fits, or that of the only node, who needs none.
    ///
    /// - Parameters:
    ///   - keys: The keys, in the order in which they are tried; none where every machine is the only node.
    ///   - name: The name of the script's file.
    /// - Returns: The whole file.
    func text(_ keys: [Key], named name: String) -> String {
        let words =
            [
                // Under UEFI the kernel asks iPXE for each by its name, in this order.
                "initrd=overlay", "initrd=initramfs-\(kernel)", "ip=${ip}::${gateway}:${netmask}:::none:${dns}",
                "BOOTIF=01-${mac:hexhyp}",
                "alpine_repo=" + repositories.map { "${base}/\($0)" }.joined(separator: ","),
                "modloop=${base}/modloop-\(kernel)", "ksbuild.kubesolo=${base}/kubesolo",
                "apkovl=/\(NetbootTree.overlayName)",
            ] + arguments
        let attempts = (keys.isEmpty ? [NetbootTree.onlyNode] : keys.map(\.rawValue)).map {
            "imgfetch --name overlay ${base}/overlays/\($0).cpio && goto found ||"
        }
        let machine = keys.isEmpty ? "" : " for this machine, \(keys.map(\.rawValue).joined(separator: " or "))"
        return """
            #!ipxe
            # \(title)
            set base \(address)
            :start
            isset ${ip} || dhcp || goto failed
            \(attempts.joined(separator: "\n"))
            echo \(title): ${base}/overlays has none\(machine); it is not started without.
            goto again
            :found
            kernel ${base}/vmlinuz-\(kernel) \(words.joined(separator: " ")) || goto failed
            initrd ${base}/initramfs-\(kernel) || goto failed
            boot || goto failed
            :failed
            echo \(title) cannot be booted from ${base}.
            :again
            imgfree
            echo Trying again in \(Self.pause) s; Ctrl-C ends this.
            sleep \(Self.pause) || exit 1
            chain --replace \(root)/\(name) || goto start

            """
    }
}
