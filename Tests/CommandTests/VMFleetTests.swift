import Artefact
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Machines that are nodes of a fleet, on QEMU alone.
@Suite(.serialized) struct VMFleetTests {
    private static let create = ["create"] + TalkingProject.plain

    private static func history(_ project: borrowing TalkingProject) throws -> [Substring] {
        let bytes = try HostFile.read(project.out.appending("history.jsonl"), limit: 1 << 20)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    @Test func `a machine that is not made leaves no folder and no pin`() async throws {
        let project = try TalkingProject()
        try project.publish("1.0.0", nodes: ["edge-001": "edge-001", "edge-002": "edge-002"])
        try project.activate("1.0.0")
        let none = try await project.vm(Self.create)
        #expect(none.exitCode == 64)
        #expect(
            none.complaint.hasSuffix(
                "is for a fleet, and none of its nodes has the machine's name kubesolo; say which node the machine is with"
                    + " --name, such as edge-001, edge-002"), "\(none.errors)")
        #expect(!none.errors.contains("reading the bundle"))
        #expect(!HostFile.exists(project.folder("kubesolo")))
        #expect(!HostFile.exists(project.out.appending("pins")))

        // The same where it is found while the bundle is read.
        let file = project.out.pushing("bundles/1.0.0/edge-1.0.0-x86_64-kubesolo")
        let written = try await run("sh", ["-c", "printf x | dd of=\"$0\" conv=notrunc status=none", file.string])
        try #require(written.succeeded)
        let damaged = try await project.vm(Self.create + ["--name", "edge-001"])
        #expect(damaged.exitCode == 1 && damaged.complaint.contains(": tampered: "), "\(damaged.errors)")
        #expect(!HostFile.exists(project.folder("edge-001")))
        #expect(try HostFile.names(in: project.out.appending("pins")) == [])
    }

    @Test func `a data disk that was there before stays where a machine is not made`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        try #require(try await project.vm("destroy", "--yes").exitCode == 0)
        try project.publish("2.0.0", nodes: ["edge-001": "edge-001"])
        let refused = try await project.vm(Self.create + ["--name", "node", "--version", "2.0.0"])
        #expect(refused.exitCode == 64)
        #expect(HostFile.exists(project.folder().appending("data.qcow2")))
        #expect(try HostFile.names(in: project.out.appending("pins")) == [])
    }

    @Test func `a node takes the version in which it is itself, and its name is in the evidence`() async throws {
        let project = try TalkingProject()
        let nodes: KeyValuePairs = ["edge-001": "edge-001", "edge-002": "till"]
        try project.publish("1.0.0", nodes: nodes)
        try project.activate("1.0.0", confirming: false)
        let made = try await project.vm(Self.create + ["--name", "edge-001"])
        try #require(made.exitCode == 0, "\(made.errors)")
        try #require(try await project.vm("start", "--timeout", "60").exitCode == 0)
        let line = "health state=healthy version=v1.2.2 release="
        let confirmed = try Self.history(project).last ?? ""
        #expect(confirmed.contains("\"node edge-001, one of 2: \(line)1.0.0"), "\(confirmed)")

        try project.publish("1.1.0")
        let single = try await project.vm("upgrade", "1.1.0")
        #expect(single.exitCode == 75)
        #expect(
            single.complaint
                == "ksbuild: 1.1.0: cannot take over this node: it is for one node, and the data is that of edge-001 of a"
                + " fleet", "\(single.errors)")
        try project.publish("1.2.0", nodes: ["edge-001": "other", "edge-002": "till"])
        let other = try await project.vm("upgrade", "1.2.0")
        #expect(other.exitCode == 75)
        #expect(
            other.complaint
                == "ksbuild: 1.2.0: cannot take over this node: it is the node other, and the data is that of edge-001",
            "\(other.errors)")
        try project.publish("1.3.0", nodes: ["edge-002": "till"])
        let missing = try await project.vm("upgrade", "1.3.0")
        #expect(missing.exitCode == 75 && missing.complaint.hasSuffix(": it has no node edge-001"), "\(missing.errors)")

        // What becomes of the other nodes is nothing to this one.
        try project.publish("1.4.0", nodes: ["edge-001": "edge-001", "edge-002": "shop", "edge-003": "edge-003"])
        let taken = try await project.vm("upgrade", "1.4.0", "--timeout", "60")
        #expect(taken.exitCode == 0, "\(taken.errors)")
        let later = try Self.history(project).last ?? ""
        #expect(later.contains("\"node edge-001, one of 3: \(line)1.4.0"), "\(later)")
    }

    @Test func `a machine of a bundle for one node takes none of a fleet`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make(name: "edge-001").exitCode == 0)
        try project.publish("1.1.0", nodes: ["edge-001": "edge-001"])
        let result = try await project.vm("upgrade", "1.1.0")
        #expect(result.exitCode == 75)
        #expect(
            result.complaint
                == "ksbuild: 1.1.0: cannot take over this node: it is for a fleet, and the data is that of one node",
            "\(result.errors)")
    }
}
