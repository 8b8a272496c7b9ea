import Artefact
import Glibc
import MachineSamples
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// Machines that do not start, stop or go on as they should, on QEMU alone.
///
/// One at a time: a guest takes a processor for itself, whether it has something to do or not.
@Suite(.serialized) struct VMRunTests {
    @Test func `a disk that another machine uses is not used twice`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        try #require(try await project.vm(["create", "--name", "twin"] + TalkingProject.plain).exitCode == 0)
        let twin = project.folder("twin").appending("data.qcow2")
        try HostFile.remove(twin)
        try #require(
            try await run("ln", ["-s", project.folder().appending("data.qcow2").string, twin.string]).succeeded)
        try #require(try await project.vm("start", "--name", "node", "--no-wait").exitCode == 0)
        let second = try await project.vm("start", "--name", "twin", "--no-wait")
        #expect(second.exitCode == 75)
        #expect(
            second.complaint.hasPrefix(
                "ksbuild: twin: its data disk is in use by another machine; stop that one first (qemu-system-x86_64: "),
            "\(second.errors)")
        #expect(second.complaint.split(separator: "\n").count == 1)
    }

    @Test func `a port that is taken is said with what gives others`() async throws {
        let project = try TalkingProject()
        try project.publish("1.0.0")
        try project.activate("1.0.0")
        let holder = try await OddServer(in: project.scratch)
        let same = try await project.vm(
            ["create", "--ssh-port", "\(holder.port)", "--api-port", "\(holder.port)"] + TalkingProject.plain)
        #expect(same.exitCode == 64)
        #expect(
            same.complaint
                == "ksbuild: the ports of the user network: cannot be \(holder.port) and \(holder.port); give two that"
                + " differ, from 1 to 65535")
        let made = try await project.vm(["create", "--ssh-port", "\(holder.port)"] + TalkingProject.plain)
        try #require(made.exitCode == 0, "\(made.errors)")
        let started = try await project.vm("start")
        #expect(started.exitCode == 75)
        #expect(
            started.complaint.contains(
                ": a port that leads to it is taken by another program; end that, or give others with 'ksbuild vm destroy'"
                    + " and 'ksbuild vm create --ssh-port N --api-port N'"), "\(started.errors)")
    }

    @Test func `a node that does not heed its power button still runs, until its power is cut`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make(.deaf).exitCode == 0)
        try #require(try await project.vm("start", "--timeout", "60").exitCode == 0)
        let asked = try await project.vm("stop", "--stop-timeout", "1")
        #expect(asked.exitCode == 3)
        #expect(
            asked.complaint
                == "ksbuild: node: has not shut down within 1 s and still runs; --force cuts its power then")
        #expect(try await project.state() == "running")
        // An upgrade begins with the same, and takes nothing of it back but itself.
        try project.publish("1.1.0")
        let upgrade = try await project.vm("upgrade", "--stop-timeout", "1")
        #expect(upgrade.exitCode == 3)
        #expect(upgrade.complaint == asked.complaint)
        #expect(try await project.state() == "running")
        #expect(!HostFile.exists(project.folder().appending("replacement.json")))
        let forced = try await project.vm("upgrade", "--stop-timeout", "1", "--force", "--timeout", "60")
        #expect(forced.exitCode == 0, "\(forced.errors)")
        #expect(try await project.vm("stop", "--stop-timeout", "30").exitCode == 0)
        #expect(try await project.state() == "off")
    }

    @Test func `two commands do not change one machine at once, and Ctrl-C ends the first alone`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make(.silent).exitCode == 0)
        let waiting = try project.background("start", "--timeout", "600")
        try await waiting.says("waiting until node is healthy")
        let second = try await project.vm("stop", "--force")
        #expect(second.exitCode == 75)
        #expect(
            second.complaint
                == "ksbuild: node: another ksbuild is changing this virtual machine; try again when it has ended")
        let end = try await waiting.end(by: "INT")
        #expect(end.exitCode == 130)
        #expect(end.complaint == "ksbuild: 1.0.0: is being waited for no longer; the machine goes on")
        #expect(try await project.state() == "running")
        let later = try await project.vm("start", "--timeout", "1")
        #expect(later.exitCode == 3)
        #expect(later.errors.contains("node runs already\n"))
        #expect(later.complaint.hasPrefix("ksbuild: node: 1.0.0 is not well: not healthy within 1.0 s; see /"))
    }

    @Test func `a machine that ends while it is waited for is said to be off`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make(.silent).exitCode == 0)
        let waiting = try project.background("start", "--timeout", "600")
        try await waiting.says("waiting until node is healthy")
        let number = String(
            decoding: try HostFile.read(project.folder().appending("qemu.pid"), limit: 64), as: UTF8.self)
        let process = try #require(pid_t(number.filter(\.isNumber)))
        #expect(kill(process, SIGKILL) == 0)
        let end = try await waiting.end()
        #expect(end.exitCode == 3)
        #expect(end.complaint.hasPrefix("ksbuild: node: 1.0.0 is not well: the machine is off; see /"), "\(end.errors)")
        #expect(try await project.state() == "off")
    }

    @Test func `an output directory may be called anything`() async throws {
        let project = try TalkingProject(out: "it's \"R&D\" <1>, 100% é/ü")
        try #require(try await project.make().exitCode == 0)
        let started = try await project.vm("start", "--timeout", "60")
        #expect(started.exitCode == 0, "\(started.errors)")
        #expect(try await project.vm("ip").output == "10.0.2.15\n")
        #expect(try await project.vm("stop").exitCode == 0)
    }

    @Test func `a node without an address is said to have none`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make(.silent).exitCode == 0)
        let off = try await project.vm("ip")
        #expect(off.exitCode == 75)
        #expect(off.complaint == "ksbuild: node: is off; 'ksbuild vm start' starts it")
        try #require(try await project.vm("start", "--no-wait").exitCode == 0)
        let result = try await project.vm("ip", "--wait", "1")
        #expect(result.exitCode == 3)
        #expect(
            result.complaint
                == "ksbuild: node: has no address that libvirt, its agent or its console would know; 'ksbuild vm console'"
                + " shows what it says")
    }
}
