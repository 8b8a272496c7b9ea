import Artefact
import LibvirtSupport
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Machines of libvirt that do not start, stop or go on as they should, and upgrades that are cut off.
@Suite(.serialized) struct LibvirtRunTests {
    @Test func `without an agent the power button is pressed, and a node that does not heed it runs on`() async throws {
        let here = try await JailedProject("deaf")
        try await here.make(.deaf)
        try #require(try await here.vm("start", "--timeout", "60").exitCode == 0)
        let asked = try await here.vm("stop", "--stop-timeout", "1")
        #expect(asked.exitCode == 3)
        #expect(!asked.errors.contains("through its agent"))
        #expect(asked.errors.contains("pressing the power button of deaf\n"))
        #expect(
            asked.complaint
                == "ksbuild: deaf: has not shut down within 1 s and still runs; --force cuts its power then")
        #expect(try await here.state() == "running")
        #expect(try await here.vm("stop", "--stop-timeout", "0", "--force").exitCode == 0)
        #expect(try await here.state() == "off")
    }

    @Test func `a machine that is switched off while it is waited for is said to be off`() async throws {
        let here = try await JailedProject("cut")
        try await here.make(.silent)
        let waiting = here.background("start", "--timeout", "600")
        try await waiting.says("waiting until cut is healthy")
        try #require(try await here.jail.virsh("destroy", "cut").succeeded)
        let end = try await waiting.end()
        #expect(end.exitCode == 3)
        #expect(end.complaint.hasPrefix("ksbuild: cut: 1.0.0 is not well: the machine is off; see /"), "\(end.errors)")
    }

    @Test func `a machine that somebody has paused says so, and start lets it go on`() async throws {
        let here = try await JailedProject("paused")
        try await here.make()
        try #require(try await here.vm("start", "--timeout", "60").exitCode == 0)
        try #require(try await here.jail.virsh("suspend", "paused").succeeded)
        let status = try await here.vm("status")
        #expect(status.exitCode == 3)
        #expect(status.output.contains("\nstate      paused (user)\n"))
        let stopped = try await here.vm("stop")
        #expect(stopped.exitCode == 75)
        #expect(stopped.complaint == "ksbuild: paused: is paused (user) and cannot shut down; --force cuts its power")
        #expect(try await here.vm("start", "--timeout", "60").exitCode == 0)
        #expect(try await here.state() == "running")
        try await here.end()
    }

    @Test func `an output directory may be called anything, and versions change in it`() async throws {
        let here = try await JailedProject("odd", out: "it's \"R&D\" <1>, 100% é/ü")
        try await here.make()
        let started = try await here.vm("start", "--timeout", "60")
        #expect(started.exitCode == 0, "\(started.errors)")
        try here.project.publish("1.1.0")
        let upgraded = try await here.vm("upgrade", "--timeout", "60")
        #expect(upgraded.output == "1.1.0 is live, healthy and confirmed\n", "\(upgraded.errors)")
        // What was published belongs to whom it did, whoever runs the machine.
        for version in ["1.0.0", "1.1.0"] {
            let image = here.project.out.pushing(FilePath("bundles/\(version)/alpine-\(version).iso"))
            let owner = try await run("stat", ["-c", "%u %a", image.string])
            #expect(owner.output == "0 444\n", "\(version)")
        }
        let drives = try await here.jail.virsh("domblklist", "odd", "--inactive").output
        #expect(drives.contains(" \(here.project.out)/bundles/1.1.0/alpine-1.1.0.iso\n"), "\(drives)")
        #expect(try await here.vm("stop").exitCode == 0)
    }

    @Test func `a port that is taken is said with what gives others`() async throws {
        let here = try await JailedProject("port")
        try await here.make(.healthy, "--network", "user", "--ssh-port", "2222", "--api-port", "6443")
        let holder = BackgroundCommand(
            LibvirtJail.jail,
            here.jail.words(
                "python3",
                [
                    "-c",
                    "import socket,sys,time; s=socket.create_server(('127.0.0.1',2222)); print('holds',file=sys.stderr,"
                        + "flush=True); time.sleep(600)",
                ]), in: here.project.scratch.path)
        try await holder.says("holds")
        let taken = try await here.vm("start", "--no-wait")
        #expect(taken.exitCode == 75)
        #expect(
            taken.complaint.hasPrefix(
                "ksbuild: port: a port that leads to it is taken by another program; end that, or give others with"
                    + " 'ksbuild vm destroy' and 'ksbuild vm create --ssh-port N --api-port N' ("), "\(taken.errors)")
        _ = try await holder.end(by: "TERM")
        let started = try await here.vm("start", "--timeout", "60")
        #expect(started.exitCode == 0, "\(started.errors)")
        try await here.end()
    }

    @Test func `an upgrade that is killed before the version is switched is undone by the next start`() async throws {
        let here = try await JailedProject("killed-early")
        try await here.make()
        try #require(try await here.vm("start", "--timeout", "60").exitCode == 0)
        try here.project.publish("1.1.0")
        let upgrade = here.background("upgrade", "--timeout", "600")
        try await upgrade.says("pressing the power button")
        #expect(try await upgrade.end(by: "KILL").exitCode == 137)
        // Killed before or after the button was pressed: the node is off, or goes on.
        if try await !here.reaches("off") { #expect(try await here.vm("stop").exitCode == 0) }
        let settled = try await here.vm("start", "--timeout", "60")
        #expect(settled.exitCode == 0, "\(settled.errors)")
        #expect(
            settled.output.hasPrefix("nothing was switched; 1.0.0 is live as before\nkilled-early is healthy: "),
            "\(settled.output)")
        try await Self.requireSettled(here, version: "1.0.0")
        try await here.end()
    }

    @Test func `an upgrade that is killed while the new version is tried is undone or finished`() async throws {
        let here = try await JailedProject("killed-late")
        try await here.make()
        try #require(try await here.vm("start", "--timeout", "60").exitCode == 0)
        try here.project.publish("1.1.0", .silent)
        try here.project.publish("1.2.0")
        for (version, output, code) in [("1.1.0", "", 3), ("1.2.0", "1.2.0 is live, healthy and confirmed", 0)] {
            let upgrade = here.background("upgrade", version, "--timeout", "600")
            try await upgrade.says("waiting until killed-late is healthy")
            #expect(try await upgrade.end(by: "KILL").exitCode == 137)
            let settled = try await here.vm("start", "--timeout", version == "1.1.0" ? "25" : "60")
            #expect(settled.exitCode == code, "\(settled.errors)")
            #expect(settled.output.split(separator: "\n").first ?? "" == output)
            try await Self.requireSettled(here, version: version == "1.1.0" ? "1.0.0" : "1.2.0")
        }
        try await here.end()
    }

    /// Requires that nothing of an upgrade is left, and the node is healthy with a version.
    private static func requireSettled(_ here: borrowing JailedProject, version: String) async throws {
        let status = try await here.vm("status")
        #expect(status.exitCode == 0, "\(status.output)\(status.errors)")
        #expect(status.output.contains("\nversion    \(version)\n"))
        #expect(try HostFile.target(ofLink: here.project.out.appending("current")) == "bundles/\(version)")
        let disk = here.project.folder(here.name).appending("data.qcow2")
        #expect(try await run("qemu-img", ["snapshot", "-l", "-U", disk.string]).output == "")
        let drives = try await here.jail.virsh("domblklist", here.name, "--inactive").output
        #expect(drives.contains("/alpine-\(version).iso\n"), "\(drives)")
    }
}
