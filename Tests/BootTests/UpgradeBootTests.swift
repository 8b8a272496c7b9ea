import Artefact
import Bundle
import Machine
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Upgrades of a node that has data, and the ways back.
@Suite struct UpgradeBootTests {
    /// A store with releases of one node, and its data disk.
    private struct Node: Sendable {
        let folder: FilePath
        var name = "data"
        var disk: FilePath { folder.appending("\(name).raw") }
        var store: BundleStore { BundleStore(folder.appending("out")) }

        init(in folder: FilePath) { self.folder = folder }

        /// The same releases and another data disk.
        func copy(_ number: Int) -> Node {
            var node = self
            node.name = "data-\(number)"
            return node
        }

        /// Publishes a version with a release of KubeSolo.
        func publish(_ version: String, kubesolo: String, _ recipe: String = "") async throws {
            let key = try HostFile.read(Product.lab.pushing("keys/id_ed25519.pub"), limit: 4096)
            let line = String(decoding: key, as: UTF8.self).split(whereSeparator: \.isNewline).joined()
            let text = """
                apiVersion: ksbuild/v1
                name: kubesolo
                hostname: \(BootScenario.hostname)
                kubesolo: { release: \(kubesolo) }
                health: { timeout: 120, stable: 5 }
                access: { users: [ { name: \(BootScenario.user), doas: true, authorizedKeys: ["\(line)"] } ] }
                \(recipe)

                """
            try StagedFile.write(Array(text.utf8), to: folder.appending("\(version).yaml"))
            let result = try await ksbuild(
                "bundle", "--quiet", "--recipe", "\(version).yaml", "--version", version, "--mirror",
                Product.mirror.string, "--iso",
                try BootScenario.one(in: Product.mirror.pushing("alpine/v3.23/releases/x86_64"), ".iso").string,
                "--kubesolo",
                try BootScenario.one(
                    in: Product.lab.pushing("kubesolo").appending(kubesolo), "-linux-amd64-musl-offline.tar.gz"
                ).string, in: folder)
            try #require(result.succeeded, "\(result.errors)")
            let made = try await ksbuild("medium", "--quiet", version, "-o", "\(version).iso", in: folder)
            try #require(made.succeeded, "\(made.errors)")
        }

        /// The machine that boots a version on the data disk.
        func machine(_ version: String) -> BootMachine {
            BootMachine(
                bootImage: folder.appending("\(version).iso"), seedImage: nil,
                dataDisk: .kept(disk, size: BootScenario.diskSize),
                serialLog: folder.appending("\(name)-\(version).log"),
                processors: BootScenario.processors)
        }

        func upgrade(from: String, to: String) async throws -> ProgramResult {
            try await ksbuild(
                "boot", "--upgrade-from", from, "--to", to, "--cpus", "1", "--data-disk", disk.string, "--timeout",
                "\(BootScenario.limit.components.seconds)", in: folder)
        }

        /// A file of the data disk while no machine runs.
        func onDisk(_ path: String) async throws -> String {
            try await run("debugfs", ["-R", "cat \(path)", disk.string]).output
        }

        /// The last value of the object that ``BootTests/putValue`` has made, as the stand-in keeps it.
        func value() async throws -> String? {
            let lines = try await (onDisk("/kine/db/state.db") + onDisk("/kine/db/state.db-wal")).split(separator: "\n")
            return lines.last { $0.contains("\"key\"") && $0.contains("probe") }.map(String.init)
        }
    }

    /// Boots a version until it is healthy, lets something be done, and switches it off by its power button.
    private static func live(
        _ node: Node, _ version: String, _ body: (RunningMachine) async throws -> Void = { _ in }
    ) async throws {
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await node.machine(version).run(accelerator: accelerator) { running in
            _ = try await running.waitForFact("health", "state", "healthy", within: BootScenario.limit)
            try await body(running)
            #expect(try await running.powerdown(within: .seconds(150)))
        }
    }

    /// What the new release's KubeSolo does, and no other's.
    private static func trait(_ trait: String) -> String {
        "printf 'KUBESOLO_STANDIN_%s\n' ONLY=v1.3.0 \(trait) >/var/lib/kubesolo/standin.env; sync"
    }

    @Test(.boots(5))
    func `a release that is never healthy gives way to the old one with its data, and a good one is confirmed`()
        async throws
    {
        let scratch = try Scratch()
        let node = Node(in: scratch.path)
        try await node.publish("1.0.0", kubesolo: "v1.2.2")
        for version in ["2.0.0", "2.0.1"] { try await node.publish(version, kubesolo: "v1.3.0") }
        try await Self.live(node, "1.0.0") { running in
            try await running.root(BootTests.putValue)
            try await running.root(Self.trait("NEVER_READY=1"))
        }

        let failed = try await node.upgrade(from: "1.0.0", to: "2.0.0")
        #expect(failed.exitCode == 3, "\(failed.output)\(failed.errors)")
        let reason = "kubesolo 2.0.0: failed 'kubesolo healthy' "
        #expect(failed.errors.contains(reason) && failed.errors.contains("; 1.0.0 is live again and healthy"))
        #expect(try node.store.current() == Version("1.0.0"))
        #expect(try await node.value()?.contains("of the first boot") == true)
        #expect(try await node.onDisk("/ksbuild/datastore").contains("attempted=v1.2.2\n"))
        let entries = try node.store.history().entries
        #expect(entries.map(\.result) == [.activated, .confirmed, .activated, .rolledBack])
        #expect(entries.last?.occasion.why.contains("upgrade from 1.0.0 to 2.0.0: failed 'kubesolo healthy'") == true)
        #expect(entries.last?.occasion.evidence?.contains("state=unhealthy version=v1.3.0 release=2.0.0") == true)

        // The same KubeSolo, now without what was wrong with it, in another version.
        #expect(try await run("debugfs", ["-w", "-R", "rm /standin.env", node.disk.string]).succeeded)
        let done = try await node.upgrade(from: "1.0.0", to: "2.0.1")
        #expect(done.succeeded, "\(done.output)\(done.errors)")
        #expect(done.output.hasSuffix("upgrade from 1.0.0 to 2.0.1: upgraded\n"))
        #expect(try await node.value()?.contains("of the first boot") == true)
        #expect(try await node.onDisk("/ksbuild/datastore").contains("confirmed=v1.3.0\n"))
        #expect(try node.store.standing().confirmed.map(\.version) == [Version("1.0.0"), Version("2.0.1")])
        #expect(try node.store.history().entries.last?.occasion.evidence?.contains("release=2.0.1") == true)
    }

    @Test(.boots(3)) func `a release that does not even start its kernel gives way to the old one`() async throws {
        let scratch = try Scratch()
        let node = Node(in: scratch.path)
        try await node.publish("1.0.0", kubesolo: "v1.2.2")
        try await node.publish("2.0.0", kubesolo: "v1.2.2", "kernel: { parameters: [\"rdinit=/nothing\"] }")
        let failed = try await node.upgrade(from: "1.0.0", to: "2.0.0")
        #expect(failed.exitCode == 3, "\(failed.output)\(failed.errors)")
        #expect(failed.errors.contains("; 1.0.0 is live again and healthy"), "\(failed.errors)")
        #expect(try node.store.current() == Version("1.0.0"))
        #expect(try node.store.history().entries.map(\.result) == [.activated, .confirmed, .activated, .rolledBack])
    }

    /// Ends the machine in the middle of the first start of a newer KubeSolo, and of the way back from it; then boots one
    /// of the two until it is healthy.
    @Test func `power that fails at thirty instants of upgrades leaves a node with its data`() async throws {
        let scratch = try Scratch()
        let node = Node(in: scratch.path)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await node.publish("1.0.0", kubesolo: "v1.2.2")
        try await node.publish("2.0.0", kubesolo: "v1.3.0")
        let before = node.folder.appending("before.raw")
        let snapshot = node.folder.appending("snapshot.raw")
        @Sendable func copy(_ from: FilePath, _ to: FilePath) async throws {
            #expect(try await run("cp", ["--sparse=always", from.string, to.string]).succeeded)
        }
        try await BootSlots.shared.use(boots: 2) {
            try await Self.live(node, "1.0.0") { running in
                try await running.root(BootTests.putValue)
                // Something to copy, so that a snapshot and a restore take their time.
                try await running.root(
                    "mkdir -p $D; dd if=/dev/urandom of=$D/layer bs=1M count=48 2>/dev/null; sync"
                        .replacing("$D", with: "/var/lib/kubesolo/containerd/registry/example.com"))
                try await running.root(Self.trait("NEVER_READY=1"))
            }
            try await copy(node.disk, before)
            try await node.machine("2.0.0").run(accelerator: accelerator) { running in
                _ = try await running.waitForFact("kubesolo", "state", "starting", within: BootScenario.limit)
                _ = try await running.waitForFact("boot", "state", "complete", within: BootScenario.limit)
                try await running.kill()
            }
        }
        try await copy(node.disk, snapshot)

        var random = SeededGenerator(seed: 2)
        let delays = (0..<30).map { _ in Duration.milliseconds(Int.random(in: 0...6_000, using: &random)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, delay) in delays.enumerated() {
                // In turn in the snapshot before the newer one starts, and in the restore when the older one is back.
                let isUpgrade = number.isMultiple(of: 2)
                let one = node.copy(number)
                group.addTask {
                    try await BootSlots.shared.use(boots: 2) {
                        try await copy(isUpgrade ? before : snapshot, one.disk)
                        try await Self.cut(one, "\(isUpgrade ? "2" : "1").0.0", after: delay)
                        try HostFile.remove(one.disk)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Ends the machine so long after it has its binary, and boots the older version.
    private static func cut(_ node: Node, _ version: String, after delay: Duration) async throws {
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await node.machine(version).run(accelerator: accelerator) { running in
            _ = try await running.waitForFact("stage", "state", "ready", within: BootScenario.limit)
            try await Task.sleep(for: delay)
            try await running.kill()
        }
        try await live(node, "1.0.0")
        let comment: Comment = "\(node.disk): \(version) cut after \(delay)"
        #expect(try await node.value()?.contains("of the first boot") == true, comment)
        let stamp = try await node.onDisk("/ksbuild/datastore")
        #expect(stamp.contains("confirmed=v1.2.2\n") && stamp.contains("opened=v1.2.2\n"), comment)
        #expect(try await run("e2fsck", ["-fn", node.disk.string]).exitCode == 0, comment)
    }
}
