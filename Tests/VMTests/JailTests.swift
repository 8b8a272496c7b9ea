import Artefact
import Glibc
import LibvirtSupport
import SystemPackage
import TestSupport
import Testing

/// What the host has of the jails: nothing, but for processes in networks of their own.
private enum Host {
    /// The processes in a network namespace, by number.
    static func processes(inNetwork network: String) throws -> [String] {
        try HostFile.names(in: "/proc").filter { name in
            name.allSatisfy(\.isNumber)
                && (try? HostFile.target(ofLink: FilePath("/proc/\(name)/ns/net"))) == network
        }
    }

    /// The mount points that libvirt or a jail has on the host.
    static func mounts(of jail: LibvirtJail) throws -> [String] {
        String(decoding: try HostFile.read("/proc/self/mounts", limit: 1 << 20), as: UTF8.self)
            .split(separator: "\n").map(String.init)
            .filter { $0.contains(" /var/lib/libvirt ") || $0.contains(jail.folder.string) }
    }

    /// The interfaces of the host's network.
    static func interfaces() throws -> Set<String> { Set(try HostFile.names(in: "/sys/class/net")) }

    /// The network namespace of a jail, `net:[NUMBER]`.
    static func network(of jail: LibvirtJail) async throws -> String {
        try await jail.run("readlink", ["/proc/self/ns/net"]).output.filter { $0 != "\n" }
    }

    /// Waits until a file is gone, at most ten seconds.
    static func isGone(_ path: FilePath) async throws -> Bool {
        for _ in 0..<200 where HostFile.exists(path) { try await Task.sleep(for: .milliseconds(50)) }
        return !HostFile.exists(path)
    }
}

@Suite(.serialized) struct JailTests {
    @Test func `the daemon answers and its network is up`() async throws {
        let jail = try await LibvirtJail.shared
        #expect(try await jail.virsh("version").output.contains("Running hypervisor: QEMU"))
        #expect(try await jail.virsh("net-list", "--name").output.contains("default"))
        #expect(try await jail.run("ip", ["-brief", "address", "show", "virbr0"]).output.contains("192.168.122.1/24"))
    }

    @Test func `a machine starts, says its text and heeds its power button`() async throws {
        let jail = try await LibvirtJail.shared
        let scratch = try Scratch()
        let domain = try TalkingDomain("talker", saying: "I am up\r\n", in: jail, scratch)
        let defined = try await jail.virsh("define", "--validate", domain.description.string)
        try #require(defined.succeeded, "\(defined.errors)")
        let started = try await jail.virsh("start", domain.name)
        try #require(started.succeeded, "\(started.errors)")
        #expect(try await domain.waits(for: "I am up", in: jail))
        #expect(try await jail.virsh("shutdown", domain.name, "--mode", "acpi").succeeded)
        #expect(try await domain.state(awaiting: "shut off", in: jail) == "shut off")
        #expect(try await jail.virsh("undefine", domain.name).succeeded)
    }

    @Test func `a program in the jail is where it was started, with its input, environment and end`() async throws {
        let jail = try await LibvirtJail.shared
        let scratch = try Scratch()
        let folder = scratch.path.appending("it's here")
        try HostFile.makeDirectories(folder)
        let said = try await jail.run(
            "sh", ["-c", "pwd; cat; echo; echo \"$A\"; exit 37"], in: folder, environment: ["A": "b c=d"],
            input: "typed")
        #expect(said.output == "\(folder)\ntyped\nb c=d\n")
        #expect(said.exitCode == 37)
        #expect(try await jail.run("sh", ["-c", "kill -TERM $$"]).exitCode == 128 + 15)
        #expect(try await jail.run("no-such-program", []).exitCode == 127)
    }

    @Test func `what is sent to a program reaches it, and it does not outlive a kill`() async throws {
        let jail = try await LibvirtJail.shared
        let scratch = try Scratch()
        let script =
            "trap 'echo heard; exit 9' TERM; echo up; n=0; while [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done"
        let outer = """
            rm -f out; "$@" >out & child=$!
            while [ ! -s out ]; do sleep 0.05; done
            kill -$SIGNAL $child; wait $child; echo $?; cat out
            """
        let words = ["-c", outer, "sh", LibvirtJail.jail] + jail.words("sh", ["-c", script])
        let asked = try await run("sh", words, in: scratch.path, environment: ["SIGNAL": "TERM"])
        #expect(asked.output == "9\nup\nheard\n")
        let marked = ["-c", outer, "sh", LibvirtJail.jail] + jail.words("sh", ["-c", "echo up; exec sleep 86399"])
        let killed = try await run("sh", marked, in: scratch.path, environment: ["SIGNAL": "KILL"])
        #expect(killed.output == "137\nup\n")
        // pgrep ends with 1 when it finds none.
        var left = 0
        for _ in 0..<100 where left == 0 {
            left = try await jail.run("pgrep", ["-f", "^sleep 86399"]).exitCode
            if left == 0 { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(left == 1)
    }

    @Test func `a plain user has a session and no right to the system's machines`() async throws {
        let jail = try await LibvirtJail.shared
        let refused = try await jail.run(
            "virsh", ["--connect", "qemu:///system", "list"], as: LibvirtJail.plainUser)
        #expect(refused.exitCode == 1)
        #expect(refused.errors.contains("Permission denied"))
        let session = try await jail.run("virsh", ["--connect", "qemu:///session", "uri"], as: LibvirtJail.plainUser)
        #expect(session.output.contains("qemu:///session"))
        let home = try await jail.run("sh", ["-c", "cd && pwd"], as: LibvirtJail.plainUser)
        #expect(home.output == "\(LibvirtJail.plainHome)\n")
    }

    @Test func `the daemon goes and comes back, and machines go on`() async throws {
        let jail = try await LibvirtJail()
        let scratch = try Scratch()
        let domain = try TalkingDomain("lasting", saying: "still here\r\n", in: jail, scratch)
        #expect(try await jail.virsh("create", domain.description.string).succeeded)
        try await jail.stopDaemon()
        let refused = try await jail.virsh("list")
        #expect(refused.exitCode == 1)
        #expect(refused.errors.contains("Failed to connect socket"))
        #expect(try await domain.waits(for: "still here", in: jail))
        try await jail.startDaemon()
        #expect(try await domain.state(awaiting: "running", in: jail) == "running")
        try await jail.stop()
    }

    @Test func `the host has no part of it, while it runs and after it was stopped with a machine on`() async throws {
        let interfaces = try Host.interfaces()
        let jail = try await LibvirtJail()
        let scratch = try Scratch()
        let domain = try TalkingDomain("orphan", saying: "on\r\n", in: jail, scratch)
        #expect(try await jail.virsh("create", domain.description.string).succeeded)
        #expect(try await domain.waits(for: "on", in: jail))
        let network = try await Host.network(of: jail)
        let here = try HostFile.target(ofLink: "/proc/self/ns/net")
        #expect(network != here)
        // The holder, virtlogd, libvirtd, dnsmasq twice, QEMU.
        #expect(try Host.processes(inNetwork: network).count >= 6)
        #expect(try Host.interfaces() == interfaces)
        #expect(try Host.mounts(of: jail) == [])
        try await jail.stop()
        #expect(try Host.processes(inNetwork: network) == [])
        #expect(try Host.interfaces() == interfaces)
        #expect(!HostFile.exists(jail.folder))
    }

    @Test func `no machine outlives tests that are killed`() async throws {
        let scratch = try Scratch()
        let folder = scratch.path.string
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
            let jail = try await LibvirtJail.shared
            let mine = try Scratch()
            let domain = try TalkingDomain("left", saying: "on\r\n", in: jail, mine)
            guard try await jail.virsh("create", domain.description.string).succeeded else { return }
            let words = "\(try await Host.network(of: jail)) \(jail.folder) \(mine.path)"
            try StagedFile.write(Array(words.utf8), to: FilePath(folder).appending("words"))
            _ = kill(getpid(), SIGKILL)
        }
        let text = String(decoding: try HostFile.read(scratch.path.appending("words"), limit: 4096), as: UTF8.self)
        let words = text.split(separator: " ").map(String.init)
        try #require(words.count == 3)
        #expect(try await Host.isGone(FilePath(words[1])))
        #expect(try Host.processes(inNetwork: words[0]) == [])
        try HostFile.removeTree(FilePath(words[2]))
    }
}
