import Artefact
import Machine
import SystemPackage
import TestSupport
import Testing

/// Real Alpine boots from bundles, each situation once.
@Suite struct BootTests {
    @Test(.boots(2)) func `a first boot brings up all that the recipe says, and a second one finds it as it was left`()
        async throws
    {
        let scratch = try Scratch()
        // Two packages that only the repository on the seed holds, two levels below its root.
        let recipe = "health: { stable: 30 }\npackages: [iptables, nftables]"
        let scenario = try await BootScenario(in: scratch.path, recipe: recipe)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        let disk = BootMachine.DataDisk.kept(scratch.path.appending("data.raw"), size: BootScenario.diskSize)

        let first = try await scenario.machine(dataDisk: disk, named: "first").run(accelerator: accelerator) { node in
            let report = try await scenario.test(hostKeyState: "made").judge(node)
            try #require(report.isHealthy, "\(report.table)")
            #expect(report[.dataMounted]?.evidence.contains("state=formatted") == true)
            #expect(try await node.root("apk info -e iptables nftables") == "iptables\nnftables\n")
            try await Self.checkServices(node, scenario)
            try await Self.checkKernel(node)
            try await Self.checkSupervision(node)
            try await Self.checkLogBound(node)
            try await node.root(Self.putValue)
            let key = try await node.pinHostKey()
            let didPowerOff = try await node.powerdown(within: .seconds(240))
            #expect(didPowerOff)
            return key
        }

        // The disk has grown meanwhile.
        let larger = BootMachine.DataDisk.kept(scratch.path.appending("data.raw"), size: BootScenario.diskSize * 2)
        let extended = try await run(
            "truncate", ["-s", "\(BootScenario.diskSize * 2)", scratch.path.appending("data.raw").string])
        try #require(extended.succeeded, "\(extended.errors)")
        try await scenario.machine(dataDisk: larger, named: "second").run(accelerator: accelerator) { node in
            let report = try await scenario.test(hostKeyState: "kept").judge(node)
            try #require(report.isHealthy, "\(report.table)")
            let data = report[.dataMounted]?.evidence ?? ""
            #expect(data.contains("state=mounted"))
            #expect(
                data.contains("grown_from=\(BootScenario.diskSize) grown_to=\(BootScenario.diskSize * 2)"), "\(data)")
            let second = try await node.pinHostKey()
            #expect(second == first)
            let value = try await node.root(Self.getValue)
            #expect(value.contains("\"of the first boot\""))
            let log = try await node.root("cat /var/lib/kubesolo/logs/messages*")
            #expect(log.contains("kubesolo stopped cleanly"))
        }
    }

    @Test(.boots(1)) func `without a data disk KubeSolo refuses, and the node is reached with a fresh host key`()
        async throws
    {
        let scratch = try Scratch()
        let scenario = try await BootScenario(in: scratch.path)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await scenario.machine(dataDisk: nil).run(accelerator: accelerator) { node in
            let test = scenario.test(hostKeyState: "fresh", refused: BootScenario.withoutData)
            let report = try await test.judge(node)
            try #require(report.isHealthy, "\(report.table)")
            #expect(report[.dataMounted]?.evidence.contains("state=missing") == true)
            let state = try await node.root("mountpoint /var/lib/kubesolo || true; pgrep -f /kubesolo/bin || echo none")
            #expect(state.contains("none"), "\(state)")
            await node.type("\n")
            try await node.waitForText("\(BootScenario.hostname) login:", within: .seconds(120))
        }
    }

    @Test(.boots(1)) func `without a lease the node comes up and says so, and KubeSolo starts once there is one`()
        async throws
    {
        let scratch = try Scratch()
        let scenario = try await BootScenario(in: scratch.path)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await scenario.machine().run(accelerator: accelerator) { node in
            try await node.setCable(connected: false)
            _ = try await node.waitForFact("boot", "state", "complete", within: BootScenario.limit)
            let waiting = try await node.waitForFact("kubesolo", "state", "waiting", within: .seconds(120))
            #expect(waiting["reason"] == "no DHCP lease on eth0")
            await node.type("\n")
            try await node.waitForText("\(BootScenario.hostname) login:", within: .seconds(120))
            let address = try await node.waitForFact("address", "state", "none", within: .seconds(240))
            #expect(address["interface"] == "eth0")
            try await node.setCable(connected: true)
            _ = try await node.waitForFact("kubesolo", "state", "starting", within: .seconds(240))
            _ = try await node.waitForFact("health", "state", "healthy", within: .seconds(240))
        }
    }

    @Test(.boots(1)) func `a damaged data disk is refused and not formatted, and the node is reached`() async throws {
        let scratch = try Scratch()
        let scenario = try await BootScenario(in: scratch.path)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        let disk = scratch.path.appending("data.raw")
        let script = """
            truncate -s \(BootScenario.diskSize) "$1"; mkfs.ext4 -q -L KUBESOLO -U 11111111-2222-3333-4444-555555555555 "$1"
            debugfs -w -R 'clri <2>' "$1" 2>/dev/null
            """
        let made = try await run("sh", ["-euc", script, "sh", disk.string])
        try #require(made.succeeded, "\(made.errors)")
        try await scenario.machine(dataDisk: .kept(disk, size: BootScenario.diskSize)).run(accelerator: accelerator) {
            node in
            let test = scenario.test(hostKeyState: "fresh", refused: BootScenario.withoutData)
            let report = try await test.judge(node)
            try #require(report.isHealthy, "\(report.table)")
            #expect(report[.dataMounted]?.evidence.contains("e2fsck") == true)
        }
        let identity = try await run("dumpe2fs", ["-h", disk.string])
        #expect(identity.output.contains("11111111-2222-3333-4444-555555555555"))
    }

    @Test(.boots(1)) func `when the users cannot be made, the console lets nobody in without a password`() async throws
    {
        let scratch = try Scratch()
        let layer = scratch.path.pushing("broken/usr/libexec/ksbuild")
        try HostFile.makeDirectories(layer)
        try StagedFile.write(Array("#!/bin/sh\nexit 1\n".utf8), to: layer.appending("users"), mode: EntryMode(0o755))
        let scenario = try await BootScenario(in: scratch.path, recipe: "layers: [broken]")
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await scenario.machine().run(accelerator: accelerator) { node in
            _ = try await node.waitForFact("boot", "state", "complete", within: BootScenario.limit)
            for user in ["root", BootScenario.user] {
                await node.type("\n")
                try await node.waitForText("login:", within: .seconds(120))
                await node.type("\(user)\n")
                try await node.wait(for: "an answer to \(user)", within: .seconds(120)) { node in
                    node.consoleSinceTyping.contains("assword:") || node.consoleSinceTyping.contains("incorrect")
                        ? () : nil
                }
                if await node.consoleSinceTyping.contains("assword:") {
                    await node.type("\n")
                }
                // Whoever was let in would see a shell's prompt instead of being asked again.
                try await node.waitForText("incorrect", within: .seconds(120))
                try await node.waitForText("login:", within: .seconds(120))
                let answer = await node.consoleSinceTyping
                #expect(!answer.contains("# ") && !answer.contains("$ "), "\(answer)")
            }
        }
    }

    @Test(.boots(1)) func `the command boots a node with a static address under UEFI and writes a JUnit report`()
        async throws
    {
        let scratch = try Scratch()
        let recipe = """
            network:
              interfaces:
                eth0: { addresses: [10.0.2.15/24], gateway4: 10.0.2.2 }
            """
        _ = try await BootScenario(in: scratch.path, recipe: recipe)
        let result = try await ksbuild(
            "boot", "1.0.0", "--uefi", "--cpus", "1", "--expect-address", "10.0.2.15/24", "--junit", "report.xml",
            "--timeout", "\(BootScenario.limit.components.seconds)",
            "--ssh-key", BootScenario.login.identity.string, "--ssh-user", BootScenario.user, in: scratch.path)
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        let report = String(
            decoding: try HostFile.read(scratch.path.appending("report.xml"), limit: 1 << 20), as: UTF8.self)
        #expect(report.contains("tests=\"12\" failures=\"0\""))
        #expect(report.contains("<property name=\"firmware\" value=\"uefi\"/>"))
    }

    @Test(.boots(1)) func `a damaged overlay ends the boot in the recovery shell, and the screen gives it away`()
        async throws
    {
        let scratch = try Scratch()
        let scenario = try await BootScenario(in: scratch.path)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        var machine = try scenario.machine()
        let damage = """
            mkdir tree; cp "$1"/*.apkovl.tar.gz tree/; chmod u+w tree/*
            truncate -s -4000 tree/*.apkovl.tar.gz
            xorrisofs -quiet -volid cidata -joliet -rational-rock -output damaged.iso tree
            """
        let made = try await run("sh", ["-euc", damage, "sh", scenario.bundle.string], in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        machine.seedImage = scratch.path.appending("damaged.iso")
        let report = try await scenario.test().run(machine, accelerator: accelerator)
        #expect(report.guestFailure != nil, "\(report.table)")
        #expect(report.failure?.failureClass == .unhealthy)
    }
}
