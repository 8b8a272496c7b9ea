import Artefact
import CloudInit
import ISOBuild
import Node
import SystemPackage
import TestSupport
import Testing

struct SeedImageTests {
    private static let overlay = (name: "edge-001.apkovl.tar.gz", content: Content.text("overlay"))

    @Test func `the medium holds the seed, one overlay in its root and the binary, each with its mode`() throws {
        let seed = try Seed(node: Samples.node(userData: "#cloud-config\n{}\n"))
        let tree = try SeedImage.tree(
            files: seed.files, overlay: Self.overlay, binary: .text("ELF"), holdingSecrets: true)
        #expect(
            tree.entries.map { "\($0.path) \($0.mode) \($0.isSecret)" } == [
                "edge-001.apkovl.tar.gz 0600 true", "ksbuild 0755 false", "ksbuild/kubesolo 0555 false",
                "meta-data 0644 false", "network-config 0644 false", "user-data 0600 true",
            ])
        let bare = try SeedImage.tree(files: seed.files, overlay: nil, binary: nil, holdingSecrets: false)
        #expect(bare == seed.files)
    }

    @Test(arguments: ["a.tar.gz", "a.apkovl.tar.gz.sig", "d/a.apkovl.tar.gz", "a.apkovl.tar", ""])
    func `an overlay under a name that init does not find is refused`(name: String) throws {
        let error = #expect(throws: CloudInitError.self) {
            try SeedImage.tree(files: FileTree(), overlay: (name, .text("x")), binary: nil, holdingSecrets: false)
        }
        #expect(error?.code == .misplaced)
    }

    @Test(arguments: [
        ("b.apkovl.tar.gz", false), ("edge-001.apkovl.tar.gz.sha256", false), ("B.APKOVL.TAR.GZ", false),
        ("old/b.apkovl.tar.gz", true), ("b.apkovl.tgz", true), ("repo/.boot_repository", false),
        ("ksbuild/.boot_repository", false), ("ksbuild/repo/.boot_repository", true), (".boot_repository", true),
        ("user-data", false), ("ksbuild/kubesolo", false), ("ksbuild", false), ("notes.txt", true),
    ])
    func `nothing is added that init would take for something else, or that covers a file`(
        path: String, isAllowed: Bool
    ) throws {
        let scratch = try Scratch()
        let source = try scratch.file("source", "x", mode: .executable)
        var tree = try SeedImage.tree(
            files: Seed(node: Samples.node()).files, overlay: Self.overlay, binary: .text("ELF"), holdingSecrets: false)
        let before = tree
        let addition = try HostAddition("\(source):/\(path)")
        if isAllowed {
            try SeedImage.add([addition], to: &tree)
            #expect(try tree[EntryPath(path)]?.mode == .executable)
        } else {
            #expect(throws: (any Error).self) { try SeedImage.add([addition], to: &tree) }
            #expect(tree == before)
        }
    }

    @Test func `an addition is a file or directory and a place, and the last colon parts them`() throws {
        let scratch = try Scratch()
        #expect(try HostAddition("a:b:c").source == "a:b")
        #expect(try HostAddition("a:/b/c").path.string == "b/c")
        for text in ["", "a", ":b", "a:", "a:/", "a:../b", "a:b/"] {
            #expect(throws: (any Error).self, "\(text)") { try HostAddition(text) }
        }
        var tree = FileTree()
        let missing = try HostAddition("\(scratch.path)/none:x")
        #expect(throws: ArtefactError.self) { try SeedImage.add([missing], to: &tree) }
        _ = try scratch.file("one", "1", mode: .file)
        try SeedImage.add([try HostAddition("\(scratch.path):x")], to: &tree)
        #expect(tree.entries.map(\.path.string) == ["x", "x/one"])
        let pipe = try HostAddition("/dev/null:x")
        #expect(throws: ArtefactError.self) { try SeedImage.add([pipe], to: &tree) }
    }

    @Test func `cloud-init reads the seed from the image that is written`() async throws {
        let scratch = try Scratch()
        let vendor = Array("#!/bin/sh\n".utf8)
        let node = try Samples.node(
            hostname: "edge.example.com",
            seed: SeedSettings(userData: Array("#cloud-config\ntimezone: UTC\n".utf8), vendorData: vendor))
        let seed = try Seed(node: node)
        let binary = try scratch.file("kubesolo", [UInt8](repeating: 0x7f, count: 300_000), mode: .executable)
        let tree = try SeedImage.tree(
            files: seed.files, overlay: Self.overlay, binary: .file(binary, size: 300_000), holdingSecrets: false)
        let image = scratch.path.appending("cidata.iso")
        try ISOWriter(volumeIdentifier: SeedImage.volumeIdentifier, epoch: node.stamp.epoch)
            .write(tree, to: image, mode: .secret, digesting: false)

        let probe = try await run("blkid", ["-p", "-o", "export", image.string])
        #expect(probe.output.contains("LABEL=cidata\n") && probe.output.contains("TYPE=iso9660\n"), "\(probe.errors)")
        let extracted = scratch.path.appending("extracted")
        let extraction = try await run(
            "xorriso", ["-osirrox", "on:sort_lba_off", "-indev", image.string, "-extract", "/", extracted.string])
        #expect(extraction.succeeded, "\(extraction.errors)")
        #expect(
            try HostFile.names(in: extracted) == ["edge-001.apkovl.tar.gz", "ksbuild"]
                + seed.files.entries.map(\.path.string))
        #expect(try Digest(ofFile: extracted.pushing("ksbuild/kubesolo")) == Digest(ofFile: binary))
        let verdict = try #require(try await CloudInitPeer.judge([extracted], in: scratch.path).first)
        #expect(verdict.refusals == [])
        #expect(verdict.instanceID == seed.instanceIdentifier)
        #expect(verdict.localHostname == "edge.example.com")
        #expect(verdict.userData == Digest(of: Array(try seed.files.text("user-data").utf8)).hex)
        #expect(verdict.vendorData == Digest(of: vendor).hex)
    }
}
