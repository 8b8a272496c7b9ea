import Artefact
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Upgrades that are refused, cut off, or have no room, on QEMU alone.
@Suite(.serialized) struct VMReplaceTests {
    private static func snapshots(_ project: borrowing TalkingProject) async throws -> String {
        try await run("qemu-img", ["snapshot", "-l", "-U", project.folder().appending("data.qcow2").string]).output
    }

    /// Requires that the machine is as it was with 1.0.0, and nothing is under way.
    private static func requireUntouched(_ project: borrowing TalkingProject) async throws {
        let status = try await project.vm("status")
        #expect(status.exitCode == 0, "\(status.output)\(status.errors)")
        #expect(status.output.contains("\nversion    1.0.0\n"))
        #expect(try HostFile.target(ofLink: project.out.appending("current")) == "bundles/1.0.0")
        #expect(try HostFile.names(in: project.out.appending("pins")) == ["vm-node@1.0.0"])
        #expect(try await snapshots(project) == "")
    }

    @Test func `a bundle that is damaged is refused before the machine feels anything`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        try #require(try await project.vm("start", "--timeout", "60").exitCode == 0)
        try project.publish("1.1.0")
        let bundle = project.out.pushing("bundles/1.1.0")
        let file = bundle.appending("edge-1.1.0-x86_64-kubesolo")
        // What root may write to without changing anything else of it.
        let written = try await run("sh", ["-c", "printf x | dd of=\"$0\" conv=notrunc status=none", file.string])
        try #require(written.succeeded)
        let log = try HostFile.status(of: project.folder().appending("console.log")).size
        let result = try await project.vm("upgrade", "1.1.0")
        #expect(result.exitCode == 1)
        #expect(
            result.complaint.hasPrefix(
                "ksbuild: \(bundle): is not as it was published: edge-1.1.0-x86_64-kubesolo: tampered: "),
            "\(result.errors)")
        #expect(!result.errors.contains("power button"))
        #expect(try HostFile.status(of: project.folder().appending("console.log")).size == log)
        try await Self.requireUntouched(project)
    }

    @Test func `nothing confirmed, the same version and no such version are said`() async throws {
        let project = try TalkingProject()
        try project.publish("1.0.0")
        try project.activate("1.0.0", confirming: false)
        try #require(try await project.vm(["create", "--name", "node"] + TalkingProject.plain).exitCode == 0)
        let same = try await project.vm("upgrade")
        #expect(same.exitCode == 0)
        #expect(same.output == "node has 1.0.0 already\n")
        let unknown = try await project.vm("upgrade", "7.0.0")
        #expect(unknown.exitCode == 66)
        #expect(
            unknown.complaint
                == "ksbuild: 7.0.0: is not in the store, or its manifest cannot be read; 'ksbuild list' shows what is there"
        )
        let back = try await project.vm("rollback")
        #expect(back.exitCode == 75)
        #expect(
            back.complaint
                == "ksbuild: \(project.out): has no other version that was confirmed; name one with --to")
        try project.publish("1.1.0")
        let unconfirmed = try await project.vm("upgrade")
        #expect(unconfirmed.exitCode == 75)
        #expect(
            unconfirmed.complaint
                == "ksbuild: 1.0.0: was never confirmed, so there is nothing to come back to; 'ksbuild vm start' waits until"
                + " it is healthy and confirms it, or 'ksbuild vm destroy' and 'ksbuild vm create --version V' give its data"
                + " disk to another version")
        // And it does.
        #expect(try await project.vm("start", "--timeout", "60").exitCode == 0)
        #expect(try await project.vm("upgrade", "--timeout", "60").output == "1.1.0 is live, healthy and confirmed\n")
    }

    @Test func `a version that is not well gives way with exit code 3, and the history says why`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        try #require(try await project.vm("start", "--timeout", "60").exitCode == 0)
        try project.publish("1.1.0", .unhealthy)
        let result = try await project.vm("upgrade", "--timeout", "60")
        #expect(result.exitCode == 3)
        #expect(
            result.complaint
                == "ksbuild: 1.0.0: is live again and healthy, with its data of before, because the node says that it is not"
                + " healthy: so it is")
        try await Self.requireUntouched(project)
        let history = try HostFile.read(project.out.appending("history.jsonl"), limit: 1 << 20)
        let last = String(decoding: history, as: UTF8.self).split(separator: "\n").last ?? ""
        #expect(last.contains("upgrade from 1.0.0 to 1.1.0: the node says that it is not healthy: so it is"))
    }

    @Test(arguments: ["KILL", "INT"])
    func `a command that ends while the new version is tried is settled by the next`(signal: String) async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        try #require(try await project.vm("start", "--timeout", "60").exitCode == 0)
        try project.publish("1.1.0", .silent)
        let upgrade = try project.background("upgrade", "--timeout", "600")
        try await upgrade.says("waiting until node is healthy")
        let end = try await upgrade.end(by: signal)
        #expect(end.exitCode == (signal == "KILL" ? 137 : 130))
        let status = try await project.vm("status")
        #expect(status.exitCode == 3)
        #expect(
            status.output.hasSuffix(
                "\nunfinished upgrade from 1.0.0 to 1.1.0 (switched); 'ksbuild vm start' takes it up\n"))
        let settled = try await project.vm("start", "--timeout", "25")
        #expect(settled.exitCode == 3)
        #expect(
            settled.complaint
                == "ksbuild: 1.0.0: is live again and healthy, with its data of before, because not healthy within 25.0 s",
            "\(settled.errors)")
        try await Self.requireUntouched(project)
    }
}
