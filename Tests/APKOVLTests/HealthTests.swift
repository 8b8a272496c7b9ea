import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

struct HealthTests {
    private func watch(_ wget: String, _ setup: String = "", seconds: Int = 15) async throws -> String {
        let sandbox = try reportingSandbox()
        try sandbox.file("usr/libexec/ksbuild/wget", "#!/bin/sh\n\(wget)\n", mode: .executable)
        try sandbox.file("usr/libexec/ksbuild/rc-service", "#!/bin/sh\n[ ! -e /tmp/stopped ]\n", mode: .executable)
        let result = try await sandbox.run(
            mountData + """
                mkdir -p /run/openrc/options/kubesolo /run/ksbuild
                echo 77 >/run/openrc/options/kubesolo/child_pid
                sed -i "s/_stable=.*/_stable=2/; s/_timeout=.*/_timeout=\(seconds)/" /etc/conf.d/ksbuild-health
                \(setup)
                health
                cat /run/ksbuild/health /var/lib/kubesolo/health
                """)
        return result.output
    }

    @Test func `ready for a while is healthy, said once and kept on the data disk`() async throws {
        let fact = "health state=healthy version=v1.2.2\n"
        #expect(try await watch("echo ok", seconds: 120) == "ksbuild: \(fact)\(fact)\(fact)")
    }

    @Test func `what the server says last is the reason`() async throws {
        let output = try await watch("echo 'wget: server returned error: HTTP/1.1 500 \"x\"' >&2; exit 1")
        let reason =
            "https://127.0.0.1:6443/readyz says wget: server returned error: HTTP/1.1 500 'x'; gave up after 15 s"
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
        let reason = "KubeSolo is waiting: no DHCP lease on eth0; gave up after 15 s"
        #expect(output.contains("reason=\"\(reason)\""), "\(output)")
    }

    @Test func `a service that is not started is unhealthy at once`() async throws {
        let output = try await watch("exit 1", "touch /tmp/stopped")
        #expect(output.hasPrefix("ksbuild: health state=unhealthy version=v1.2.2 reason=\"KubeSolo did not start\"\n"))
    }

    @Test func `under a supervisor the program rests when it has said what it found`() async throws {
        let sandbox = try reportingSandbox()
        try sandbox.file("usr/libexec/ksbuild/rc-service", "#!/bin/sh\nexit 1\n", mode: .executable)
        let result = try await sandbox.run(
            """
            health stay & number=$!
            for _ in $(seq 100); do
                [ "$(tr '\\0' ' ' </proc/$number/cmdline)" = 'sleep 2147483647 ' ] && break
                sleep 0.1
            done
            kill $number && wait $number; echo "ended $?"
            """)
        let fact = "ksbuild: health state=unhealthy version=v1.2.2 reason=\"KubeSolo did not start\""
        #expect(result.output == "\(fact)\nended 143\n", "\(result.errors)")
    }
}
