import Artefact
import Machine
import SystemPackage
import TestSupport
import Testing

/// Nodes that start and are not well: each says why on its console, and the command that boots them fails.
@Suite(.boots(4)) struct HealthBootTests {
    @Test func `a KubeSolo that ends, is never ready or is another one gives its own reason, and recovery is said`()
        async throws
    {
        let scratch = try Scratch()
        let scenario = try await BootScenario(in: scratch.path, recipe: "health: { timeout: 70, stable: 30 }")
        // The data disk brings what the stand-in is told: it ends 20 seconds after each start.
        let disk = scratch.path.appending("data.raw")
        let script = """
            mkdir tree; echo KUBESOLO_STANDIN_CRASH_AFTER=20 >tree/standin.env
            truncate -s \(BootScenario.diskSize) "$1"; mkfs.ext4 -q -L KUBESOLO -d tree "$1"
            """
        let made = try await run("sh", ["-euc", script, "sh", disk.string], in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")

        let result = try await ksbuild(
            "boot", "1.0.0", "--cpus", "1", "--data-disk", disk.string, "--timeout", "300", in: scratch.path)
        #expect(result.exitCode == 3, "\(result.output)\(result.errors)")
        #expect(result.output.contains("health state=unhealthy version=v1.2.2 release=1.0.0 reason=\"KubeSolo ended "))

        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await scenario.machine(dataDisk: .kept(disk, size: BootScenario.diskSize)).run(accelerator: accelerator) {
            node in
            _ = try await node.waitForFact("boot", "state", "complete", within: BootScenario.limit)
            for (knob, reason) in [
                ("NEVER_READY=1", "https://127.0.0.1:6443/readyz says 500: [-]poststarthook failed"),
                ("REPORT_VERSION=v1.3.0", "reports v1.36.6+kubesolo-v1.3.0, not kubesolo-v1.2.2"),
                ("DNS_NOT_READY=1", "no CoreDNS pod is ready: coredns-5c6b9d7f9-x2x4z is Pending"),
            ] {
                try await node.root(Self.restart(knob))
                let fact = try await node.wait(for: "the reason of \(knob)", within: .seconds(240)) { node in
                    node.facts.last { $0.subject == "health" && $0["reason"]?.contains(reason) == true }
                }
                #expect(fact["state"] == "unhealthy" && fact["release"] == "1.0.0")
            }
            try await node.root("echo >/var/lib/kubesolo/standin.env; rc-service kubesolo restart")
            let fact = try await node.waitForFact("health", "state", "healthy", within: .seconds(240))
            #expect(fact["version"] == "v1.2.2" && fact["release"] == "1.0.0")
            let kept = try await node.root(
                "cat /var/lib/kubesolo/health /var/lib/kubesolo/ksbuild/datastore; cat /etc/issue")
            #expect(kept.contains("health state=healthy version=v1.2.2 release=1.0.0\n"), "\(kept)")
            #expect(kept.contains("confirmed=v1.2.2\n") && kept.contains("eth0: 10.0.2.15/24\n"), "\(kept)")
        }
    }

    /// Starts KubeSolo and the gate anew, KubeSolo with one trait.
    private static func restart(_ knob: String) -> String {
        """
        echo KUBESOLO_STANDIN_\(knob) >/var/lib/kubesolo/standin.env
        rc-service ksbuild-health stop; rc-service kubesolo restart; rc-service ksbuild-health start
        """
    }
}
