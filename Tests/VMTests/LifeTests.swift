import Artefact
import Bundle
import LibvirtSupport
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// The life of a node in a virtual machine, from an empty project to a machine that is gone, by the targets of its
/// Makefile alone.
@Suite struct LifeTests {
    @Test func `every target of the Makefile works on libvirt`() async throws {
        try await BootSlots.shared.use(boots: 8) { try await Self.live(on: .libvirt) }
    }

    @Test func `every target of the Makefile works on QEMU alone`() async throws {
        try await BootSlots.shared.use(boots: 8) { try await Self.live(on: .plain) }
    }

    @Test func `a user without rights lives in a session of his own`() async throws {
        try await BootSlots.shared.use(boots: 1) { try await Self.liveInSession() }
    }

    private static func liveInSession() async throws {
        let scratch = try Scratch()
        let project = try await NodeProject(.session, in: scratch.path)
        try await project.bundle("1.0.0")
        let store = BundleStore(project.folder.appending("out"))
        _ = try store.activate(Version("1.0.0"), Occasion(when: 1_792_022_400, who: "test", why: "test"))
        try await project.handOver()
        do {
            let up = try await project.make("up", ["ARGS": "--timeout \(NodeProject.timeout)"])
            try #require(up.succeeded, "\(up.output)\(up.errors)")
            #expect(up.output.contains("ssh     127.0.0.1 port "), "\(up)")
            #expect(try await project.must("info").contains("libvirt at qemu:///session"))
            #expect(try await project.must("ssh", ["ARGS": "hostname"]) == "edge-001\n")
            #expect(try await project.must("kubectl", ["ARGS": "get nodes"]).contains("edge-001"))
            try await project.must("stop")
            let before = try await project.published()
            try await project.must("destroy", ["ARGS": "--yes --data"])
            #expect(try await project.published() == before)
        } catch {
            await project.end()
            throw error
        }
    }

    private static func live(on host: NodeProject.Host) async throws {
        let scratch = try Scratch()
        let project = try await NodeProject(host, in: scratch.path)
        do {
            try await prepare(project)
            try await rise(project)
            try await use(project)
            try await replace(project)
            try await stopAndGo(project)
            try await leave(project)
        } catch {
            await project.end()
            throw error
        }
        await project.end()
    }

    /// help, setup, check, version, download, check-updates.
    private static func prepare(_ project: NodeProject) async throws {
        let help = try await project.must("help")
        let listed = Set(help.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
        let promised = """
            help up down setup check download create start stop restart destroy ssh console ip status info logs
            kubesolo-status kubesolo-restart kubectl kubeconfig upgrade rollback clean clean-all version check-updates
            """
        #expect(listed == Set(promised.split(whereSeparator: \.isWhitespace).map(String.init)))
        if project.host == .libvirt {
            // The packages are there, the daemon answers, its network is up: there is nothing to do.
            let setup = try await project.make("setup", ["ARGS": "--yes"])
            #expect(setup.succeeded && (setup.output + setup.errors).contains("nothing to do"), "\(setup)")
            try await project.must("check")
        } else {
            try await project.must("setup", ["ARGS": "--dry-run"])
            try await project.must("check", ["ARGS": "--backend plain"])
        }
        let mirror = "--mirror \(try await project.mirror())"
        try await project.must("download", ["ARGS": mirror])
        #expect(HostFile.exists(project.folder.appending("ksbuild.lock")))
        // Newer releases are there: findings, which make tells as its own failure.
        let updates = try await project.make("check-updates", ["ARGS": mirror])
        #expect(updates.output.contains("v1.3.0"), "\(updates)")
        try await project.must("version")
    }

    /// up: fetches nothing more, bundles, creates, starts, waits, and prints the ways in.
    private static func rise(_ project: NodeProject) async throws {
        let backend = project.host == .plain ? "--backend plain " : ""
        let up = try await project.make(
            "up",
            [
                "ARGS": "\(backend)--timeout \(NodeProject.timeout)", "VM_MEMORY": "1100", "DATA_DISK_SIZE": "3",
                "SSH_USER": "alpine", "ALPINE_VERSION": "3.23", "ALPINE_MINOR": "6",
            ])
        try #require(up.succeeded, "\(up.output)\(up.errors)")
        #expect(up.output.contains("is healthy: health state=healthy version=v1.2.2 release=0.1.0"))
        #expect(up.output.contains("ksbuild vm kubectl get nodes"))
        let info = try await project.must("info")
        #expect(info.contains("1100 MiB") && info.contains(", 3072 MiB"), "\(info)")
    }

    /// status, ip, ssh, console, logs, kubesolo-status, kubesolo-restart, kubectl, kubeconfig.
    private static func use(_ project: NodeProject) async throws {
        let status = try await project.must("status", ["ARGS": "--json"])
        #expect(status.contains("\"health\" : \"healthy\"") && status.contains("\"state\" : \"running\""))
        let address = try await project.must("ip")
        #expect(address.hasPrefix(project.host == .plain ? "10.0.2." : "192.168.122."))
        // Exit codes are handed on; make has its own for every failure.
        #expect(try await project.must("ssh", ["ARGS": "hostname"]) == "edge-001\n")
        let failed = try await project.run(
            Product.ksbuild.string, ["vm", "ssh", "--identity", "key", "--", "sh", "-c", "'echo out; exit 37'"])
        #expect(failed.exitCode == 37 && failed.output == "out\n", "\(failed)")
        #expect(try await project.must("logs", ["ARGS": "-n 500"]).contains("kubesolo"))
        #expect(try await project.must("kubesolo-status").contains("status: started"))
        let script = """
            set timeout 60
            spawn -noecho make \(try project.words("console").map { "{\($0)}" }.joined(separator: " "))
            sleep 2
            send "\\r"
            expect { "edge-001 login:" {} timeout { exit 8 } }
            send "\\x1d"
            expect { eof {} timeout { exit 9 } }
            """
        let console = try await project.run("expect", ["-c", script])
        #expect(console.exitCode == 0, "\(console)")
        let config = try await project.must("kubeconfig")
        #expect(config.contains("name: \(project.name)") && !config.contains("https://127.0.0.1:6443"))
        let nodes = try await project.make("kubectl", ["ARGS": "get nodes"])
        #expect(nodes.output.contains("edge-001") && nodes.output.contains("Ready"), "\(nodes)")
        try await project.must("kubesolo-restart")
        for file in ["kubeconfig", "known_hosts", "console.log"] {
            let path = project.folder.pushing("out/vm").appending(project.name).appending(file)
            #expect(try HostFile.status(of: path).mode.bits & 0o077 == 0, "\(file)")
        }
    }

    /// upgrade to a version that is well, to one that never is, and rollback.
    private static func replace(_ project: NodeProject) async throws {
        try await project.root("echo one >/var/lib/kubesolo/mine; sync")
        try await project.bundle("1.0.0")
        let good = try await project.make("upgrade", ["ARGS": "--timeout \(NodeProject.timeout)"])
        #expect(good.succeeded && good.output.hasSuffix("1.0.0 is live, healthy and confirmed\n"), "\(good)")
        #expect(try await project.must("ssh", ["ARGS": "cat /var/lib/kubesolo/mine"]) == "one\n")

        try await project.writeRecipe(kubesolo: "v1.3.0")
        try await project.bundle("2.0.0")
        try await project.root(
            "printf 'KUBESOLO_STANDIN_%s\\n' ONLY=v1.3.0 NEVER_READY=1 >/var/lib/kubesolo/standin.env; sync")
        let bad = try await project.make(
            "upgrade", ["VERSION": "2.0.0", "ARGS": "--timeout \(NodeProject.timeout)"])
        #expect(!bad.succeeded && bad.errors.contains("Error 3"), "\(bad)")
        #expect(bad.errors.contains("ksbuild: 1.0.0: is live again and healthy, with its data of before, because"))
        #expect(try await project.must("ssh", ["ARGS": "cat /var/lib/kubesolo/mine"]) == "one\n")
        let store = BundleStore(project.folder.appending("out"))
        #expect(try store.current() == Version("1.0.0"))
        #expect(try store.history().entries.last?.occasion.why.contains("not healthy") == true)

        let back = try await project.make("rollback", ["ARGS": "--timeout \(NodeProject.timeout)"])
        #expect(back.succeeded && back.output.hasSuffix("0.1.0 is live, healthy and confirmed\n"), "\(back)")
        #expect(try store.current() == Version("0.1.0"))
        #expect(try await project.must("ssh", ["ARGS": "cat /var/lib/kubesolo/mine"]) == "one\n")
        let image = project.folder.pushing("out/vm").appending(project.name).appending("data.qcow2")
        let snapshots = try await TestSupport.run("qemu-img", ["snapshot", "-U", "-l", image.string])
        #expect(snapshots.succeeded && snapshots.output.isEmpty, "\(snapshots)")
    }

    /// restart, stop, start, down.
    private static func stopAndGo(_ project: NodeProject) async throws {
        try await project.must("restart", ["ARGS": "--timeout \(NodeProject.timeout)"])
        #expect(try await project.must("ssh", ["ARGS": "cat /var/lib/kubesolo/mine"]) == "one\n")
        try await project.must("stop")
        let status = try await project.make("status")
        #expect(!status.succeeded && status.output.contains("state      off"), "\(status)")
        try await project.must("start", ["ARGS": "--no-wait"])
        try await project.must("down", ["ARGS": "--stop-timeout 0 --force"])
    }

    /// create, destroy, clean, clean-all: what was published is still there byte for byte.
    private static func leave(_ project: NodeProject) async throws {
        let before = try await project.published()
        #expect(before.split(separator: "\n").count > 10)
        let again = try await project.make("create")
        #expect(!again.succeeded && again.errors.contains("exists already"), "\(again)")
        let vm = project.folder.pushing("out/vm").appending(project.name)
        try await project.must("destroy", ["ARGS": "--yes"])
        #expect(try HostFile.names(in: vm).filter { !$0.hasPrefix(".") } == ["data.qcow2"])
        // Made again on the disk that stayed.
        let backend = project.host == .plain ? "--backend plain" : ""
        try await project.must("create", ["ARGS": backend])
        #expect(try await project.must("info").contains(", 3072 MiB"))
        try await project.must("destroy", ["ARGS": "--yes --data"])
        #expect(!HostFile.exists(vm))
        try await project.must("clean")
        // Without a terminal nobody agrees.
        try await project.must("clean-all")
        #expect(try await project.published() == before)
        if project.host == .libvirt {
            #expect(
                try await LibvirtJail.shared.virsh("list", "--all", "--name").output.contains(project.name) == false)
        }
    }
}
