import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

/// The digest of `what\n`.
private func digest(_ what: String) -> Digest { Digest(of: Array("\(what)\n".utf8)) }

/// A sandbox with the example overlay whose reports go to standard output.
private func sandbox(_ pin: BinaryPin? = nil, _ change: (inout NodeImage) -> Void = { _ in }) throws -> Sandbox {
    let sandbox = try Sandbox(Overlay(node: .example(change), binary: pin, resources: resources).tree)
    try sandbox.file("usr/libexec/ksbuild/report", consoleScript, mode: .executable)
    return sandbox
}

private let mountData = "mkdir -p /var/lib/kubesolo; mount -t tmpfs -o size=1m none /var/lib/kubesolo\n"

struct StageTests {
    private let pin = BinaryPin(digest: digest("right"), size: 6)

    private func stage(_ pin: BinaryPin?, _ setup: String) async throws -> String {
        let sandbox = try sandbox(pin)
        let result = try await sandbox.run(
            """
            \(setup)
            stage
            echo "code $?"
            cat /usr/local/bin/kubesolo 2>/dev/null | head -c 100
            ls /var/lib/kubesolo/bin 2>/dev/null
            """)
        return result.output
    }

    @Test func `the pinned binary is taken from whichever medium has it`() async throws {
        let output = try await stage(
            pin,
            mountData + """
                mkdir -p /media/sr0/ksbuild /media/cdrom/ksbuild
                echo wrong >/media/cdrom/ksbuild/kubesolo
                echo right >/media/sr0/ksbuild/kubesolo
                """)
        #expect(output == "ksbuild: stage state=ready digest=\(pin.digest)\ncode 0\nright\nkubesolo\n")
    }

    @Test func `with the right one on the data disk no medium is needed`() async throws {
        let output = try await stage(
            pin, mountData + "mkdir /var/lib/kubesolo/bin; echo right >/var/lib/kubesolo/bin/kubesolo")
        #expect(output == "ksbuild: stage state=ready digest=\(pin.digest)\ncode 0\nright\nkubesolo\n")
    }

    @Test func `an earlier release on the data disk is replaced`() async throws {
        let output = try await stage(
            pin,
            mountData + """
                mkdir -p /var/lib/kubesolo/bin /media/sr1/ksbuild
                echo earlier >/var/lib/kubesolo/bin/kubesolo
                echo right >/media/sr1/ksbuild/kubesolo
                """)
        #expect(output.hasSuffix("code 0\nright\nkubesolo\n"))
    }

    @Test func `a wrong binary is refused by its digest`() async throws {
        let output = try await stage(
            pin, mountData + "mkdir -p /media/sr1/ksbuild; echo wrong >/media/sr1/ksbuild/kubesolo")
        let why = "no medium carries the pinned binary: /media/sr1/ksbuild/kubesolo has \(digest("wrong"))"
        #expect(output == "ksbuild: stage state=refused digest=\(pin.digest) reason=\"\(why)\"\ncode 1\n")
    }

    @Test func `no binary anywhere is refused`() async throws {
        let output = try await stage(pin, mountData)
        #expect(
            output.hasPrefix(
                "ksbuild: stage state=refused digest=\(pin.digest) reason=\"no medium carries ksbuild/kubesolo\""))
    }

    @Test func `without a pin the medium's is taken, and that is said`() async throws {
        let output = try await stage(
            nil, mountData + "mkdir -p /media/sr1/ksbuild; echo wrong >/media/sr1/ksbuild/kubesolo")
        #expect(output == "ksbuild: stage state=ready digest=\(digest("wrong")) pin=none\ncode 0\nwrong\nkubesolo\n")
    }

    @Test func `a data disk that is full leaves no half binary`() async throws {
        let big = BinaryPin(digest: Digest(of: [UInt8](repeating: 0, count: 2 << 20)), size: 2 << 20)
        let output = try await stage(
            big, mountData + "mkdir -p /media/sr1/ksbuild; truncate -s 2M /media/sr1/ksbuild/kubesolo")
        #expect(output.contains("reason=\"copying /media/sr1/ksbuild/kubesolo to the data disk failed\""))
        #expect(output.hasSuffix("code 1\n"))
    }

    @Test func `nothing is staged in memory`() async throws {
        let output = try await stage(
            pin, "mkdir -p /media/sr1/ksbuild /var/lib/kubesolo; echo right >/media/sr1/ksbuild/kubesolo")
        #expect(output.contains("reason=\"the data disk is not mounted at /var/lib/kubesolo\""))
        #expect(output.hasSuffix("code 1\n"))
    }
}

struct HostKeyTests {
    private func provide(
        _ mode: Access.HostKeys = .persistent, _ script: String
    ) async throws -> String {
        let sandbox = try sandbox(nil) { $0.access.hostKeys = mode }
        try await sandbox.unpack("openssh-keygen")
        let result = try await sandbox.run(
            """
            mkdir -p /etc/ssh /var/lib/kubesolo
            \(script)
            """)
        return result.output + result.errors
    }

    @Test func `the key is made once, on the data disk, for root alone`() async throws {
        let output = try await provide(
            .persistent,
            mountData + """
                hostkeys >/tmp/1; hostkeys >/tmp/2
                sed 's/.*state=/state=/' /tmp/1 /tmp/2
                [ "$(sed 's/ state=.*//' /tmp/1)" = "$(sed 's/ state=.*//' /tmp/2)" ] && echo same
                cd /var/lib/kubesolo && stat -c '%a %u %n' ssh ssh/*
                readlink /etc/ssh/ssh_host_ed25519_key
                """)
        #expect(
            output == """
                state=made
                state=kept
                same
                700 0 ssh
                600 0 ssh/ssh_host_ed25519_key
                644 0 ssh/ssh_host_ed25519_key.pub
                /var/lib/kubesolo/ssh/ssh_host_ed25519_key

                """)
    }

    @Test func `the fact holds type and fingerprint as clients show them`() async throws {
        let output = try await provide(
            .persistent, mountData + "hostkeys; ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub")
        let lines = output.split(separator: "\n").map(String.init)
        let shown = try #require(lines.last?.split(separator: " ").dropFirst().first)
        #expect(lines.first == "ksbuild: hostkey type=ssh-ed25519 fingerprint=\(shown) state=made")
    }

    @Test func `without the data disk the key is fresh and in memory`() async throws {
        let output = try await provide(
            .persistent, "hostkeys | sed 's/.*state=/state=/'; ls /etc/ssh /var/lib/kubesolo; stat -c %a /etc/ssh/*key")
        #expect(output.hasPrefix("state=fresh\n"))
        #expect(output.contains("ssh_host_ed25519_key\n"))
        #expect(output.hasSuffix("600\n"))
        #expect(!output.contains("ssh\n\n"))
    }

    @Test func `fresh keys never touch the data disk`() async throws {
        let output = try await provide(.fresh, mountData + "hostkeys | sed 's/.*state=/state=/'; ls /var/lib/kubesolo")
        #expect(output == "state=fresh\n")
    }

    @Test func `a damaged key is set aside and made anew`() async throws {
        let output = try await provide(
            .persistent,
            mountData + """
                mkdir /var/lib/kubesolo/ssh; echo rubbish >/var/lib/kubesolo/ssh/ssh_host_ed25519_key
                hostkeys | sed 's/.*state=/state=/'; ls /var/lib/kubesolo/ssh
                """)
        #expect(output == "state=made\nssh_host_ed25519_key\nssh_host_ed25519_key.damaged\nssh_host_ed25519_key.pub\n")
    }

    @Test func `a key that the recipe brings is used as it is`() async throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("key")
        let made = try await TestSupport.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.string])
        #expect(made.succeeded)
        let key = Access.HostKey(algorithm: "ed25519", privateKey: try HostFile.read(path, limit: 4096))
        let shown = try await TestSupport.run("ssh-keygen", ["-l", "-f", path.string]).output.split(separator: " ")[1]
        let output = try await provide(.provided([key]), mountData + "hostkeys; ls /var/lib/kubesolo")
        #expect(output == "ksbuild: hostkey type=ssh-ed25519 fingerprint=\(shown) state=kept\n")
    }

    @Test func `the server takes the configuration`() async throws {
        let sandbox = try sandbox()
        for package in ["openssh-keygen", "openssh-server", "openssh-server-common"] {
            try await sandbox.unpack(package)
        }
        try sandbox.file(
            "etc/ssh/sshd_config",
            try #require(
                try Overlay(node: .example(), binary: nil, resources: resources).tree.text("etc/ssh/sshd_config")))
        let result = try await sandbox.run(
            """
            mkdir -p /var/empty; grep -q ^sshd: /etc/passwd || adduser -S -D -H sshd
            hostkeys >/dev/null; sshd -t && sshd -T -C user=alpine,host=h,addr=192.0.2.1 | sort
            """)
        let settings = Set(result.output.split(separator: "\n").map(String.init))
        let expected: Set = [
            "passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin no",
            "permitemptypasswords no", "authenticationmethods publickey", "allowusers alpine",
            "hostkey /etc/ssh/ssh_host_ed25519_key", "authorizedkeysfile .ssh/authorized_keys", "x11forwarding no",
        ]
        #expect(expected.subtracting(settings) == [], "\(result.output)\(result.errors)")
    }
}

struct RunTests {
    /// The program that stands where KubeSolo is staged: says how it was called.
    private let program = """
        #!/bin/sh
        echo "argument $*"
        env | grep ^KUBESOLO_ | sort
        grep '/ / ' /proc/self/mountinfo | grep -q shared: && echo shared
        """

    private func start(
        _ setup: String, _ change: @escaping (inout NodeImage) -> Void = { _ in }
    ) async throws -> String {
        let sandbox = try sandbox(nil, change)
        // Thirty short rests are what a wait gets, however slow the machine is.
        try sandbox.file(
            "usr/libexec/ksbuild/sleep",
            """
            #!/bin/sh
            echo slept >>/tmp/rests
            [ $(wc -l </tmp/rests) -lt 30 ] || kill $PPID
            exec /bin/busybox sleep 0.1

            """, mode: .executable)
        try sandbox.file("usr/local/bin/kubesolo", program, mode: .executable)
        let result = try await sandbox.run(
            """
            mkdir -p /run/ksbuild; sha256sum </usr/local/bin/kubesolo | cut -d' ' -f1 >/run/ksbuild/kubesolo.digest
            ip link add eth0 type veth peer name peer
            ip link set eth0 up
            \(setup)
            kubesolo-run
            """)
        return result.output
    }

    private let withAddress = mountData + "ip addr add 192.0.2.10/24 dev eth0\n"

    @Test func `it becomes KubeSolo with one argument and a shared root`() async throws {
        let output = try await start(withAddress)
        #expect(
            output == """
                ksbuild: kubesolo state=starting version=v1.2.2
                argument --config=/etc/kubesolo/config.yaml
                shared

                """)
    }

    @Test func `a release without a configuration file gets path and environment`() async throws {
        let output = try await start(withAddress) { node in
            node.kubesolo.version = KubeSoloVersion("v1.2.0") ?? node.kubesolo.version
            node.kubesolo.configuration = .mapping([
                .init("storage", .mapping([.init("localPath", .mapping([.init("enabled", .bool(false))]))])),
                .init(
                    "kubernetes",
                    .mapping([
                        .init("apiServer", .mapping([.init("extraSANs", .sequence([.string("a b"), .string("c'd")]))]))
                    ])),
            ])
        }
        #expect(
            output == """
                ksbuild: kubesolo state=starting version=v1.2.0
                argument --path=/var/lib/kubesolo
                KUBESOLO_APISERVER_EXTRA_SANS=a b,c'd
                KUBESOLO_LOCAL_STORAGE=false
                shared

                """)
    }

    @Test func `without a mounted data disk it refuses`() async throws {
        let output = try await start("ip addr add 192.0.2.10/24 dev eth0")
        #expect(
            output.hasPrefix(
                "ksbuild: kubesolo state=refused version=v1.2.2 reason=\"/var/lib/kubesolo is no mount point\""))
        #expect(!output.contains("argument"))
    }

    @Test func `a binary that was changed since it was staged is refused`() async throws {
        let output = try await start(withAddress + "echo '# changed' >>/usr/local/bin/kubesolo")
        #expect(output.contains("reason=\"/usr/local/bin/kubesolo is not the binary that was staged\""))
        #expect(!output.contains("argument"))
    }

    @Test func `without a lease it waits and says for what`() async throws {
        let output = try await start(mountData)
        #expect(
            output.hasPrefix("ksbuild: kubesolo state=waiting version=v1.2.2 reason=\"no DHCP lease on eth0\"\n")
        )
        #expect(!output.contains("argument"))
    }

    @Test func `an address that comes late starts it`() async throws {
        let output = try await start(mountData + "(/bin/busybox sleep 0.5; ip addr add 192.0.2.10/24 dev eth0) &")
        #expect(output.contains("state=waiting"))
        #expect(output.contains("argument --config"))
    }

    @Test func `an address of a pod network does not count`() async throws {
        let output = try await start(
            mountData + "ip link add cni0 type bridge; ip link set cni0 up; ip addr add 10.42.0.1/24 dev cni0")
        #expect(!output.contains("argument"))
    }

    @Test func `a pinned node address is waited for, whatever interface has it`() async throws {
        let pinned: (inout NodeImage) -> Void = { node in
            node.kubesolo.configuration = .mapping([
                .init("network", .mapping([.init("nodeIP", .string("192.0.2.77"))]))
            ])
        }
        let waiting = try await start(withAddress, pinned)
        #expect(waiting.contains("reason=\"the node has no address 192.0.2.77\""))
        #expect(!waiting.contains("argument"))
        let ready = try await start(mountData + "ip addr add 192.0.2.77/32 dev lo; ip link set lo up", pinned)
        #expect(ready.contains("argument --config"))
    }
}

struct ClockTests {
    private func raise(_ setup: String) async throws -> String {
        let sandbox = try sandbox()
        // The clock of the machine that tests is not touched: `date` notes what it is told.
        try sandbox.file(
            "usr/libexec/ksbuild/date", "#!/bin/sh\ncase $1 in +%s) cat /tmp/now ;; *) echo \"$*\" >/tmp/set ;; esac\n",
            mode: .executable)
        let result = try await sandbox.run(
            """
            mkdir -p /var/lib/kubesolo/logs
            echo 1000 >/tmp/now
            \(setup)
            clock raise
            cat /tmp/set 2>/dev/null
            """)
        return result.output
    }

    @Test func `a clock behind the build is set to the build`() async throws {
        let epoch = BuildStamp.defaultEpoch
        #expect(try await raise("") == "ksbuild: clock state=raised from=1000 to=\(epoch)\n-u -s @\(epoch)\n")
    }

    @Test func `the last time seen on the data disk counts when it is later`() async throws {
        #expect(try await raise("touch -d @1800000001 /var/lib/kubesolo/clock").hasSuffix("-u -s @1800000001\n"))
        let log = "touch -d @1800000001 /var/lib/kubesolo/clock; touch -d @1800000002 /var/lib/kubesolo/logs/messages"
        #expect(try await raise(log).hasSuffix("-u -s @1800000002\n"))
    }

    @Test func `a clock that is ahead is left alone`() async throws {
        #expect(try await raise("echo 1900000000 >/tmp/now; touch -d @1800000001 /var/lib/kubesolo/clock") == "")
    }
}

struct HealthTests {
    private func watch(_ wget: String, _ setup: String = "", process: String = "echo 77") async throws -> String {
        let sandbox = try sandbox()
        try sandbox.file("usr/libexec/ksbuild/wget", "#!/bin/sh\n\(wget)\n", mode: .executable)
        try sandbox.file("usr/libexec/ksbuild/rc-service", "#!/bin/sh\n[ ! -e /tmp/stopped ]\n", mode: .executable)
        let result = try await sandbox.run(
            mountData + """
                mkdir -p /run/openrc/options/kubesolo /run/ksbuild
                \(process) >/run/openrc/options/kubesolo/child_pid
                sed -i "s/_stable=.*/_stable=2/; s/_timeout=.*/_timeout=5/" /etc/conf.d/ksbuild-health
                \(setup)
                health
                cat /run/ksbuild/health /var/lib/kubesolo/health
                """)
        return result.output
    }

    @Test func `ready for a while is healthy, said once and kept on the data disk`() async throws {
        let fact = "health state=healthy version=v1.2.2\n"
        #expect(try await watch("echo ok") == "ksbuild: \(fact)\(fact)\(fact)")
    }

    @Test func `what the server says last is the reason`() async throws {
        let output = try await watch("echo 'wget: server returned error: HTTP/1.1 500 \"x\"' >&2; exit 1")
        let reason =
            "https://127.0.0.1:6443/readyz says wget: server returned error: HTTP/1.1 500 'x'; gave up after 5 s"
        #expect(output.hasPrefix("ksbuild: health state=unhealthy version=v1.2.2 reason=\"\(reason)\"\n"), "\(output)")
    }

    @Test func `a process that is another one each time is never healthy`() async throws {
        let output = try await watch("echo ok; cat /proc/uptime >/run/openrc/options/kubesolo/child_pid")
        #expect(
            output.contains("state=unhealthy version=v1.2.2 reason=\"ready, but not for 2 s at a time"), "\(output)")
    }

    @Test func `what KubeSolo waits for is the reason`() async throws {
        let fact = "kubesolo state=waiting version=v1.2.2 reason=\"no DHCP lease on eth0\""
        let output = try await watch("exit 1", "echo '\(fact)' >/run/ksbuild/said.kubesolo")
        let reason = "KubeSolo is waiting: no DHCP lease on eth0; gave up after 5 s"
        #expect(output.contains("reason=\"\(reason)\""), "\(output)")
    }

    @Test func `a service that is not started is unhealthy at once`() async throws {
        let output = try await watch("exit 1", "touch /tmp/stopped")
        #expect(output.hasPrefix("ksbuild: health state=unhealthy version=v1.2.2 reason=\"KubeSolo did not start\"\n"))
    }
}
