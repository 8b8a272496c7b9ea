import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

@Suite struct ISOWriterTests {
    static let writer = ISOWriter(volumeIdentifier: "cidata", epoch: BuildStamp.defaultEpoch)

    @Test func `an image holds what the tree held`() throws {
        let scratch = try Scratch()
        var tree = FileTree()
        try tree.addFile("user-data", "#cloud-config\n", mode: .secret, origin: "test")
        try tree.addFile("meta-data", "", origin: "test")
        try tree.addFile("deep/er/\(String(repeating: "ü", count: 127))x", "name", origin: "test")
        try tree.addSymlink("link", to: "/deep/../er/./x", origin: "test")
        let target = scratch.path.appending("a.iso")
        let written = try Self.writer.write(tree, to: target, mode: .secret, digesting: true)
        #expect(written.digest == (try Digest(ofFile: target)))
        #expect(try HostFile.status(of: target).mode == .secret)
        let reader = try ISOReader(target)
        #expect(reader.volume.volumeIdentifier == "cidata")
        #expect(reader.volume.jolietVolumeIdentifier == "cidata")
        #expect(reader.volume.created == BuildStamp.defaultEpoch)
        #expect(reader.volume.nameSpaces == [.rockRidge, .joliet, .plain])
        #expect(UInt64(reader.volume.sectors) * 2048 == written.size)
        let entries = try reader.entries()
        #expect(entries.map(\.path) == tree.entries.map(\.path.string))
        #expect(entries.map(\.mode) == tree.entries.map(\.mode))
        let link = try #require(try reader.entry(at: "link"))
        #expect(link.kind == .symlink(target: "/deep/../er/./x"))
        let file = try #require(try reader.entry(at: "/user-data"))
        #expect(try reader.read(file, limit: 100) == Array("#cloud-config\n".utf8))
        #expect(throws: ISOError.self) { try reader.read(file, limit: 13) }
        #expect(try reader.entry(at: "user-data/x") == nil)
        #expect(try reader.entry(at: "")?.isDirectory == true)
    }

    @Test func `an image without digest has none`() throws {
        let scratch = try Scratch()
        let written = try Self.writer.write(
            FileTree(), to: scratch.path.appending("a.iso"), mode: .file, digesting: false)
        #expect(written.digest == nil)
    }

    @Test func `three small files take as few sectors as the format allows`() throws {
        let scratch = try Scratch()
        var tree = FileTree()
        for name in ["meta-data", "network-config", "user-data"] { try tree.addFile(name, "x", origin: "test") }
        let target = scratch.path.appending("a.iso")
        // 16 of the system area, 3 descriptors, 4 path tables, 2 roots, 1 continuation area, 3 files.
        #expect(try Self.writer.write(tree, to: target, mode: .file, digesting: false).size == 29 * 2048)
        let padded = ISOWriter(volumeIdentifier: "cidata", epoch: 0, padding: true)
        #expect(try padded.write(tree, to: target, mode: .file, digesting: false).size == 179 * 2048)
        #expect(try ISOReader(target).volume.sectors == 179)
    }

    @Test(arguments: ["", String(repeating: "x", count: 33), "wörld", "a\nb"])
    func `a label that no descriptor holds is refused`(_ label: String) throws {
        let scratch = try Scratch()
        let target = scratch.path.appending("a.iso")
        let error = #expect(throws: ISOError.self) {
            try ISOWriter(volumeIdentifier: label, epoch: 0).write(
                FileTree(), to: target, mode: .file, digesting: false)
        }
        #expect(error?.code == .unrepresentable)
        #expect(!HostFile.exists(target))
    }

    static func refusal(_ tree: FileTree, epoch: Int64 = 0) throws -> String {
        let scratch = try Scratch()
        let target = scratch.path.appending("a.iso")
        let error = try #require(throws: ISOError.self) {
            try ISOWriter(volumeIdentifier: "cidata", epoch: epoch).write(
                tree, to: target, mode: .file, digesting: false)
        }
        #expect(error.code == .unrepresentable && !HostFile.exists(target))
        return error.description
    }

    @Test func `what no image can hold is refused with the path that is to blame`() throws {
        for target in ["", String(repeating: "t", count: 1024), "a\0b"] {
            var tree = FileTree()
            try tree.addSymlink("a/link", to: target, origin: "test")
            #expect(try Self.refusal(tree).hasPrefix("a/link: cannot be written to an ISO image: it has a target of"))
        }
        var deep = FileTree()
        try deep.addFile(Array(repeating: "d", count: 128).joined(separator: "/"), "", origin: "test")
        #expect(try Self.refusal(deep).contains("lies more than 127 levels deep"))
        var old = FileTree()
        try old.insert(
            TreeEntry(
                path: EntryPath("old"), kind: .file(.text("")), mode: .file, modified: -2_208_988_801, origin: "test"))
        #expect(try Self.refusal(old).hasPrefix("old: cannot be written to an ISO image: it has a time outside"))
        #expect(try Self.refusal(FileTree(), epoch: 5_869_584_000).contains("outside the years 1900 to 2155"))
        var large = FileTree()
        for number in 0..<2 {
            try large.insert(
                TreeEntry(
                    path: EntryPath("large\(number)"), kind: .file(.file("/nonexistent", size: 5 << 40)), mode: .file,
                    origin: "test"))
        }
        #expect(try Self.refusal(large).contains("larger than the 8 TiB"))
    }

    @Test func `more directories than a path table numbers are refused`() throws {
        var tree = FileTree()
        for number in 0..<65_535 { try tree.addDirectory("\(number % 256)/\(number)", origin: "test") }
        #expect(try Self.refusal(tree).contains("65792 directories"))
    }

    @Test func `a file that changed since the tree was made leaves the old image`() throws {
        let scratch = try Scratch()
        let source = try scratch.file("source", "four")
        let target = try scratch.file("a.iso", "old")
        var tree = FileTree()
        try tree.insert(
            TreeEntry(path: EntryPath("f"), kind: .file(.file(source, size: 5)), mode: .file, origin: "test"))
        #expect(throws: ArtefactError.self) {
            try Self.writer.write(tree, to: target, mode: .file, digesting: false)
        }
        #expect(try HostFile.read(target, limit: 10) == Array("old".utf8))
    }

    @Test func `owners and times at the ends of their ranges are kept`() async throws {
        let scratch = try Scratch()
        var tree = FileTree()
        let times: [Int64] = [-2_208_988_800, -1, 0, 951_782_400, 4_107_542_400, 5_869_583_999]
        for time in times {
            try tree.insert(
                TreeEntry(
                    path: EntryPath("t\(time)"), kind: .file(.text("x")), mode: EntryMode(0o7777), owner: .max - 1,
                    group: 65_534, modified: time, origin: "test"))
        }
        let target = scratch.path.appending("a.iso")
        try Self.writer.write(tree, to: target, mode: .file, digesting: false)
        let entries = try ISOReader(target).entries()
        #expect(entries.map(\.modified) == tree.entries.map(\.modified))
        #expect(entries.allSatisfy { $0.owner == .max - 1 && $0.group == 65_534 && $0.mode.bits == 0o7777 })
        let listing = try await run("bsdtar", ["-tvf", target.string, "--numeric-owner"], environment: ["TZ": "UTC"])
        #expect(listing.output.contains("4294967294"))
        #expect(listing.output.contains("Dec 31  2155 t5869583999"))
    }

    @Test func `the bytes depend on the tree alone`() async throws {
        let scratch = try Scratch()
        let tree = try TreeGenerator.tree(50, seed: ISOPeerTests.seed)
        var shuffled = FileTree()
        var random = SeededGenerator(seed: 1)
        for entry in tree.entries.shuffled(using: &random) { try shuffled.insert(entry) }
        let first = scratch.path.appending("1.iso")
        let second = scratch.path.appending("2.iso")
        let digest = try Self.writer.write(tree, to: first, mode: .file, digesting: true).digest
        #expect(try Self.writer.write(shuffled, to: second, mode: .secret, digesting: true).digest == digest)
        // Fixed once and for all: another digest means that images made from now on differ from those made before.
        var small = FileTree()
        try small.addFile("user-data", "#cloud-config\n", mode: .secret, origin: "test")
        try small.addFile("a/" + String(repeating: "b", count: 255), "", origin: "test")
        try small.addSymlink("a/l", to: "../c", origin: "test")
        let written = try Self.writer.write(small, to: second, mode: .file, digesting: true)
        #expect(written.digest?.hex == "cf5d8b61483b1f0fe766250aef06e1fee5d8b6e9963b9de3768ef863c16b3fec")
    }
}
