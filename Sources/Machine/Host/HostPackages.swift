/// A package that virtual machines need.
struct HostPackage: Hashable, Sendable {
    /// The name of the package to install.
    let name: String
    /// Packages of which any will do as well.
    let substitutes: [String]
    /// Whether a user's own daemon (`qemu:///session`) can do without it.
    let isForSystem: Bool

    init(_ name: String, or substitutes: [String] = [], isForSystem: Bool = false) {
        self.name = name
        self.substitutes = substitutes
        self.isForSystem = isForSystem
    }

    /// Whether the package or a substitute is there.
    func isInstalled(among installed: Set<String>) -> Bool {
        ([name] + substitutes).contains(where: installed.contains)
    }
}

extension Distribution {
    /// What a host of this family needs; the first package is that of QEMU.
    ///
    /// - Debian: the driver is named, because `libvirt-daemon` only recommends it.
    /// - Arch: `iptables` is on nearly every host and conflicts with `iptables-nft`; libvirt takes either.
    /// - Fedora: the network `default` is in a package of its own.
    /// - Alpine: the driver is in a package of its own; without polkit and its bus the daemon turns every user away.
    var packages: [HostPackage] {
        switch self {
        case .alpine:
            [
                HostPackage("qemu-system-x86_64"), HostPackage("qemu-img"), HostPackage("ovmf"),
                HostPackage("libvirt-daemon"), HostPackage("libvirt-client"), HostPackage("libvirt-qemu"),
                HostPackage("openssh-client"), HostPackage("dnsmasq", isForSystem: true),
                HostPackage("iptables", isForSystem: true), HostPackage("dbus", isForSystem: true),
                HostPackage("polkit", isForSystem: true),
            ]
        case .arch:
            [
                HostPackage("qemu-base", or: ["qemu-desktop", "qemu-full"]), HostPackage("edk2-ovmf"),
                HostPackage("libvirt"), HostPackage("openssh"), HostPackage("dnsmasq", isForSystem: true),
                HostPackage("iptables-nft", or: ["iptables"], isForSystem: true),
            ]
        case .debian:
            [
                HostPackage("qemu-system-x86"), HostPackage("qemu-utils"), HostPackage("ovmf"),
                HostPackage("libvirt-daemon-driver-qemu"), HostPackage("libvirt-clients"),
                HostPackage("openssh-client"),
                HostPackage("libvirt-daemon-system", isForSystem: true), HostPackage("dnsmasq-base", isForSystem: true),
            ]
        case .fedora:
            [
                HostPackage("qemu-kvm"), HostPackage("qemu-img"), HostPackage("edk2-ovmf"),
                HostPackage("libvirt-daemon-kvm"), HostPackage("libvirt-client"), HostPackage("openssh-clients"),
                HostPackage("libvirt-daemon-config-network", isForSystem: true),
                HostPackage("dnsmasq", isForSystem: true),
            ]
        }
    }

    /// The command that installs packages.
    func installing(_ names: [String]) -> [String] {
        switch self {
        case .alpine: ["apk", "add", "--update-cache"] + names
        case .arch: ["pacman", "-S", "--needed", "--noconfirm"] + names
        case .debian:
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y"]
                + ["--no-install-recommends"] + names
        case .fedora: ["dnf", "-y", "install"] + names
        }
    }

    /// What to try where packages cannot be installed.
    var packageAdvice: String {
        switch self {
        case .alpine: "libvirt and QEMU are in Alpine's repository community: see that /etc/apk/repositories has it"
        case .arch: "where a package was not found, bring the host up to date with 'pacman -Syu' and run this again"
        case .debian: "where a package was not found, see that /etc/apt has the distribution's own sources"
        case .fedora: "where a package was not found, see that the distribution's own repositories are enabled"
        }
    }

    /// The package that has a program.
    func package(of program: String) -> String? {
        let names: (alpine: String, arch: String, debian: String, fedora: String)
        switch program {
        case "qemu-system-x86_64": names = ("qemu-system-x86_64", "qemu-base", "qemu-system-x86", "qemu-kvm")
        case "qemu-img": names = ("qemu-img", "qemu-base", "qemu-utils", "qemu-img")
        case "virsh": names = ("libvirt-client", "libvirt", "libvirt-clients", "libvirt-client")
        case "ssh", "ssh-keyscan": names = ("openssh-client", "openssh", "openssh-client", "openssh-clients")
        case "dnsmasq": names = ("dnsmasq", "dnsmasq", "dnsmasq-base", "dnsmasq")
        case "OVMF": names = ("ovmf", "edk2-ovmf", "ovmf", "edk2-ovmf")
        case "kubectl": names = ("kubectl", "kubectl", "kubernetes-client", "kubernetes-client")
        default: return nil
        }
        switch self {
        case .alpine: return names.alpine
        case .arch: return names.arch
        case .debian: return names.debian
        case .fedora: return names.fedora
        }
    }
}
