import TestSupport

/// Overlays that boot into something else than their maker meant.
extension OverlayLintTests {
    private static func service(_ name: String, _ body: String, level: String = "default") -> [RawTar.Member] {
        [
            .init("etc/init.d/\(name)", "#!/sbin/openrc-run\n\(body)", mode: 0o755),
            .link("etc/runlevels/\(level)/\(name)", to: "/etc/init.d/\(name)"),
        ]
    }

    private static func kubesolo(_ depend: String, _ body: String = "start_pre() {\n\tmountinfo -q /d\n}\n")
        -> [RawTar.Member]
    {
        service("kubesolo", "\(depend)\n\(body)")
    }

    private static let sshd = RawTar.Member.link("etc/runlevels/default/sshd", to: "/etc/init.d/sshd")
    private static let dhcp = RawTar.Member("etc/network/interfaces", "auto eth0\niface eth0 inet dhcp\n")
    private static let leased = ["etc/network/interfaces"]
    private static let open = ["etc/securetty"]
    private static let data = fstab("LABEL=K /var/lib/kubesolo ext4 noauto 0 0")

    static let bootCases: [Case] =
        rootCases + kubesoloCases + egressCases + keyCases + resolverCases + [
            .init(
                name: "inittab", rules: ["inittab-openrc"],
                add: [.init("etc/inittab", "#::sysinit:/sbin/openrc sysinit\nttyS0::respawn:/sbin/getty -L 0 ttyS0\n")]),
            .init(
                name: "inittab without boot", rules: ["inittab-openrc"],
                add: [.init("etc/inittab", "::sysinit:/sbin/openrc sysinit\n::wait:/sbin/openrc default\n")]),
            .init(
                name: "whole inittab", rules: [],
                add: [
                    .init(
                        "etc/inittab",
                        "::sysinit:/sbin/openrc sysinit\n::sysinit:/sbin/openrc boot\n::wait:/sbin/openrc default\n")
                ]),
            .init(
                name: "below the data disk", rules: ["below-mount"],
                add: [data, .init("var/lib/kubesolo/bin/kubesolo", "x", mode: 0o755), .init("var/lib/kubesolo/x", "x")]),
            .init(
                name: "below the data disk of a service", rules: ["below-mount"],
                add: [.init("etc/conf.d/kubesolo-data", "data_mount='/srv/k'\n"), .init("srv/k/x", "x")]),
            .init(name: "a directory at the mount", rules: [], add: [data, .directory("var/lib/kubesolo/")]),
            .init(name: "beside the data disk", rules: [], add: [data, .init("var/lib/kubesolo-x/x", "x")]),
            .init(
                name: "below memory", rules: [],
                add: [fstab("tmpfs /scratch tmpfs size=1m 0 0"), .init("scratch/x", "x")]),
        ]

    private static let egressCases: [Case] = [
        .init(
            name: "a drop-in with another name", rules: ["containerd-name"],
            add: [.init("etc/containerd/conf.d/gpu.conf", "version = 3\n")]),
        .init(
            name: "a drop-in without a version", rules: ["containerd-version"],
            add: [.init("etc/containerd/conf.d/gpu.toml", "[debug]\n")]),
        .init(
            name: "a drop-in with names of version 2", rules: ["containerd-version"],
            add: [
                .init(
                    "etc/containerd/config.d/gpu.toml",
                    "version = 3\n[ plugins.\"io.containerd.grpc.v1.cri\".containerd ]\n")
            ]),
        .init(
            name: "a good drop-in", rules: [],
            add: [.init("etc/containerd/conf.d/gpu.toml", "version=3\n[plugins.\"io.containerd.cri.v1.runtime\"]\n")]),
        .init(
            name: "registries where KubeSolo does not look", rules: ["registry-place"],
            add: [.init("etc/containerd/certs.d/docker.io/hosts.toml", "server = \"x\"\n")]),
        .init(
            name: "a proxy for the cluster, too", rules: ["proxy-cluster"],
            add: [
                .init("etc/conf.d/kubesolo", "export HTTPS_PROXY='http://proxy:3128'\nexport NO_PROXY='127.0.0.1'\n")
            ]),
        .init(
            name: "a proxy for the rest", rules: [],
            add: [
                .init(
                    "etc/conf.d/kubesolo",
                    "HTTPS_PROXY=http://proxy:3128\nexport NO_PROXY='127.0.0.1,10.42.0.0/16,10.43.0.0/16'\n")
            ]),
        .init(name: "no proxy", rules: [], add: [.init("etc/conf.d/kubesolo", "export HTTPS_PROXY=''\n")]),
        .init(
            name: "kubectl that does not run", rules: ["kubectl-mode"],
            add: [.init("usr/local/bin/kubectl", "x", mode: 0o644)]),
    ]

    private static let rootCases: [Case] = [
        .init(name: "open root", rules: ["root-without-password"], remove: open),
        .init(
            name: "a plain securetty, to which init adds consoles", rules: ["root-without-password"], remove: open,
            add: [.init("etc/securetty", "none\n")]),
        .init(
            name: "a link that init follows", rules: ["root-without-password"], remove: open,
            add: [.link("etc/securetty", to: "ksbuild/securetty")]),
        .init(
            name: "a terminal for root", rules: ["root-without-password"], remove: ["etc/ksbuild/securetty"],
            add: [.init("etc/ksbuild/securetty", "# one\ntty1\n")]),
        .init(
            name: "a link to nothing", rules: ["root-without-password"], remove: ["etc/ksbuild/securetty"]),
        .init(
            name: "locked root", rules: ["whole-accounts"], remove: open,
            add: [.init("etc/shadow", "root:*::0:::::\n")]),
        .init(
            name: "root locked by a service", rules: [], remove: open,
            add: service("lock", "start() {\n\techo 'root:*' | chpasswd -e\n}\n", level: "boot")),
        .init(
            name: "root locked by a program", rules: [], remove: open,
            add: service("lock", "start() {\n\t/usr/bin/lock-root\n}\n", level: "boot")
                + [.init("usr/bin/lock-root", "#!/bin/sh\npasswd -l root\n", mode: 0o755)]),
        .init(
            name: "root locked by a comment", rules: ["root-without-password"], remove: open,
            add: service("lock", "start() {\n\t# chpasswd\n\tgrep root /etc/passwd\n}\n", level: "boot")),
        .init(
            name: "a service that nothing starts", rules: ["root-without-password"], remove: open,
            add: Array(service("lock", "start() {\n\tpasswd -l root\n}\n", level: "boot").prefix(1))),
        .init(
            name: "root locked by local", rules: [], remove: open,
            add: [
                .init("etc/local.d/lock.start", "#!/bin/sh\npasswd -l root\n", mode: 0o755),
                .link("etc/runlevels/default/local", to: "/etc/init.d/local"),
            ]),
    ]

    private static let kubesoloCases: [Case] = [
        .init(name: "kubesolo", rules: [], add: kubesolo("depend() {\n\tneed localmount net cgroups\n}")),
        .init(name: "need on one line", rules: [], add: kubesolo("depend() { need localmount net cgroups; }")),
        .init(name: "need without a semicolon", rules: [], add: kubesolo("depend() { need localmount cgroups }")),
        .init(
            name: "need in other forms", rules: [],
            add: kubesolo("depend()\n{\n\tuse net; need \"localmount\" \\\n\t\tcgroups # both\n}")),
        .init(
            name: "need outside of depend", rules: ["kubesolo-mount", "kubesolo-cgroups"],
            add: kubesolo("depend() {\n\t# need localmount\n\tneed net\n}\nother() {\n\tneed localmount cgroups\n}")),
        .init(
            name: "need in a comment", rules: ["kubesolo-mount", "kubesolo-cgroups"],
            add: kubesolo("depend() { need net # localmount cgroups\n}")),
        .init(
            name: "need by way of another", rules: [],
            add: kubesolo("depend() { need disk; }") + service("disk", "depend() {\n\tneed localmount cgroups\n}\n")),
        .init(
            name: "need in conf.d", rules: [],
            add: kubesolo("depend() { need net; }") + [.init("etc/conf.d/kubesolo", "rc_need=\"localmount cgroups\"\n")]
        ),
        .init(
            name: "no cgroups", rules: ["kubesolo-cgroups"], add: kubesolo("depend() { need localmount net; }")),
        .init(
            name: "cgroups in a runlevel", rules: [],
            add: kubesolo("depend() { need localmount net; }")
                + [.link("etc/runlevels/sysinit/cgroups", to: "/etc/init.d/cgroups")]),
        .init(
            name: "no look at the mount", rules: ["kubesolo-memory"],
            add: kubesolo("depend() { need localmount cgroups; }", "# mountpoint\ncommand=/usr/bin/kubesolo\n")),
        .init(
            name: "a program that looks at the mount", rules: [],
            add: kubesolo("depend() { need localmount cgroups; }", "command=/usr/bin/run\n")
                + [.init("usr/bin/run", "#!/bin/sh\nmountpoint -q /d || exit 1\n", mode: 0o755)]),
        .init(
            name: "a needed service that looks at the mount", rules: [],
            add: kubesolo("depend() { need localmount cgroups disk; }", "command=/usr/bin/kubesolo\n")
                + service("disk", "start() {\n\tgrep -q ' /d ' /proc/mounts\n}\n", level: "boot")),
    ]

    private static let keyCases: [Case] = [
        .init(name: "no host keys", rules: ["host-keys-anew"], add: [sshd]),
        .init(
            name: "own host keys", rules: [],
            add: [sshd, .init("etc/ssh/ssh_host_ed25519_key", "k", mode: 0o600)]),
        .init(
            name: "public host keys alone", rules: ["host-keys-anew"],
            add: [sshd, .init("etc/ssh/ssh_host_ed25519_key.pub", "k")]),
        .init(
            name: "no keys made", rules: [], add: [sshd, .init("etc/conf.d/sshd", "sshd_disable_keygen=\"yes\"\n")]),
        .init(
            name: "host keys of a service", rules: [],
            add: [sshd] + service("keys", "start() {\n\tcp /d/ssh_host_rsa_key /etc/ssh/\n}\n", level: "boot")),
        .init(
            name: "host keys on the data disk", rules: [],
            add: [sshd, .init("etc/ssh/sshd_config", "HostKey /var/lib/kubesolo/ssh/key\n")]),
    ]

    private static let resolverCases: [Case] = [
        .init(
            name: "name servers and DHCP", rules: ["resolv-conf-dhcp"], remove: leased,
            add: [dhcp, .init("etc/resolv.conf", "nameserver 192.0.2.53\n")]),
        .init(
            name: "name servers that stay", rules: [], remove: leased,
            add: [
                dhcp, .init("etc/resolv.conf", "nameserver 192.0.2.53\n"),
                .init("etc/udhcpc/udhcpc.conf", "RESOLV_CONF=\"no\"\n"),
            ]),
        .init(name: "name servers alone", rules: [], add: [.init("etc/resolv.conf", "nameserver 192.0.2.53\n")]),
        .init(
            name: "no name servers yet", rules: [], remove: leased, add: [dhcp, .init("etc/resolv.conf", "# later\n")]),
        .init(
            name: "search domains and DHCP", rules: ["resolv-conf-dhcp"], remove: leased,
            add: [dhcp, .init("etc/resolv.conf", "search example.org\n")]),
    ]
}
