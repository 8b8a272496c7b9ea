import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

struct RunTests {
    /// The program that stands where KubeSolo is staged: says how it was called.
    private let program = """
        #!/bin/sh
        echo "argument $*"
        env | grep ^KUBESOLO_ | sort
        grep '/ / ' /proc/self/mountinfo | grep -q shared: && echo shared
        """

    private func start(
        _ setup: String, package: String? = nil, _ change: @escaping (inout NodeImage) -> Void = { _ in }
    ) async throws -> String {
        let sandbox = try reportingSandbox(nil, change)
        if let package { try await sandbox.unpack(package) }
        // Thirty short rests are what a wait gets, however slow the machine is; the third may bring something about.
        try sandbox.file(
            "usr/libexec/ksbuild/sleep",
            """
            #!/bin/sh
            echo slept >>/tmp/rests
            [ $(wc -l </tmp/rests) != 3 ] || [ ! -e /tmp/third ] || sh /tmp/third
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
        let output = try await start(mountData + "echo 'ip addr add 192.0.2.10/24 dev eth0' >/tmp/third")
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

    @Test func `a version that may not open the datastore is refused with what to do`() async throws {
        let output = try await start(
            withAddress + """
                mkdir -p /var/lib/kubesolo/kine/db /var/lib/kubesolo/ksbuild; : >/var/lib/kubesolo/kine/db/state.db
                printf 'format=1\\nattempted_release=2.0.0\\nattempted=v1.3.0\\n' >/var/lib/kubesolo/ksbuild/datastore

                """)
        #expect(
            output.hasPrefix(
                "ksbuild: kubesolo state=refused version=v1.2.2 reason=\"KubeSolo v1.3.0 of release 2.0.0 has opened the "
                    + "datastore, and v1.2.2 would drop what it does not know; boot a release with KubeSolo v1.3 or newer, "
                    + "or put back a datastore of v1.2\"\n"), "\(output)")
        #expect(!output.contains("argument"))
    }

    @Test
    func `a snapshot holds the mirrors of the release before, and a restore brings back what was put beside them`()
        async throws
    {
        let output = try await start(
            NodeData.mount + """
                ip addr add 192.0.2.10/24 dev eth0; cd /var/lib/kubesolo
                mkdir -p kine/db ksbuild containerd/registry/old.example containerd/registry/own.example
                echo A >kine/db/state.db; echo own >containerd/registry/own.example/hosts.toml
                echo '# From the image of this node; changes here are lost at the next start.' \
                    >containerd/registry/old.example/hosts.toml
                printf '%s\\n' format=1 attempted_release=0.9.0 attempted=v1.2.1 >ksbuild/datastore
                kubesolo-run >/dev/null; find containerd -type f; (cd ksbuild/snapshots/*/files; find containerd -type f)
                echo B >kine/db/state.db; echo more >>containerd/registry/own.example/hosts.toml
                sed -i s/^KUBESOLO=.*/KUBESOLO=v1.2.1/ /etc/ksbuild/release
                kubesolo-run >/dev/null; cat kine/db/state.db containerd/registry/own.example/hosts.toml; exit

                """)
        #expect(
            output == """
                containerd/registry/own.example/hosts.toml
                containerd/registry/old.example/hosts.toml
                containerd/registry/own.example/hosts.toml
                A
                own

                """)
    }

    /// A time server, and the node's own chronyd that asks it; neither touches the clock.
    private let timeServer = """
        mkdir -p /var/lib/chrony /var/log/chrony /run/chrony; chmod 750 /run/chrony; ip link set lo up
        printf '%s\\n' 'local stratum 1' allow 'port 11123' 'cmdport 0' 'bindcmdaddress /run/chrony/server.sock' \
            'pidfile /run/server.pid' >/tmp/server.conf
        printf '%s\\n' 'server 127.0.0.1 port 11123 iburst' 'cmdport 0' >/tmp/client.conf
        for role in server client; do chronyd -x -f /tmp/$role.conf >/dev/null 2>&1; done
        for _ in 1 2 3 4 5 6 7 8 9; do [ -S /run/chrony/chronyd.sock ] && break; busybox sleep 1; done

        """

    @Test(arguments: [true, false])
    func `a clock that was wrong at boot gets time to be set, once`(hasServer: Bool) async throws {
        let output = try await start(
            withAddress + (hasServer ? timeServer : "") + """
                printf '#!/bin/sh\\n[ "$*" = "-q chronyd status" ]\\n' >/usr/libexec/ksbuild/rc-service
                chmod 755 /usr/libexec/ksbuild/rc-service
                : >/run/ksbuild/clock.raised; kubesolo-run

                """, package: "chrony")
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.first?.contains("state=waiting version=v1.2.2 reason=\"the clock was wrong at boot") == true)
        let state = hasServer ? "clock state=synchronised to=" : "clock state=unsynchronised to="
        #expect(lines.filter { $0.contains(state) }.count == 1, "\(output)")
        #expect(lines.filter { $0.hasPrefix("argument ") }.count == 2, "\(output)")
    }

    @Test func `proxies do not stand between the node and its own cluster`() async throws {
        let output = try await start(
            withAddress + "sed -i '2i env | grep PROXY | sort' /usr/local/bin/kubesolo\n"
                + "sha256sum </usr/local/bin/kubesolo | cut -d' ' -f1 >/run/ksbuild/kubesolo.digest\n"
        ) { node in
            node.proxy = Proxy(https: "http://proxy.example.org:3128", exceptions: [".example.org", "10.42.0.0/16"])
        }
        #expect(output.contains("HTTPS_PROXY=http://proxy.example.org:3128\n"), "\(output)")
        #expect(
            output.contains(
                "NO_PROXY=localhost,127.0.0.1,10.42.0.0/16,10.43.0.0/16,.svc,.cluster.local,.example.org,192.0.2.10\n"),
            "\(output)")
        #expect(!output.contains("HTTP_PROXY"))
    }

    @Test func `mirrors of registries are where containerd looks, and go with the release that had them`() async throws
    {
        let setup = """
            cd /var/lib/kubesolo; mkdir -p containerd/registry/own.example containerd/registry/old.example
            echo 'server = "x"' >containerd/registry/own.example/hosts.toml
            echo '# From the image of this node; changes here are lost at the next start.' \
                >containerd/registry/old.example/hosts.toml
            kubesolo-run >/dev/null; cd containerd/registry; grep '' */hosts.toml; stat -c %a docker.io/hosts.toml

            """
        let output = try await start(withAddress + setup) { node in
            node.registries = [
                RegistryMirrors(
                    registry: "docker.io",
                    mirrors: ["https://mirror.example.org", "https://harbor.example.org/v2/hub/"])
            ]
        }
        let wanted = """
            docker.io/hosts.toml:# From the image of this node; changes here are lost at the next start.
            docker.io/hosts.toml:server = "https://registry-1.docker.io"
            docker.io/hosts.toml:
            docker.io/hosts.toml:[host."https://mirror.example.org"]
            docker.io/hosts.toml:  capabilities = ["pull", "resolve"]
            docker.io/hosts.toml:[host."https://harbor.example.org/v2/hub"]
            docker.io/hosts.toml:  capabilities = ["pull", "resolve"]
            docker.io/hosts.toml:  override_path = true
            own.example/hosts.toml:server = "x"
            600

            """
        #expect(output.hasPrefix(wanted), "\(output)")
    }

    @Test func `the console says what runs here and how it is reached`() async throws {
        let output = try await start(
            withAddress + "issue; cat /etc/issue; ip addr flush dev eth0; /etc/network/if-down.d/ksbuild-issue\n"
                + "grep eth0 /etc/issue; exit\n")
        #expect(
            output == """
                kubesolo 1.0.0 (Alpine 3.23.6, KubeSolo v1.2.2)
                eth0: 192.0.2.10/24
                \\l

                eth0: none

                """)
    }
}
