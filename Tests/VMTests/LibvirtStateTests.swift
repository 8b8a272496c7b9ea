import Artefact
import LibvirtSupport
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Machines that libvirt does not have as a command needs them: what it says, and its exit code.
@Suite(.serialized) struct LibvirtStateTests {
    @Test func `a machine of the name that somebody else has made is left alone`() async throws {
        let here = try await JailedProject("foreign")
        let other = try TalkingDomain("foreign", saying: "mine\r\n", in: here.jail, here.project.scratch)
        try #require(try await here.jail.virsh("define", other.description.string).succeeded)
        let identity = try await here.jail.virsh("domuuid", "foreign").output
        try here.project.publish("1.0.0")
        try here.project.activate("1.0.0")
        let made = try await here.vm("create", "--name", "foreign", "--two-media", "--accelerator", "tcg")
        #expect(made.exitCode == 73)
        #expect(
            made.complaint
                == "ksbuild: foreign: libvirt at qemu:///system has a machine of this name that was not made here"
                + " (\(identity.filter { !$0.isWhitespace })); give another with --name")
        // Nothing was composed, and nothing of it counts as a machine.
        #expect(!HostFile.exists(here.project.folder("foreign")))
        #expect(try await here.jail.virsh("domuuid", "foreign").output == identity)
        #expect(try await here.jail.virsh("undefine", "foreign").succeeded)
    }

    @Test func `a machine that was undefined behind our back is said to be unknown, and can be made again`()
        async throws
    {
        let here = try await JailedProject("undefined")
        try await here.make()
        try #require(try await here.jail.virsh("undefine", "undefined").succeeded)
        try here.project.publish("1.1.0")
        for command in ["start", "stop", "upgrade", "ip"] {
            let result = try await here.vm(command)
            #expect(result.exitCode == 66, "\(command)")
            #expect(
                result.complaint.hasPrefix("ksbuild: undefined: is not known to libvirt at qemu:///system")
                    && result.complaint.contains("; 'ksbuild vm create' makes it"), "\(result.errors)")
        }
        let status = try await here.vm("status")
        #expect(status.exitCode == 3)
        #expect(status.output.contains("\nstate      absent\n"))
        let disk = here.project.folder("undefined").appending("data.qcow2")
        let before = try HostFile.status(of: disk)
        try await here.create()
        #expect(try HostFile.status(of: disk) == before)
        #expect(try await here.vm("start", "--timeout", "60").exitCode == 0)
        try await here.end()
    }

    @Test func `a machine that is made again stays the node of a fleet, or the one of a bundle, that it was`()
        async throws
    {
        let here = try await JailedProject("member")
        let pins = here.project.out.appending("pins")
        for (present, other, why) in [
            (["member": "member"], [:], "is for one node, and this machine is member of a fleet"),
            ([:], ["member": "member"], "is for a fleet, and this machine, member, is that of a bundle for one node"),
        ] as [(KeyValuePairs<String, String>, KeyValuePairs<String, String>, String)] {
            let (first, second) = present.isEmpty ? ("2.0.0", "2.1.0") : ("1.0.0", "1.1.0")
            try here.project.publish(first, nodes: present)
            try here.project.publish(second, nodes: other)
            try await here.create(["--version", first])
            try #require(try await here.jail.virsh("undefine", "member").succeeded)
            let words = ["create", "--name", "member", "--version", second] + TalkingProject.small
            let refused = try await here.vm(words)
            #expect(refused.exitCode == 64 && refused.complaint.hasSuffix("/\(second): \(why)"), "\(refused.errors)")
            #expect(try HostFile.names(in: pins) == ["vm-member@\(first)"])
            try await here.create(["--version", first])
            try #require(try await here.vm("destroy", "--yes", "--data").succeeded)
        }
    }

    @Test func `a network that is not there or not on is named with what mends it`() async throws {
        let here = try await JailedProject("offline")
        try await here.make(.healthy, "--network", "nowhere")
        let missing = try await here.vm("start")
        #expect(missing.exitCode == 69)
        #expect(
            missing.complaint.hasPrefix(
                "ksbuild: offline: its network does not exist; 'ksbuild vm setup' makes the network 'default' (Failed to start"
                    + " domain 'offline'; Network not found: no network with matching name 'nowhere'"),
            "\(missing.errors)")
        let network = try here.project.scratch.file("dark.xml", "<network><name>dark</name></network>")
        try #require(try await here.jail.virsh("net-define", network.string).succeeded)
        #expect(try await here.vm("destroy", "--yes").exitCode == 0)
        try await here.create(["--network", "dark"])
        let inactive = try await here.vm("start")
        #expect(inactive.exitCode == 69)
        #expect(
            inactive.complaint.contains(
                "offline: its network is switched off; 'virsh net-start NETWORK' switches it on (")
                && inactive.complaint.contains("network 'dark' is not active"), "\(inactive.errors)")
        #expect(try await here.state() == "off")
    }

    @Test func `a user who may not use the system's daemon is told what to do, and has a session`() async throws {
        let here = try await JailedProject("private", out: "drop")
        try here.project.publish("1.0.0")
        try here.project.activate("1.0.0")
        try HostFile.setMode(of: here.project.out, EntryMode(0o777))
        let user = LibvirtJail.plainUser
        let words = ["create", "--name", "private"] + TalkingProject.small
        let refused = try await here.vm(words + ["--connect", "qemu:///system"], as: user)
        #expect(refused.exitCode == 77)
        #expect(
            refused.complaint.hasPrefix("ksbuild: qemu:///system: does not let you in (")
                && refused.complaint.hasSuffix(
                    "); join the group libvirt and log in again, or use --connect qemu:///session"),
            "\(refused.errors)")
        let made = try await here.vm(words, as: user)
        #expect(made.exitCode == 0, "\(made.errors)")
        let started = try await here.vm(["start", "--timeout", "60"], as: user)
        #expect(started.exitCode == 0, "\(started.errors)")
        #expect(try await here.vm(["info"], as: user).output.contains("\nrun by      libvirt at qemu:///session\n"))
        #expect(try await here.vm(["stop"], as: user).exitCode == 0)
    }

    @Test func `a folder that QEMU cannot go through is named with its mend, and the mend mends`() async throws {
        let here = try await JailedProject("closed")
        try await here.make()
        try HostFile.setMode(of: here.project.out, EntryMode(0o700))
        let closed = try await here.vm("start", "--no-wait")
        #expect(closed.exitCode == 77)
        #expect(
            closed.complaint
                == "ksbuild: closed: \(here.project.out) is closed to libvirt-qemu, as whom libvirt runs QEMU; setfacl -m"
                + " u:libvirt-qemu:x \(here.project.out), or chmod o+x \(here.project.out), or name another folder with"
                + " --out, or use --connect qemu:///session", "\(closed.errors)")
        try HostFile.setMode(of: here.project.out, EntryMode(0o701))
        let started = try await here.vm("start", "--timeout", "60")
        #expect(started.exitCode == 0, "\(started.errors)")
        try await here.end()
    }

    @Test func `a disk that another machine uses is not used twice`() async throws {
        let here = try await JailedProject("first")
        try await here.make()
        let second = try await here.vm(["create", "--name", "second"] + TalkingProject.small)
        try #require(second.exitCode == 0, "\(second.errors)")
        let disk = here.project.folder("second").appending("data.qcow2")
        try HostFile.remove(disk)
        let linked = try await run("ln", [here.project.folder("first").appending("data.qcow2").string, disk.string])
        try #require(linked.succeeded)
        try #require(try await here.vm("start", "--name", "first", "--no-wait").exitCode == 0)
        let refused = try await here.vm("start", "--name", "second", "--no-wait")
        #expect(refused.exitCode == 75)
        #expect(
            refused.complaint.hasPrefix(
                "ksbuild: second: its data disk is in use by another machine; stop that one first ("),
            "\(refused.errors)")
        try await here.end()
    }

    @Test func `a daemon that is down is said to be, and a node is waited for without it`() async throws {
        let jail = try await LibvirtJail()
        let here = try await JailedProject("alone", in: jail)
        try await here.make(.silent)
        let waiting = here.background("start", "--timeout", "8")
        try await waiting.says("waiting until alone is healthy")
        try await jail.stopDaemon()
        #expect(try await here.vm("status").exitCode == 69)
        let end = try await waiting.end()
        #expect(end.exitCode == 3)
        #expect(
            end.complaint.hasPrefix("ksbuild: alone: 1.0.0 is not well: not healthy within 8.0 s; "), "\(end.errors)")
        for command in [["start"], ["stop"], ["destroy", "--yes"]] {
            let result = try await here.vm(command)
            #expect(result.exitCode == 69, "\(command)")
            #expect(
                result.complaint.hasPrefix("ksbuild: qemu:///system: nobody answers (")
                    && result.complaint.hasSuffix("); start libvirt's daemon ('ksbuild vm check' says how)"),
                "\(result.errors)")
        }
        try await jail.startDaemon()
        #expect(try await here.state() == "running")
        try await jail.stop()
    }
}
