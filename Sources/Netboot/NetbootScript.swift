internal import Bundle

/// What iPXE is told (https://ipxe.org/scripting): kernel, initramfs, and the words by which Alpine's init finds packages,
/// modules and the overlay of the node.
///
/// iPXE has asked for an address already and hands it on in `ip=`, so that Alpine's initramfs, which has no DHCP client on
/// the images of the ISO kind, needs none; `BOOTIF` says on which card (`initramfs-init`, `configure_ip`).
///
/// Alpine's init goes on without an overlay that it cannot fetch, and then starts the system of its image, where root has
/// no password. So iPXE asks for the overlay first (https://ipxe.org/cmd/imgfetch), and starts nothing where it is not
/// there: it says so, and takes the script anew after a while, which may be that of another version by then.
struct NetbootScript {
    /// How a node's overlay is found.
    enum Key: String, CaseIterable {
        /// By the address of its card: Alpine's `{MAC}`.
        case hardwareAddress = "{MAC}"
        /// By its SMBIOS UUID: Alpine's `{UUID}`.
        case uuid = "{UUID}"

        /// The setting of iPXE that has it, in lower case as overlays are named (https://ipxe.org/cfg).
        var setting: String {
            switch self {
            case .hardwareAddress: "${mac}"
            case .uuid: "${uuid}"
            }
        }
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
                "initrd=initramfs-\(kernel)", "ip=${ip}::${gateway}:${netmask}:::none:${dns}",
                "BOOTIF=01-${mac:hexhyp}",
                "alpine_repo=" + repositories.map { "${base}/\($0)" }.joined(separator: ","),
                "modloop=${base}/modloop-\(kernel)", "ksbuild.kubesolo=${base}/kubesolo",
                "apkovl=${base}/overlays/${key}.apkovl.tar.gz",
            ] + arguments
        let names =
            keys.isEmpty ? [(NetbootTree.onlyNode, NetbootTree.onlyNode)] : keys.map { ($0.rawValue, $0.setting) }
        let attempts = names.map { key, file in
            "set key \(key)\nimgfetch --name overlay ${base}/overlays/\(file).apkovl.tar.gz && goto found ||"
        }
        let machine = keys.isEmpty ? "" : " for this machine, \(keys.map(\.setting).joined(separator: " or "))"
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
            imgfree overlay
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
