import APKOVL
import Archive
import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@Suite struct OverlayLintTests {
    /// A change of a clean overlay, and the rules that it breaks: all of them and no other.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var rules: [String]
        var file = "kubesolo.apkovl.tar.gz"
        var remove: [String] = []
        var add: [RawTar.Member] = []
        var testDescription: String { name }
    }

    /// The smallest overlay that has nothing wrong: complete runlevels, a host name, and no terminal for root.
    static var clean: [RawTar.Member] {
        let levels = [
            "sysinit": ["devfs", "dmesg", "mdev", "hwdrivers", "modloop"],
            "boot": ["modules", "sysctl", "hostname", "bootmisc", "syslog", "networking"],
            "shutdown": ["mount-ro", "killprocs", "savecache"],
        ]
        let links = levels.sorted { $0.key < $1.key }.flatMap { level, services in
            services.map { RawTar.Member.link("etc/runlevels/\(level)/\($0)", to: "/etc/init.d/\($0)") }
        }
        return [
            .directory("etc/"), .init("etc/hostname", "edge-1\n"), .init("etc/apk/world", "openssh\n"),
            .init("etc/network/interfaces", "auto lo eth0\n"), .link("etc/securetty", to: "/etc/ksbuild/securetty"),
            .init("etc/ksbuild/securetty", "none\n"),
        ] + links
    }

    private static func script(_ body: String = "", mode: Int = 0o755) -> RawTar.Member {
        .init("etc/init.d/kubesolo", "#!/sbin/openrc-run\ndepend() {\n\tneed localmount net\n}\n\(body)", mode: mode)
    }

    static let cases: [Case] = archiveCases + serviceCases + bootCases + accessCases + configurationCases

    private static let archiveCases: [Case] = [
        .init(name: "clean", rules: []),
        .init(name: "upper case", rules: ["file-name"], file: "KS.APKOVL.TAR.GZ"),
        .init(name: "a checksum", rules: ["file-name"], file: "ks.apkovl.tar.gz.sha256"),
        .init(name: "dot slash", rules: ["member-dot-slash"], add: [.init("./usr/share/x", "x")]),
        .init(name: "absolute", rules: ["member-outside"], add: [.init("/usr/share/x", "x")]),
        .init(name: "upwards", rules: ["member-outside"], add: [.init("usr/../../x", "x")]),
        .init(name: "root file", rules: ["member-without-slash"], add: [.init("rootfile", "x")]),
        .init(name: "root directory", rules: ["member-without-slash"], add: [.directory("srv")]),
        .init(name: "directory", rules: ["directory-without-slash"], add: [.directory("srv/x")]),
        .init(name: "device", rules: ["special-file"], add: [.init("dev/x", type: "3")]),
        .init(name: "set-uid", rules: ["set-id-file"], add: [.init("usr/bin/x", "x", mode: 0o4755)]),
        .init(name: "plain program", rules: [], add: [.init("usr/bin/x", "x", mode: 0o755)]),
        .init(name: "owner", rules: ["owner-by-name"], add: [.init("srv/x", "x", owner: 7, ownerName: "root")]),
        .init(name: "right owner", rules: [], add: [.init("srv/x", "x", ownerName: "root", groupName: "root")]),
        .init(name: "beneath", rules: ["beneath-link"], add: [.link("srv/a", to: "/mnt"), .init("srv/a/x", "x")]),
        .init(
            name: "beneath near", rules: [],
            add: [.link("srv/a", to: "b"), .directory("srv/b/"), .init("srv/b/x", "x")]),
        .init(name: "twice", rules: ["duplicate-member"], add: [.init("etc/hostname", "edge-2\n")]),
        .init(name: "closed etc", rules: ["system-directory"], add: [.directory("etc/", mode: 0o700)]),
        .init(name: "open init.d", rules: ["system-directory"], add: [.directory("etc/init.d/", mode: 0o777)]),
    ]

    private static let serviceCases: [Case] = [
        .init(name: "script mode", rules: ["script-mode"], add: [script(mode: 0o644)]),
        .init(name: "script", rules: [], add: [script()]),
        .init(
            name: "interpreter", rules: ["script-interpreter"], add: [.init("etc/init.d/x", "#!/bin/sh\n", mode: 0o755)]
        ),
        .init(name: "a file", rules: ["runlevel-entry"], add: [.init("etc/runlevels/boot/swap", "x")]),
        .init(
            name: "dangling", rules: ["runlevel-link"], add: [.link("etc/runlevels/boot/swap", to: "/etc/init.d/swapp")]
        ),
        .init(name: "relative link", rules: [], add: [.link("etc/runlevels/boot/swap", to: "../../init.d/swap")]),
        .init(name: "unknown", rules: ["unknown-service"], add: [.link("etc/runlevels/boot/zz", to: "/etc/init.d/zz")]),
        .init(
            name: "clock", rules: ["clock-link"], add: [.link("etc/runlevels/boot/hwclock", to: "/etc/init.d/hwclock")]),
        .init(name: "marker", rules: ["default-services"], add: [.init("etc/.default_boot_services")]),
        .init(
            name: "marker, tiny-cloud off", rules: [],
            add: [.init("etc/.default_boot_services"), .init("etc/tiny-cloud.disabled")]),
        .init(name: "no modloop", rules: ["runlevels-incomplete"], remove: ["etc/runlevels/sysinit/modloop"]),
        .init(name: "no networking", rules: ["networking-not-started"], remove: ["etc/runlevels/boot/networking"]),
        .init(
            name: "critical", rules: ["critical-mounts"],
            add: [.init("etc/conf.d/localmount", "critical_mounts=\"/var/lib/kubesolo\"\n")]),
        .init(name: "not critical", rules: [], add: [.init("etc/conf.d/localmount", "#critical_mounts=\"/x\"\n")]),
        .init(name: "server", rules: ["kubesolo-server"], add: [script("command_args=\"server\"\n")]),
        .init(name: "cgroups", rules: ["cgroup-cleanup"], add: [script("rc_cgroup_cleanup=YES\n")]),
        .init(
            name: "mount", rules: ["kubesolo-mount"],
            add: [.init("etc/init.d/kubesolo", "#!/sbin/openrc-run\ndepend() {\n\tneed net\n}\n", mode: 0o755)]),
    ]

    private static let accessCases: [Case] = [
        .init(name: "passwd", rules: ["whole-accounts"], add: [.init("etc/passwd", "root:x:0:0::/root:/bin/sh\n")]),
        .init(
            name: "empty", rules: ["empty-password", "whole-accounts"], add: [.init("etc/shadow", "root:::0:::::\n")]),
        .init(
            name: "locked", rules: ["locked-account", "whole-accounts"],
            add: [
                .init("etc/shadow", "root:*::0:::::\nbo:!::0:::::\n"),
                .init("home/bo/.ssh/authorized_keys", "k", mode: 0o600),
            ]),
        .init(name: "keys", rules: ["keys-mode"], add: [.init("home/bo/.ssh/authorized_keys", "k", mode: 0o666)]),
        .init(
            name: "keys folder", rules: ["keys-folder"],
            add: [.directory("home/bo/.ssh/", mode: 0o777), .init("home/bo/.ssh/authorized_keys", "k", mode: 0o600)]),
        .init(
            name: "keys owner", rules: ["keys-owner"],
            add: [.directory("home/bo/"), .init("home/bo/.ssh/authorized_keys", "k", mode: 0o600, owner: 1001)]),
        .init(name: "host key", rules: ["host-key-mode"], add: [.init("etc/ssh/ssh_host_rsa_key", "k", mode: 0o644)]),
        .init(name: "public host key", rules: [], add: [.init("etc/ssh/ssh_host_rsa_key.pub", "k", mode: 0o644)]),
    ]

    private static let configurationCases: [Case] = [
        .init(name: "fstab", rules: ["fstab-media"], add: [.init("etc/fstab", "LABEL=K /data ext4 noauto 0 0\n")]),
        .init(name: "pass", rules: ["fstab-pass"], add: [fstab("LABEL=K /data ext4 defaults 0 2")]),
        .init(name: "shared", rules: ["fstab-shared"], add: [fstab("tmpfs / tmpfs size=50%,shared 0 0")]),
        .init(name: "stock fstab", rules: [], add: [fstab("LABEL=K /data ext4 noauto 0 0")]),
        .init(
            name: "pin", rules: ["world-pin", "duplicate-member"], add: [.init("etc/apk/world", "openssh=9.9-r0\n")]),
        .init(name: "host name", rules: ["hostname", "duplicate-member"], add: [.init("etc/hostname", "Edge_1\n")]),
        .init(
            name: "carriage returns", rules: ["carriage-return", "duplicate-member"],
            add: [.init("etc/hostname", "edge-1\r\n")]),
    ]

    static func fstab(_ line: String) -> RawTar.Member {
        let stock = "/dev/cdrom /media/cdrom iso9660 noauto,ro 0 0\n/dev/usbdisk /media/usb vfat noauto,ro 0 0\n"
        return .init("etc/fstab", stock + line + "\n")
    }

    @Test(arguments: cases)
    func `each trap gives its finding and nothing else does`(trap: Case) async throws {
        let scratch = try Scratch()
        let members = Self.clean.filter { !trap.remove.contains(String(decoding: $0.name, as: UTF8.self)) } + trap.add
        try scratch.file("raw.tar", RawTar.bytes(members))
        let packed = try await run("sh", ["-c", "gzip -9n < raw.tar > '\(trap.file)'"], in: scratch.path)
        #expect(packed.succeeded)
        let report = try OverlayLint.inspect(scratch.path.appending(trap.file))
        #expect(report.findings.map(\.rule).sorted() == trap.rules.sorted(), "\(report.findings)")
        #expect(report.facts.hostname != nil)
    }

    @Test func `the overlay that ksbuild makes has nothing wrong`() throws {
        let scratch = try Scratch()
        for change: (inout NodeImage) -> Void in [
            { _ in },
            {
                $0.network = Network(interfaces: [Interface(name: "eth0", dhcp4: true)], searchDomains: ["example.org"])
            },
            { $0.network.nameservers = ["192.0.2.53"].compactMap { IPAddress($0) } },
            { $0.access.hostKeys = .fresh }, { $0.dataDisk.mountPoint = "/srv/kubesolo" },
        ] {
            let overlay = try Overlay(node: .example(change), binary: nil, resources: resources)
            let path = scratch.path.appending("node1.apkovl.tar.gz")
            _ = try overlay.write(to: path)
            #expect(try OverlayLint.inspect(path).findings == [])
        }
    }

    @Test func `an archive that init cannot unpack is an error, not a finding`() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.apkovl.tar.gz", [0x1f, 0x8b, 8, 0, 1, 2, 3])
        #expect(throws: ArchiveError.self) { try OverlayLint.inspect(path) }
    }

    @Test func `an overlay without compression and one with a second archive behind it are found`() throws {
        let scratch = try Scratch()
        let plain = try scratch.file("a.apkovl.tar.gz", RawTar.bytes(Self.clean))
        #expect(try OverlayLint.inspect(plain).findings.map(\.rule) == ["not-gzip"])
        let two = try scratch.file("b.apkovl.tar.gz", RawTar.bytes(Self.clean) + RawTar.bytes(Self.clean))
        #expect(try OverlayLint.inspect(two).findings.map(\.rule).contains("second-archive"))
    }

    @Test func `a package that the medium lacks is named`() async throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.apkovl.tar.gz", RawTar.bytes(Self.clean))
        let rules = try OverlayLint.inspect(path) { $0 != "openssh" }.findings.map(\.rule)
        #expect(rules.sorted() == ["not-gzip", "world-missing"])
    }

    @Test func `facts say what a node would be`() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.apkovl.tar.gz", RawTar.bytes(Self.clean))
        let facts = try OverlayLint.inspect(path).facts
        #expect(facts.hostname == "edge-1" && facts.world == ["openssh"] && facts.interfaces == ["lo", "eth0"])
        #expect(facts.runlevels["sysinit"] == ["devfs", "dmesg", "hwdrivers", "mdev", "modloop"])
        #expect(!facts.hasDefaultServices)
    }
}
