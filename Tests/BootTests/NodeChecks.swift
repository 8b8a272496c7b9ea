import Artefact
import Machine
import SystemPackage
import TestSupport
import Testing

/// What a node that is up must be, looked at from inside over SSH.
extension BootTests {
    /// Every service that the overlay puts into a runlevel is in it and has started, and nothing has crashed.
    static func checkServices(_ node: RunningMachine, _ scenario: BootScenario) async throws {
        let overlay = try BootScenario.one(in: scenario.bundle, ".apkovl.tar.gz")
        let listing = try await run("tar", ["-tzf", overlay.string])
        let wanted = Set(
            listing.output.split(separator: "\n").filter { $0.hasPrefix("etc/runlevels/") && !$0.hasSuffix("/") })
        #expect(wanted.count >= 20)
        let there = try await node.root("cd / && find etc/runlevels -type l | sort")
        let present = Set(there.split(separator: "\n"))
        #expect(wanted.subtracting(present).isEmpty, "missing: \(wanted.subtracting(present))")

        let states = try await node.root("rc-status --format ini --all")
        var level = ""
        var started = 0
        for line in states.split(separator: "\n") {
            if line.hasPrefix("[") {
                level = line.dropFirst().prefix { $0 != "]" }.description
                continue
            }
            let words = line.split(separator: "=", maxSplits: 1).map { $0.split(separator: " ").joined(separator: " ") }
            guard words.count == 2 else { continue }
            #expect(!words[1].contains("crashed"), "\(level): \(line)")
            guard ["sysinit", "boot", "default"].contains(level) else { continue }
            #expect(words[1].hasPrefix("started"), "\(level): \(line)")
            started += 1
        }
        #expect(started >= 20, "\(states)")
    }

    /// The kernel modules are there, from the module loop of the same medium, and those of the recipe are loaded.
    static func checkKernel(_ node: RunningMachine) async throws {
        let script = """
            uname -r; ls /lib/modules; echo loop $(mountpoint /.modloop)
            for module in overlay br_netfilter; do [ -d /sys/module/$module ] && echo loaded $module; done
            echo forward $(cat /proc/sys/net/ipv4/ip_forward)
            echo controllers $(cat /sys/fs/cgroup/cgroup.controllers)
            echo data $(grep ' /var/lib/kubesolo ' /proc/mounts)
            grep ' / ' /proc/self/mountinfo | grep -o shared:
            """
        let said = try await node.root(script)
        let lines = said.split(separator: "\n").map(String.init)
        #expect(lines.count > 2 && lines[0] == lines[1], "\(said)")
        for line in ["loop /.modloop is a mountpoint", "loaded overlay", "loaded br_netfilter", "forward 1", "shared:"]
        {
            #expect(lines.contains(line), "\(line) is not in \(said)")
        }
        #expect(
            lines.contains { $0.hasPrefix("controllers ") && $0.contains("memory") && $0.contains("pids") }, "\(said)")
        #expect(lines.contains { $0.hasPrefix("data /dev/vd") && $0.contains(" ext4 ") }, "\(said)")
    }

    /// KubeSolo runs under supervise-daemon, from the data disk, and is there again after it was killed.
    static func checkSupervision(_ node: RunningMachine) async throws {
        let script = """
            rc-service kubesolo status
            pid=$(cat /run/openrc/options/kubesolo/child_pid)
            readlink -f /proc/$pid/exe
            parent=$(sed -n 's/^PPid:\\t//p' /proc/$pid/status)
            cat /proc/$parent/comm
            kill -9 $pid
            tries=0
            until new=$(cat /run/openrc/options/kubesolo/child_pid) && [ -n "$new" ] && [ "$new" != $pid ] &&
                [ "$(wget -q -T 5 -O - --no-check-certificate https://127.0.0.1:6443/readyz)" = ok ]; do
                tries=$((tries + 1))
                [ $tries -lt 120 ]
                sleep 1
            done 2>/dev/null
            echo killed $pid, now $new
            """
        let said = try await node.root(script, within: .seconds(300))
        let lines = said.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.contains("status: started") }, "\(said)")
        #expect(lines.contains("/var/lib/kubesolo/bin/kubesolo"), "\(said)")
        #expect(lines.contains { $0.hasPrefix("supervise-daem") }, "\(said)")
        #expect(lines.contains { $0.hasPrefix("killed ") }, "\(said)")
    }

    /// The log on the data disk is rotated before it has grown by more than its bound.
    static func checkLogBound(_ node: RunningMachine) async throws {
        let script = """
            head -c 3000000 /dev/zero | tr '\\0' x | fold -w 900 | logger -t kubesolo
            cd /var/lib/kubesolo/logs
            tries=0
            until [ -e messages.0 ] || [ $tries -ge 60 ]; do tries=$((tries + 1)); sleep 1; done
            for file in messages messages.0; do echo $file $(wc -c <$file); done
            """
        let said = try await node.root(script, within: .seconds(300))
        for line in said.split(separator: "\n") {
            let size = line.split(separator: " ").last.flatMap { Int($0) } ?? .max
            #expect(size <= 2_200_000, "\(line)")
        }
        #expect(said.contains("messages.0 "), "\(said)")
    }

    private static let request = """
        ask() {
            wget -q -T 10 -O - --no-check-certificate \\
                --header "Authorization: Bearer $(cat /var/lib/kubesolo/pki/admin/token)" "$@"
        }
        configmaps=https://127.0.0.1:6443/api/v1/namespaces/default/configmaps

        """

    /// Stores a value through the API.
    static let putValue =
        request + #"ask --post-data '{"metadata":{"name":"probe"},"data":{"value":"of the first boot"}}' $configmaps"#

    /// Reads it.
    static let getValue = request + "ask $configmaps/probe"
}
