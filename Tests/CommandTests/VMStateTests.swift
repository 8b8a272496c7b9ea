import Artefact
import Glibc
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Machines that are not as a command needs them: what it says, and its exit code.
@Suite(.serialized) struct VMStateTests {
    @Test func `a machine that exists is not made again, and one that does not is not started`() async throws {
        let project = try TalkingProject()
        let none = try await project.vm("start", "--name", "other")
        #expect(none.exitCode == 66)
        #expect(
            none.complaint
                == "ksbuild: other: there is no virtual machine of this name here; 'ksbuild vm create' makes it")
        try #require(try await project.make().exitCode == 0)
        let again = try await project.vm(["create", "--name", "node"] + TalkingProject.plain)
        #expect(again.exitCode == 73)
        #expect(again.complaint.hasPrefix("ksbuild: node: exists already; 'ksbuild vm start' starts it, "))
    }

    @Test(arguments: ["a b", "it's", "\"x\"", "R&D", "../x", "a/b", "ü", ".x", "a\nb"])
    func `a name that others could misread is refused by every command, and leaves nothing`(name: String) async throws {
        let project = try TalkingProject()
        try project.publish("1.0.0")
        try project.activate("1.0.0")
        for command in [["create"] + TalkingProject.plain, ["start"], ["status"], ["destroy", "--yes"]] {
            let result = try await project.vm(command + ["--name=\(name)"])
            #expect(result.exitCode == 64, "\(command)")
            #expect(
                result.complaint.hasPrefix("ksbuild: the name of a virtual machine: cannot be \"\(name.escaped)\"; "))
        }
        #expect(!HostFile.exists(project.out.appending("vm")))
        #expect(try HostFile.names(in: project.scratch.path) == ["out"])
    }

    @Test func `of several machines one must be named, and a disk that was left behind is none`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make(name: "one").exitCode == 0)
        try #require(try await project.vm(["create", "--name", "two"] + TalkingProject.plain).exitCode == 0)
        let which = try await project.vm("start")
        #expect(which.exitCode == 64)
        #expect(
            which.complaint
                == "ksbuild: \(project.out)/vm: has several machines (one, two); say which with --name")
        #expect(try await project.vm("destroy", "--yes", "--name", "one").exitCode == 0)
        #expect(HostFile.exists(project.folder("one").appending("data.qcow2")))
        #expect(try await project.vm("info").output.hasPrefix("name        two\n"))
    }

    @Test func `a QEMU that has closed its monitor and is about to end counts as off`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        let ending = """
            import fcntl, os, socket, sys, time
            lock = open("qemu.pid", "w")
            fcntl.lockf(lock, fcntl.LOCK_EX)
            if os.path.exists("monitor"):
                os.unlink("monitor")
            monitor = socket.socket(socket.AF_UNIX)
            monitor.bind("monitor")
            monitor.close()
            print("closed", file=sys.stderr, flush=True)
            time.sleep(1.5)
            """
        let process = BackgroundCommand("python3", ["-c", ending], in: project.folder())
        try await process.says("closed")
        #expect(try await project.state() == "off")
        #expect(try await process.end().exitCode == 0)
    }

    @Test func `a medium or data disk that is gone is named with what makes it again, and that does`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        let seed = project.folder().pushing("media/edge-1.0.0-x86_64-cidata.iso")
        try HostFile.remove(seed)
        let started = try await project.vm("start", "--no-wait")
        #expect(started.exitCode == 66)
        #expect(
            started.complaint
                == "ksbuild: \(seed): is gone, and node boots from it; 'ksbuild vm destroy' and 'ksbuild vm create"
                + " --version 1.0.0' make the machine again, on its data disk")
        let disk = project.folder().appending("data.qcow2")
        let before = try HostFile.status(of: disk)
        #expect(try await project.vm("destroy", "--yes").exitCode == 0)
        #expect(try await project.vm(["create", "--version", "1.0.0"] + TalkingProject.plain).exitCode == 0)
        #expect(try HostFile.status(of: disk) == before)

        try HostFile.remove(disk)
        for command in [["start", "--no-wait"], ["info"], ["upgrade"]] {
            if command == ["upgrade"] { try project.publish("1.1.0") }
            let result = try await project.vm(command)
            #expect(result.exitCode == 66, "\(command)")
            #expect(
                result.complaint
                    == "ksbuild: \(disk): is gone, and with it the data of node; put it back from a copy, or let"
                    + " 'ksbuild vm destroy' and 'ksbuild vm create' make the machine with a blank one")
        }
    }

    @Test func `records that are damaged are named with what may be done, and that helps`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        let record = project.folder().appending("machine.json")
        let good = try HostFile.read(record, limit: 1 << 16)
        for bad in [Array(good.dropLast(9)), [], Array("{}".utf8)] {
            try StagedFile.write(bad, to: record)
            for command in [["start"], ["status"], ["create"] + TalkingProject.plain] {
                let result = try await project.vm(command)
                #expect(result.exitCode == 65, "\(command)")
                #expect(
                    result.complaint
                        == "ksbuild: \(record): is not what ksbuild has written there; put it back from a copy, or remove"
                        + " it and let 'ksbuild vm create' make the machine again, on its data disk")
            }
        }
        // A folder that was copied: its machine is another one.
        let copied = try await run("cp", ["-R", project.folder().string, project.folder("copy").string])
        try #require(copied.succeeded)
        try StagedFile.write(good, to: project.folder("copy").appending("machine.json"))
        let other = try await project.vm("start", "--name", "copy")
        #expect(other.exitCode == 65)
        #expect(other.complaint.contains("/machine.json: describes the machine 'node', not 'copy'; remove it and let "))

        try HostFile.remove(record)
        #expect(try await project.vm(["create", "--name", "node"] + TalkingProject.plain).exitCode == 0)
        let journal = project.folder().appending("replacement.json")
        try StagedFile.write(Array("{".utf8), to: journal)
        let started = try await project.vm("start", "--name", "node")
        #expect(started.exitCode == 65)
        #expect(
            started.complaint
                == "ksbuild: \(journal): is not what ksbuild has written there; put it back from a copy, or remove it: the"
                + " machine goes on with the version that 'ksbuild vm info' names, and its data disk keeps the snapshot"
                + " 'ksbuild-before'")
        #expect(try await project.vm("info", "--name", "node").output.contains("\nversion     1.0.0\n"))
        try HostFile.remove(journal)
        #expect(try await project.vm("start", "--name", "node", "--timeout", "60").exitCode == 0)
    }

    @Test func `a machine whose record is gone is not made beside the QEMU that still runs`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        try #require(try await project.vm("start", "--no-wait").exitCode == 0)
        try HostFile.remove(project.folder().appending("machine.json"))
        let made = try await project.vm(["create"] + TalkingProject.plain)
        #expect(made.exitCode == 75)
        #expect(
            made.complaint.wholeMatch(
                of:
                    /ksbuild: node: QEMU \(process \d+\) still runs on its data disk; end that process, and make it then/
            )
                != nil, "\(made.errors)")
    }
}

extension String {
    /// The text as a literal of Swift has it.
    fileprivate var escaped: String { String(String(reflecting: self).dropFirst().dropLast()) }
}
