import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

/// The digest of `what\n`.
private func digest(_ what: String) -> Digest { Digest(of: Array("\(what)\n".utf8)) }

/// The binary of a node that booted over the network, from a real server in the sandbox's own network.
struct StageFetchTests {
    private let pin = BinaryPin(digest: digest("right"), size: 6)
    private let address = "http://127.0.0.1:8080/kubesolo"
    private let ready = "ksbuild: stage state=ready digest=\(digest("right"))\ncode 0\nright\nkubesolo\n"

    /// Stages with a kernel that was told the address, and prints what the server was asked for.
    private func stage(
        _ pin: BinaryPin?, _ setup: String, words: String? = nil, isServed: Bool = true
    ) async throws -> String {
        let sandbox = try reportingSandbox(pin)
        let server = """
            ip link set lo up
            mkdir "$root/shared/www"
            python3 -u -m http.server --bind 127.0.0.1 --directory "$root/shared/www" 8080 2>"$root/shared/log" >/dev/null &
            until grep -q ':1F90 ' /proc/net/tcp; do sleep 0.05; done
            """
        let result = try await sandbox.run(
            """
            \(mountData)\(setup)
            stage
            echo "code $?"
            cat /usr/local/bin/kubesolo 2>/dev/null | head -c 100
            ls /var/lib/kubesolo/bin 2>/dev/null
            sed -n 's/.*"\\(GET .*\\) HTTP.*" \\([0-9]*\\) .*/\\1 \\2/p' /shared/log 2>/dev/null
            """,
            before: """
                printf '%s\\n' '\(words ?? "quiet ksbuild.kubesolo=\(address) console=ttyS0")' >"$base/cmdline"
                mount --bind "$base/cmdline" "$root/proc/cmdline"
                \(isServed ? server : "ip link set lo up")
                """)
        return result.output
    }

    private func refused(_ reason: String) -> String {
        "ksbuild: stage state=refused digest=\(pin.digest) reason=\"\(reason)\"\ncode 1\n"
    }

    @Test func `the address that the kernel was told last gives the pinned binary`() async throws {
        let output = try await stage(
            pin, "echo right >/shared/www/kubesolo",
            words: "ksbuild.kubesolo=http://127.0.0.1:8080/earlier ksbuild.kubesolo=\(address)")
        #expect(output == ready + "GET /kubesolo 200\n")
    }

    @Test func `another binary is refused by its digest, and nothing of it stays`() async throws {
        let output = try await stage(pin, "echo wrong >/shared/www/kubesolo")
        #expect(
            output == refused("\(address) has \(digest("wrong")), which is not the pinned binary")
                + "GET /kubesolo 200\n")
    }

    @Test func `another binary never takes the place of the one that is there`() async throws {
        let output = try await stage(
            pin,
            """
            mkdir /var/lib/kubesolo/bin; echo earlier >/var/lib/kubesolo/bin/kubesolo
            echo wrong >/shared/www/kubesolo; ln -s /var/lib/kubesolo/bin/kubesolo /usr/local/bin/kubesolo
            """)
        #expect(output.hasSuffix("code 1\nearlier\nkubesolo\nGET /kubesolo 200\n"), "\(output)")
    }

    @Test func `an address that does not give it is asked three times`() async throws {
        let output = try await stage(pin, "")
        let asked = String(repeating: "GET /kubesolo 404\n", count: 3)
        #expect(output == refused("\(address) cannot be fetched") + asked)
    }

    @Test func `an address that gives it late is taken`() async throws {
        let output = try await stage(
            pin, "{ sleep 3; echo right >/shared/www/new; mv /shared/www/new /shared/www/kubesolo; } &")
        #expect(output == ready + "GET /kubesolo 404\nGET /kubesolo 404\nGET /kubesolo 200\n")
    }

    @Test func `an address where nobody answers is refused`() async throws {
        let output = try await stage(pin, "", isServed: false)
        #expect(output == refused("\(address) cannot be fetched"))
    }

    @Test func `what does not fit on the data disk leaves no half binary`() async throws {
        let output = try await stage(pin, "truncate -s 2M /shared/www/kubesolo")
        #expect(output.hasPrefix(refused("\(address) cannot be fetched")), "\(output)")
        #expect(output.hasSuffix("GET /kubesolo 200\n"))
    }

    @Test(arguments: [
        "mkdir /var/lib/kubesolo/bin; echo right >/var/lib/kubesolo/bin/kubesolo",
        "mkdir -p /media/sr0/ksbuild; echo right >/media/sr0/ksbuild/kubesolo",
    ]) func `what is on the data disk or on a medium is not fetched`(setup: String) async throws {
        #expect(try await stage(pin, "echo wrong >/shared/www/kubesolo; \(setup)") == ready)
    }

    @Test func `a medium with another binary does not keep the pinned one from being fetched`() async throws {
        let output = try await stage(
            pin,
            """
            mkdir -p /media/sr0/ksbuild; echo wrong >/media/sr0/ksbuild/kubesolo
            echo right >/shared/www/kubesolo
            """)
        #expect(output == ready + "GET /kubesolo 200\n")
    }

    @Test func `without a pin nothing is fetched`() async throws {
        let output = try await stage(nil, "echo right >/shared/www/kubesolo")
        #expect(
            output
                == "ksbuild: stage state=refused digest=none pin=none reason=\"no medium carries ksbuild/kubesolo\"\ncode 1\n"
        )
    }
}
