import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Bundles of fleets: directories of nodes beside what they share.
struct FleetBundleTests {
    private struct PowerFailure: Error {}

    /// A published fleet whose files the test may change.
    private struct Victim: ~Copyable {
        let workshop: Workshop
        let path: FilePath

        init(secret: Bool = false) throws {
            let workshop = try Workshop()
            path = try workshop.store.publish(try Samples.fleet("1.4.0", secret: secret, iso: workshop.iso)).path
            self.workshop = workshop
        }

        /// What `verify` finds after a change below the directory of the nodes.
        func findings(_ change: (FilePath) throws -> Void) throws -> [String] {
            for folder in ["nodes", "nodes/edge-001", "nodes/edge-002"] {
                try HostFile.setMode(of: path.pushing(FilePath(folder)), .directory)
            }
            try change(path.appending("nodes"))
            for folder in ["nodes", "nodes/edge-001", "nodes/edge-002"] {
                let folder = path.pushing(FilePath(folder))
                if let status = try? HostFile.status(of: folder, followingLinks: false), status.kind == .directory {
                    try HostFile.setMode(of: folder, EntryMode(0o555))
                }
            }
            return try workshop.store.verify(Version("1.4.0")).findings.map { "\($0.file): \($0.problem.rawValue)" }
        }
    }

    private static let overlay = "edge-001/edge-edge-001-1.4.0-x86_64.apkovl.tar.gz"
    private static let seed = "edge-002/edge-edge-002-1.4.0-x86_64.cidata.iso"

    @Test func `each node has a directory, and sha256sum alone verifies the whole`() async throws {
        let victim = try Victim()
        let manifest = try #require(try victim.workshop.store.verify(Version("1.4.0")).manifest)
        #expect(manifest.nodes.map(\.name) == ["edge-001", "edge-002"])
        #expect(manifest.artefacts.count == 6)
        for folder in ["nodes", "nodes/edge-001"] {
            #expect(try HostFile.status(of: victim.path.pushing(FilePath(folder))).mode == EntryMode(0o555))
        }
        let result = try await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], in: victim.path)
        #expect(result.succeeded && result.output.contains("nodes/\(Self.overlay): OK"), "\(result.errors)")
        #expect(try hasNoLeftovers(victim.workshop.out))
    }

    @Test func `where any node has a secret, nobody else may look into any of them`() throws {
        let victim = try Victim(secret: true)
        #expect(try HostFile.status(of: victim.path.appending("nodes")).mode == EntryMode(0o500))
        #expect(try HostFile.status(of: victim.path.pushing("nodes/edge-001")).mode == EntryMode(0o500))
        #expect(try victim.workshop.store.verify(Version("1.4.0")).isGood)
    }

    @Test func `what is wrong with the files of a node is told by their places`() throws {
        #expect(try Victim().findings { _ in } == [])
        #expect(
            try Victim().findings { nodes in
                try StagedFile.write(
                    Array("other".utf8), to: nodes.pushing(FilePath(Self.overlay)), mode: EntryMode(0o444))
            } == ["nodes/\(Self.overlay): truncated"])
        #expect(
            try Victim().findings { try HostFile.remove($0.pushing(FilePath(Self.seed))) } == [
                "nodes/\(Self.seed): missing"
            ])
        #expect(
            try Victim().findings { _ = try StagedFile.write([], to: $0.pushing("edge-001/more")) } == [
                "\"nodes/edge-001/more\": extra"
            ])
        #expect(
            try Victim().findings { try HostFile.makeDirectory($0.appending("edge-003")) } == [
                "\"nodes/edge-003\": extra"
            ])
        #expect(
            try Victim().findings { nodes in
                try HostFile.removeTree(nodes.appending("edge-002"))
                try HostFile.makeSymlink(nodes.appending("edge-002"), to: "edge-001")
            }.contains("nodes/edge-002: wrong-kind"))
        let victim = try Victim()
        try HostFile.setMode(of: victim.path.pushing("nodes/edge-001"), EntryMode(0o755))
        let problems = try victim.workshop.store.verify(Version("1.4.0")).findings.map {
            "\($0.file): \($0.problem.rawValue)"
        }
        #expect(problems == ["nodes/edge-001: wrong-mode"])
    }

    @Test func `a fleet appears whole or not at all, whenever it is ended`() throws {
        let workshop = try Workshop()
        var last = 0
        for stop in 0... {
            let out = workshop.scratch.path.appending("out-\(stop)")
            nonisolated(unsafe) var left = stop
            let disk = StoreDisk { _ in
                guard unsafe left > 0 else { throw PowerFailure() }
                unsafe left -= 1
            }
            do {
                _ = try BundleStore(out, disk: disk).publish(try Samples.fleet("1.4.0", iso: workshop.iso))
            } catch is PowerFailure {
                let there = try BundleStore(out).versions()
                #expect(try there.allSatisfy { try BundleStore(out).verify($0).isGood })
                _ = try BundleStore(out).publish(try Samples.fleet("1.4.0", iso: workshop.iso))
                #expect(try hasNoLeftovers(out))
                continue
            }
            last = stop
            break
        }
        #expect(last > 12)
    }

    @Test func `files that are not those announced are refused, and nothing stays`() throws {
        let workshop = try Workshop()
        var stage = try Samples.fleet("1.4.0", iso: workshop.iso)
        let files = try #require(stage.batch).files
        stage.batch = StagedBatch(files) { _ in [] }
        let missing = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(missing?.code == .mismatch)
        stage.batch = StagedBatch(files) { folder in
            for node in Set(files.map(\.node)) {
                try HostFile.makeDirectory(folder.appending("nodes").appending(node), mode: .privateDirectory)
            }
            return try files.map { file in
                let path = folder.appending("nodes").appending(file.node).appending(file.file)
                let written = try StagedFile.write(Array("a".utf8), to: path)
                return .init(
                    file, isSecret: false,
                    written: WrittenFile(path: path, size: written.size, digest: Digest(of: Array("b".utf8))))
            }
        }
        let other = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(other?.code == .mismatch)
        #expect(try workshop.store.versions() == [] && hasNoLeftovers(workshop.out))
    }

    @Test func `the same fleet again changes nothing, and another under its version is refused`() throws {
        let victim = try Victim()
        let store = victim.workshop.store
        let iso = victim.workshop.iso
        #expect(try store.publish(try Samples.fleet("1.4.0", iso: iso)).outcome == .identical)
        let error = #expect(throws: BundleError.self) {
            try store.publish(try Samples.fleet("1.4.0", nodes: ["edge-001", "edge-003"], iso: iso))
        }
        #expect(
            error?.code == .versionTaken && error?.description.contains("edge-002") == true,
            "\(error?.description ?? "")")
    }

    @Test func `pruning takes a fleet with all its nodes`() throws {
        let victim = try Victim()
        let store = victim.workshop.store
        try victim.workshop.publish("2.0.0")
        try victim.workshop.prove("2.0.0")
        _ = try store.prune(keeping: 0, Samples.occasion)
        #expect(try store.versions() == [try Version("2.0.0")])
        #expect(try hasNoLeftovers(victim.workshop.out))
    }

    @Test func `nodes that contradict the files are no manifest`() throws {
        let workshop = try Workshop()
        let published = try workshop.store.publish(try Samples.fleet("1.4.0", iso: workshop.iso)).manifest
        func fault(_ change: (inout BundleDescription, inout [Manifest.Artefact]) -> Void) -> String {
            var (description, artefacts) = (published.description, published.artefacts)
            change(&description, &artefacts)
            do {
                _ = try Manifest(description, artefacts: artefacts)
                return ""
            } catch { return error.detail }
        }
        #expect(fault { _, _ in } == "")
        #expect(fault { about, _ in about.nodes.removeLast() }.contains("which is not named"))
        #expect(fault { about, _ in about.nodes.append(about.nodes[0]) }.contains("twice"))
        #expect(fault { about, _ in about.nodes.append(.init(name: "x", hostname: "x")) }.contains("lacks its overlay"))
        #expect(fault { about, _ in about.nodes[0].name = "../x" }.contains("no name that a node may have"))
        #expect(fault { about, _ in about.nodes[0].hardwareAddress = "52:54:00:12:34:5G" }.contains("that is none"))
        let mac = "52:54:00:12:34:05", uuid = "01234567-89ab-cdef-0123-456789abcdef"
        let two = "to two nodes, 'edge-001' and 'edge-002'"
        #expect(fault { about, _ in about.nodes[0].hardwareAddress = mac } == "")
        #expect(
            fault { about, _ in for index in 0...1 { about.nodes[index].hardwareAddress = mac } }
                == "gives '\(mac)' \(two)")
        #expect(fault { about, _ in for index in 0...1 { about.nodes[index].uuid = uuid } } == "gives '\(uuid)' \(two)")
        #expect(fault { _, files in files[2].node = nil }.contains("for none of its nodes"))
        #expect(fault { _, files in files[2].role = .kubesolo }.contains("one file too many"))
        #expect(
            fault { about, files in
                about.nodes = []
                for index in files.indices { files[index].node = nil }
            } == "")
    }

    @Test func `nodes and files in another order are told as such`() throws {
        let workshop = try Workshop()
        let published = try workshop.store.publish(try Samples.fleet("1.4.0", iso: workshop.iso)).manifest
        var about = published.description
        about.nodes[1].uuid = "01234567-89ab-cdef-0123-456789abcdef"
        let text = String(
            decoding: try Manifest(about, artefacts: published.artefacts, media: published.media).encoded(),
            as: UTF8.self)
        func fault(_ parts: (String, String)) throws -> String? {
            let swapped = text.split(separator: parts.0, omittingEmptySubsequences: false)
                .map { $0.split(separator: parts.1, omittingEmptySubsequences: false).joined(separator: parts.0) }
                .joined(separator: parts.1)
            try #require(swapped != text)
            return #expect(throws: BundleError.self) { try Manifest(decoding: Array(swapped.utf8)) }?.detail
        }
        let first = """
                {
                  "hostname" : "edge-001.example.org",
                  "name" : "edge-001"
                }
            """
        let second = """
                {
                  "hostname" : "edge-002.example.org",
                  "name" : "edge-002",
                  "uuid" : "01234567-89ab-cdef-0123-456789abcdef"
                }
            """
        #expect(
            try fault((first, second)) == "has 'nodes' out of order: 'edge-002' stands where 'edge-001' belongs")
        let files = ("\"alpine-virt-3.23.6-x86_64.iso\"", "\"edge-1.4.0-x86_64-kubesolo\"")
        #expect(try fault(files)?.hasPrefix("has 'artefacts' out of order: 'edge-1.4.0-x86") == true)
    }

    @Test func `media of a fleet name the node and have no digest`() throws {
        let workshop = try Workshop()
        let published = try workshop.store.publish(try Samples.fleet("1.4.0", iso: workshop.iso)).manifest
        func manifest(_ file: String, _ result: MediumRecipe.Result? = nil) throws -> Manifest {
            try Manifest(
                published.description, artefacts: published.artefacts,
                media: [
                    .init(
                        file: file,
                        composition: .boot(
                            overlay: "{node}.apkovl.tar.gz", arguments: ["apkovl=/{node}.apkovl.tar.gz"]),
                        result: result)
                ])
        }
        let recipe = try #require(try manifest("edge-{node}.iso").medium(.boot)).of("edge-002")
        #expect(recipe.file == "edge-edge-002.iso")
        #expect(
            recipe.composition
                == .boot(overlay: "edge-002.apkovl.tar.gz", arguments: ["apkovl=/edge-002.apkovl.tar.gz"]))
        #expect(throws: BundleError.self) { try manifest("edge.iso") }
        let result = MediumRecipe.Result(size: 1, sha256: Digest(of: []))
        #expect(throws: BundleError.self) { try manifest("edge-{node}.iso", result) }
        // What is written can be read.
        #expect(try Manifest(decoding: manifest("edge-{node}.iso").encoded()) == manifest("edge-{node}.iso"))
    }

    @Test func `a list of checksums reaches into the directories of nodes and nowhere else`() {
        let digest = String(repeating: "0", count: 64)
        #expect(throws: Never.self) { try ChecksumList(decoding: Array("\(digest)  nodes/a/x.iso\n".utf8)) }
        for name in [
            "nodes/x", "nodes/../x", "nodes/a/../x", "nodes/A/x", "other/a/x", "nodes/a/b/x", "/nodes/a/x", "nodes//x",
        ] {
            #expect(throws: BundleError.self, "\(name)") {
                try ChecksumList(decoding: Array("\(digest)  \(name)\n".utf8))
            }
        }
    }
}
