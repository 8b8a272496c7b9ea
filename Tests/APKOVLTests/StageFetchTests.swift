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
    private let begun = "ksbuild: stage state=waiting digest=\(digest("right")) reason=\"it comes from"
    private let ready = "ksbuild: stage state=ready digest=\(digest("right"))\n"
    private let end = "code 0\nright\nkubesolo\n"

    /// A server that knows ranges, and hangs up after two bytes of what is asked for from the beginning, some seconds later.
    private let patchy = """
        import http.server, sys, time
        class Patchy(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                first = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
                body = b"right\\n"[first:]
                self.send_response(206 if first else 200)
                self.send_header("Content-Length", str(len(body)))
                if first: self.send_header("Content-Range", "bytes %d-5/6" % first)
                self.end_headers()
                self.wfile.write(body if first else body[:2])
                time.sleep(float(sys.argv[1]))
        http.server.HTTPServer(("127.0.0.1", 8080), Patchy).serve_forever()
        """

    /// Stages with a kernel that was told the address, fetches what is to be fetched, and prints what the server was asked
    /// for and how long the rests were. The third rest may bring something about.
    private func stage(
        _ pin: BinaryPin?, _ setup: String, words: String? = nil, server: String? = nil, command: String = "stage"
    ) async throws -> String {
        let sandbox = try reportingSandbox(pin)
        // Eight short rests are what a wait gets, however slow the machine is.
        try sandbox.file(
            "usr/libexec/ksbuild/sleep",
            """
            #!/bin/sh
            echo $1 >>/tmp/rests
            [ $(wc -l </tmp/rests) != 3 ] || [ ! -e /tmp/third ] || sh /tmp/third
            [ $(wc -l </tmp/rests) -lt 8 ] || kill $PPID
            exec /bin/busybox sleep 0.1

            """, mode: .executable)
        try sandbox.file("tmp/patchy.py", patchy)
        let start = """
            ip link set lo up
            mkdir "$root/shared/www"
            python3 -u \(server ?? "-m http.server --bind 127.0.0.1 --directory \"$root/shared/www\" 8080") \
                2>"$root/shared/log" >/dev/null &
            until grep -q ':1F90 ' /proc/net/tcp; do sleep 0.05; done
            """
        let result = try await sandbox.run(
            """
            \(mountData)\(setup)
            \(command)
            code=$?
            [ ! -e /run/ksbuild/kubesolo.fetch ] || { stage fetch true; code=$?; }
            echo "code $code"
            cat /usr/local/bin/kubesolo 2>/dev/null | head -c 100
            ls /var/lib/kubesolo/bin 2>/dev/null
            sed -n 's/.*"\\(GET .*\\) HTTP.*" \\([0-9]*\\) .*/\\1 \\2/p' /shared/log 2>/dev/null
            [ ! -e /tmp/rests ] || echo rests $(cat /tmp/rests)
            """,
            before: """
                printf '%s\\n' '\(words ?? "quiet ksbuild.kubesolo=\(address) console=ttyS0")' >"$base/cmdline"
                mount --bind "$base/cmdline" "$root/proc/cmdline"
                \(server == "" ? "ip link set lo up" : start)
                """)
        // That the fetch is to come is said at first, and not looked at further.
        #expect(!result.output.contains("stage state=waiting") || result.output.hasPrefix(begun), "\(result.output)")
        return result.output.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix(begun) }.joined(separator: "\n")
    }

    private func waiting(_ reason: String) -> String {
        "ksbuild: stage state=waiting digest=\(pin.digest) reason=\"\(reason)\"\n"
    }

    private func refused(_ what: String) -> String {
        "ksbuild: stage state=refused digest=\(pin.digest)"
            + " reason=\"\(address) has \(digest(what)), which is not the pinned binary; trying again\"\n"
    }

    @Test func `the address that the kernel was told last gives the pinned binary`() async throws {
        let output = try await stage(
            pin, "echo right >/shared/www/kubesolo",
            words: "ksbuild.kubesolo=http://127.0.0.1:8080/earlier ksbuild.kubesolo=\(address)")
        #expect(output == ready + end + "GET /kubesolo 200\n")
    }

    @Test func `the service itself fetches nothing`() async throws {
        let output = try await stage(
            pin, "", command: "stage; echo service $?; ls /var/lib/kubesolo; cat /shared/log; exit")
        #expect(output == "service 0\n")
    }

    @Test func `the supervised process fetches it once there is an address, and becomes KubeSolo`() async throws {
        let program = Array("#!/bin/sh\necho argument\n".utf8)
        let output = try await stage(
            BinaryPin(digest: Digest(of: program), size: UInt64(program.count)),
            """
            printf '#!/bin/sh\\necho argument\\n' >/shared/www/kubesolo; echo 'cat /shared/log
            ip addr add 192.0.2.10/24 dev eth0' >/tmp/third
            ip link add eth0 type veth peer name peer; ip link set eth0 up
            """, command: "stage >/dev/null; kubesolo-run")
        let waits = "ksbuild: kubesolo state=waiting version=v1.2.2 reason="
        #expect(
            output == String(repeating: waits + "\"no DHCP lease on eth0\"\n", count: 3)
                + waits + "\"the binary comes from \(address)\"\n"
                + "ksbuild: stage state=ready digest=\(Digest(of: program))\n"
                + "ksbuild: kubesolo state=starting version=v1.2.2\nargument\ncode 0\n#!/bin/sh\necho argument\nkubesolo\n"
                + "GET /kubesolo 200\nrests 1 1 1\n", "\(output)")
    }

    @Test func `another binary is refused by its digest, told, and asked for anew`() async throws {
        let output = try await stage(
            pin, "echo wrong >/shared/www/kubesolo; echo 'echo right >/shared/www/kubesolo' >/tmp/third")
        #expect(
            output == String(repeating: refused("wrong"), count: 3) + ready + end
                + String(repeating: "GET /kubesolo 200\n", count: 4) + "rests 1 2 4\n")
    }

    @Test func `another binary never takes the place of the one that is there`() async throws {
        let output = try await stage(
            pin,
            """
            mkdir /var/lib/kubesolo/bin; echo earlier >/var/lib/kubesolo/bin/kubesolo
            echo wrong >/shared/www/kubesolo; ln -s /var/lib/kubesolo/bin/kubesolo /usr/local/bin/kubesolo
            """)
        #expect(output.contains("code 143\nearlier\nkubesolo\nGET /kubesolo 200\n"), "\(output)")
    }

    @Test func `an address that does not give it is asked on and on, at most every 30 s`() async throws {
        let output = try await stage(pin, "")
        let why =
            "\(address) cannot be fetched (wget: server returned error: HTTP/1.0 404 File not found); trying again"
        #expect(
            output == String(repeating: waiting(why), count: 8) + "code 143\n"
                + String(repeating: "GET /kubesolo 404\n", count: 8) + "rests 1 2 4 8 16 30 30 30\n")
    }

    @Test func `a network that comes late is waited for`() async throws {
        let output = try await stage(
            pin,
            "ip addr flush dev lo; echo right >/shared/www/kubesolo; echo 'ip addr add 127.0.0.1/8 dev lo' >/tmp/third")
        let why = "\(address) cannot be fetched (wget: can't connect to remote host (127.0.0.1): Network unreachable)"
        #expect(
            output == String(repeating: waiting("\(why); trying again"), count: 3) + ready + end
                + "GET /kubesolo 200\nrests 1 2 4\n")
    }

    @Test func `an address where nobody answers is waited for`() async throws {
        let output = try await stage(pin, "", server: "")
        let why = "\(address) cannot be fetched (wget: can't connect to remote host (127.0.0.1): Connection refused)"
        #expect(output.hasPrefix(waiting("\(why); trying again")), "\(output)")
        #expect(output.hasSuffix("code 143\nrests 1 2 4 8 16 30 30 30\n"))
    }

    @Test func `what came before a server hung up is continued`() async throws {
        let output = try await stage(pin, "", server: "\"$root/tmp/patchy.py\" 0")
        let why = "\(address) cannot be fetched (wget: connection closed prematurely); trying again"
        #expect(output == waiting(why) + ready + end + "GET /kubesolo 200\nGET /kubesolo 206\nrests 1\n", "\(output)")
    }

    @Test func `a fetch that is stopped ends at once and takes its download along`() async throws {
        let output = try await stage(
            pin, "", server: "\"$root/tmp/patchy.py\" 60",
            command: """
                stage; stage fetch true & fetch=$!
                until [ -s /var/lib/kubesolo/bin/*.part ]; do busybox sleep 0.1; done
                kill $fetch; wait $fetch; echo ended $?; busybox sleep 0.5; ps | grep -c '[w]get'; exit
                """)
        #expect(output == "ended 143\n0\n")
    }

    @Test(arguments: ["damaged", "da"])
    func `what was kept and is damaged is fetched anew`(kept: String) async throws {
        let output = try await stage(
            pin,
            """
            mkdir /var/lib/kubesolo/bin; cd /var/lib/kubesolo/bin; echo other >kubesolo.0123.part
            printf \(kept) >kubesolo.\(pin.digest).part; echo right >/shared/www/kubesolo
            """, server: kept == "da" ? "\"$root/tmp/patchy.py\" 0" : nil)
        #expect(
            output.hasPrefix(waiting("what came from \(address) in parts is not the pinned binary; fetching it anew")),
            "\(output)")
        #expect(output.contains(ready + end), "\(output)")
    }

    @Test func `what does not fit on the data disk leaves no half binary`() async throws {
        let big = BinaryPin(digest: pin.digest, size: 2 << 20)
        let output = try await stage(big, "truncate -s 2M /shared/www/kubesolo")
        #expect(output.contains("No space left on device); trying again"), "\(output)")
        #expect(output.contains("\ncode 143\nGET /kubesolo 200\n"), "\(output)")
        #expect(output.hasSuffix("rests 1 2 4 8 16 30 30 30\n"), "\(output)")
    }

    @Test(arguments: [
        "mkdir /var/lib/kubesolo/bin; echo right >/var/lib/kubesolo/bin/kubesolo",
        "mkdir -p /media/sr0/ksbuild; echo right >/media/sr0/ksbuild/kubesolo",
    ]) func `what is on the data disk or on a medium is not fetched`(setup: String) async throws {
        #expect(try await stage(pin, "echo wrong >/shared/www/kubesolo; \(setup)") == ready + end)
    }

    @Test func `a medium with another binary does not keep the pinned one from being fetched`() async throws {
        let output = try await stage(
            pin,
            """
            mkdir -p /media/sr0/ksbuild; echo wrong >/media/sr0/ksbuild/kubesolo
            echo right >/shared/www/kubesolo
            """)
        #expect(output == ready + end + "GET /kubesolo 200\n")
    }

    @Test func `without a pin nothing is fetched`() async throws {
        let output = try await stage(nil, "echo right >/shared/www/kubesolo")
        #expect(
            output
                == "ksbuild: stage state=refused digest=none pin=none reason=\"no medium carries ksbuild/kubesolo\"\ncode 1\n"
        )
    }
}
