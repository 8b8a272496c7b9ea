import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

/// The gate asks the laboratory's stand-in over TLS, with Alpine's own programs.
struct HealthTests {
    /// Starts the stand-in again and again, as the supervisor does, and lets the gate decide.
    private func watch(
        _ knobs: String = "", setup: String = "", stable: Int = 2, timeout: Int = 12, mode: String = ""
    ) async throws -> String {
        let sandbox = try reportingSandbox()
        try await sandbox.unpack("openssl")
        try sandbox.file("usr/libexec/ksbuild/rc-service", "#!/bin/sh\n[ ! -e /tmp/stopped ]\n", mode: .executable)
        let program = labRoot.removingLastComponent().pushing("kubesolo/bin/kubesolo-v1.2.2")
        let result = try await sandbox.run(
            """
            mkdir -p /var/lib/kubesolo; mount -t tmpfs none /var/lib/kubesolo
            ip link set lo up; ip addr add 192.0.2.10/24 dev lo
            mkdir -p /run/openrc/options/kubesolo /run/ksbuild
            sed -i "s/_stable=.*/_stable=\(stable)/; s/_timeout=.*/_timeout=\(timeout)/" /etc/conf.d/ksbuild-health
            printf 'KUBESOLO_STANDIN_ANY_CGROUPS=1\\nKUBESOLO_STANDIN_READY_SECONDS=1\\n\(knobs)\\n' \\
                >/var/lib/kubesolo/standin.env
            supervise() {
                while :; do
                    datastore open
                    /usr/local/bin/kubesolo --config=/etc/kubesolo/config.yaml >>/tmp/log 2>&1 &
                    echo $! >/run/openrc/options/kubesolo/child_pid
                    wait $!
                    sleep 1
                done
            }
            \(setup.isEmpty ? "supervise &" : setup)
            health \(mode)
            cat /run/ksbuild/health /var/lib/kubesolo/health
            grep -q -s '^confirmed=v1.2.2$' /var/lib/kubesolo/ksbuild/datastore && echo confirmed
            """, before: "install -m 755 \(program.string) \"$root/usr/local/bin/kubesolo\"")
        return result.output
    }

    private func reason(_ output: String) -> String {
        let lines = output.split(separator: "\n").map(String.init)
        let start = "ksbuild: health state=unhealthy version=v1.2.2 release=1.0.0 reason=\""
        guard lines.count == 3, lines[0].hasPrefix(start), lines[0] == "ksbuild: " + lines[1], lines[1] == lines[2]
        else { return "not one fact, said and kept: \(output)" }
        return String(lines[0].dropFirst(start.count).dropLast())
    }

    @Test func `ready for a while is healthy, said once and kept on the data disk`() async throws {
        let fact = "health state=healthy version=v1.2.2 release=1.0.0\n"
        #expect(try await watch(timeout: 120) == "ksbuild: \(fact)\(fact)\(fact)confirmed\n")
    }

    @Test func `of several nodes the one with the newest heartbeat counts`() async throws {
        let output = try await watch("KUBESOLO_STANDIN_OLD_NODE=1", timeout: 120)
        #expect(output.hasPrefix("ksbuild: health state=healthy version=v1.2.2 release=1.0.0\n"), "\(output)")
    }

    @Test func `an API server that is not ready says which check fails`() async throws {
        let output = try await watch("KUBESOLO_STANDIN_NEVER_READY=1")
        #expect(
            reason(output) == "https://127.0.0.1:6443/readyz says 500: [-]poststarthook failed: reason withheld ; "
                + "gave up after 12 s")
    }

    @Test func `a node that is not ready is the reason`() async throws {
        let output = try await watch("KUBESOLO_STANDIN_NODE_NOT_READY=1")
        #expect(reason(output).contains(" is not ready: NotKubeletReady; gave up after 12 s"), "\(output)")
    }

    @Test func `another version of KubeSolo is the reason`() async throws {
        let output = try await watch("KUBESOLO_STANDIN_REPORT_VERSION=v1.3.0")
        #expect(reason(output).contains("+kubesolo-v1.3.0, not kubesolo-v1.2.2; gave up after 12 s"), "\(output)")
    }

    @Test func `CoreDNS that is not ready is the reason`() async throws {
        let output = try await watch("KUBESOLO_STANDIN_DNS_NOT_READY=1")
        #expect(
            reason(output) == "no CoreDNS pod is ready: coredns-5c6b9d7f9-x2x4z is Pending; gave up after 12 s")
    }

    @Test func `a process that ends before it has been well for long enough is the reason`() async throws {
        let output = try await watch("KUBESOLO_STANDIN_CRASH_AFTER=3", stable: 8, timeout: 14)
        #expect(reason(output).hasPrefix("KubeSolo ended "), "\(output)")
        #expect(reason(output).contains(" times; at last: "), "\(output)")
    }

    @Test func `what KubeSolo waits for is the reason`() async throws {
        let fact = "kubesolo state=waiting version=v1.2.2 reason=\"no DHCP lease on eth0\""
        let output = try await watch(setup: "echo '\(fact)' >/run/ksbuild/said.kubesolo", timeout: 2)
        #expect(reason(output) == "KubeSolo is waiting: no DHCP lease on eth0; gave up after 2 s")
    }

    @Test func `a service that is not started is unhealthy at once`() async throws {
        #expect(try await reason(watch(setup: "touch /tmp/stopped", timeout: 120)) == "KubeSolo did not start")
    }

    @Test func `under a supervisor a node that becomes healthy late says so, and then the program rests`() async throws
    {
        let output = try await watch(
            "KUBESOLO_STANDIN_NEVER_READY=1",
            setup: """
                supervise & health stay & number=$!
                for _ in $(seq 60); do [ -e /run/ksbuild/health ] && break; sleep 1; done
                echo KUBESOLO_STANDIN_ANY_CGROUPS=1 >/var/lib/kubesolo/standin.env
                kill $(pidof kubesolo)
                for _ in $(seq 60); do
                    [ "$(tr '\\0' ' ' </proc/$number/cmdline)" = 'sleep 2147483647 ' ] && break
                    sleep 1
                done
                kill $number; wait $number; echo "ended $?"
                health() { :; }
                """, timeout: 4)
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.count == 6 && lines.last == "confirmed", "\(output)")
        #expect(lines.first?.contains("state=unhealthy") == true && lines.first?.contains("after 4 s") == true)
        #expect(lines.dropFirst().first == "ksbuild: health state=healthy version=v1.2.2 release=1.0.0", "\(output)")
        #expect(lines.dropFirst(2).first == "ended 143")
    }

    @Test func `a server that another authority vouches for is not believed`() async throws {
        let output = try await watch(
            setup: """
                supervise &
                for _ in $(seq 60); do [ -s /var/lib/kubesolo/pki/admin/admin.kubeconfig ] && break; sleep 1; done
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -config /dev/null \\
                    -keyout /tmp/key -out /tmp/other 2>/dev/null
                sed -i "s/authority-data: .*/authority-data: $(base64 -w 0 </tmp/other)/" \\
                    /var/lib/kubesolo/pki/admin/admin.kubeconfig
                """, timeout: 3)
        #expect(
            reason(output).contains("https://127.0.0.1:6443 does not answer: certificate verify failed"), "\(output)")
    }

    @Test func `the host gets the facts where the machine has a port of that name`() async throws {
        let sandbox = try Sandbox(Overlay(node: .example(), binary: nil, resources: resources).tree)
        let result = try await sandbox.run(
            """
            for port in vport1p1=org.qemu.guest_agent.0 vport1p2=org.ksbuild.facts.0; do
                mkdir -p /sys/class/virtio-ports/${port%=*}
                echo ${port#*=} >/sys/class/virtio-ports/${port%=*}/name
                mkfifo /dev/${port%=*}
            done
            timeout 10 cat /dev/vport1p2 >/tmp/host & report 'health state=healthy'; wait; cat /tmp/host
            """)
        #expect(result.output == "ksbuild: health state=healthy\n", "\(result.errors)")
    }
}

/// What the programs make of API answers, and of what is none.
struct APIAnswerTests {
    /// The condition Ready among others, in an answer as the API server writes it.
    private static func node(_ name: String, _ status: String, _ beat: String, _ version: String) -> String {
        #"{"metadata":{"name":"\#(name)","labels":{"name":"x"},"managedFields":[{"fieldsV1":{"f:status":{"f:conditions":"#
            + #"{"k:{\"type\":\"Ready\"}":{}}}}}]},"status":{"conditions":[{"type":"DiskPressure","status":"False"},"#
            + #"{"status":"\#(status)","message":"a \\\"quoted\\\" \\","lastHeartbeatTime":"\#(beat)","type":"Ready","#
            + #""reason":"Because"}],"nodeInfo":{"kubeletVersion":"\#(version)"}}}"#
    }

    private static func list(_ kind: String, _ items: String...) -> String {
        #"{"kind":"\#(kind)","apiVersion":"v1","metadata":{"resourceVersion":"7","count":-1.5e3},"items":["#
            + items.joined(separator: ",\n ") + "]}\n"
    }

    private static func pod(_ label: String, _ status: String, more: String = "") -> String {
        #"{"metadata":{"name":"p","labels":{"k8s-app":"\#(label)"}\#(more)},"status":{"phase":"Running","conditions":"#
            + #"[{"status":"\#(status)","type":"Ready"},{"type":"Initialized","status":"True"}]}}"#
    }

    private static let good = "v1.35.7+kubesolo-v1.2.2"

    static let answers: [(program: String, answer: String, says: String)] = [
        ("node", list("NodeList", node("a", "True", "2026-01-01T00:00:00Z", good)), ""),
        ("node", list("NodeList", node("a", "False", "2026-01-01T00:00:00Z", good)), "node a is not ready: Because"),
        ("node", list("NodeList", node("a", "Unknown", "", good)), "node a is not ready: Because"),
        (
            "node",
            list(
                "NodeList", node("a", "False", "2026-01-01T00:00:00Z", "v0"),
                node("b", "True", "2026-01-02T00:00:00Z", good),
                node("c", "False", "2025-12-31T23:59:59Z", "v0")), ""
        ),
        (
            "node", list("NodeList", node("a", "True", "2026-01-01T00:00:00Z", good + "1")),
            "node a reports v1.35.7+kubesolo-v1.2.21, not kubesolo-v1.2.2"
        ),
        (
            "node", list("NodeList", node("a", "True", "2026-01-01T00:00:00Z", "v1.35.7")),
            "node a reports v1.35.7, not kubesolo-v1.2.2"
        ),
        ("node", list("NodeList"), "no node has registered"),
        ("node", list("PodList"), "the list of nodes cannot be read: it is no NodeList"),
        (
            "node", list("NodeList", #"{"metadata":{"name":"a"},"status":{}}"#),
            "node a is not ready: it has no condition Ready"
        ),
        ("dns", list("PodList", pod("other", "True"), pod("coredns", "True")), ""),
        ("dns", list("PodList", pod("kube-dns", "False"), pod("kube-dns", "True")), ""),
        ("dns", list("PodList", pod("other", "True")), "no CoreDNS pod is ready: there is none"),
        ("dns", list("PodList", pod("coredns", "False")), "no CoreDNS pod is ready: p is Running"),
        (
            "dns", list("PodList", pod("coredns", "True", more: #","deletionTimestamp":"2026-01-01T00:00:00Z""#)),
            "no CoreDNS pod is ready: there is none"
        ),
        ("dns", "", "the list of pods cannot be read: it ends too early"),
        ("dns", "ok", "the list of pods cannot be read: unexpected text"),
        ("dns", #"{"kind":"PodList","items":[]"#, "the list of pods cannot be read: it ends too early"),
        (
            "dns", #"{"kind":"PodList","items":[]}}"#,
            "the list of pods cannot be read: '}' stands where nothing is expected"
        ),
        (
            "dns", #"{"kind":"PodList","items":[}"#,
            "the list of pods cannot be read: '}' stands where value or end is expected"
        ),
        ("dns", #"{"kind" "PodList"}"#, "the list of pods cannot be read: a value stands where : is expected"),
        ("dns", #"{"kind":"PodList",}"#, "the list of pods cannot be read: '}' stands where key is expected"),
        ("dns", #"{"kind":"PodList","items":[01]}"#, "the list of pods cannot be read: unexpected text"),
        (
            "dns", #"{"kind":"PodList" "x":1}"#,
            "the list of pods cannot be read: a value stands where , or end is expected"
        ),
        ("dns", #"{"kind":"Pod"#, "the list of pods cannot be read: it ends too early"),
        ("dns", #"{"kind":"PodList\"}"#, "the list of pods cannot be read: it ends too early"),
        (
            "dns", String(repeating: "[", count: 65),
            "the list of pods cannot be read: '[' stands where value or end is expected"
        ),
    ]

    @Test func `each answer is judged, and what is no JSON is refused`() async throws {
        let sandbox = try Sandbox(Overlay(node: .example(), binary: nil, resources: resources).tree)
        for (number, one) in Self.answers.enumerated() { try sandbox.file("answers/\(number)", one.answer) }
        let script = Self.answers.enumerated().map { number, one in
            """
            said=$(awk -v release=v1.2.2 -f $lib/json.awk -f $lib/\(one.program)-state.awk /answers/\(number)); code=$?
            echo "$code $said"
            """
        }
        let result = try await sandbox.run("lib=/usr/share/ksbuild\n" + script.joined(separator: "\n"))
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.count == Self.answers.count + 1, "\(result.errors)")
        for (line, one) in zip(lines, Self.answers) {
            #expect(line == "\(one.says.isEmpty ? 0 : 1) \(one.says)", "\(one.answer)")
        }
    }

    @Test func `an answer of megabytes on one line takes no more than moments`() async throws {
        let sandbox = try Sandbox(Overlay(node: .example(), binary: nil, resources: resources).tree)
        let pods = Array(repeating: Self.pod("other", "True"), count: 20_000) + [Self.pod("coredns", "True")]
        let answer = #"{"kind":"PodList","items":["# + pods.joined(separator: ",") + "]}"
        try sandbox.file("answer", answer)
        let result = try await sandbox.run(
            """
            lib=/usr/share/ksbuild
            timeout 120 awk -f $lib/json.awk -f $lib/dns-state.awk /answer; echo $?
            """)
        #expect(result.output == "0\n", "\(answer.utf8.count) bytes: \(result.errors)")
    }
}
