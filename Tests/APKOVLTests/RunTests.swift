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
        _ setup: String, _ change: @escaping (inout NodeImage) -> Void = { _ in }
    ) async throws -> String {
        let sandbox = try reportingSandbox(nil, change)
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
}
