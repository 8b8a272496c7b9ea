import Artefact
import Glibc
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Images that other programs made.
@Suite struct ForeignISOTests {
    static func source(in scratch: borrowing Scratch) throws -> FilePath {
        try scratch.file("tree/" + (1...12).map { "level\($0)" }.joined(separator: "/") + "/deep", "deep")
        try scratch.file("tree/" + String(repeating: "long", count: 60), "long", mode: EntryMode(0o640))
        try scratch.file("tree/empty", "")
        try scratch.file("tree/Größe.txt", String(repeating: "x", count: 5000))
        try HostFile.makeSymlink(scratch.path.appending("tree/link"), to: "/level1/../empty")
        return scratch.path.appending("tree")
    }

    static func expectSame(_ image: FilePath, besides: [String] = []) throws {
        let reader = try ISOReader(image)
        #expect(reader.nameSpace == .rockRidge)
        let paths = Set(try reader.entries().map(\.path))
        let levels = (1...12).map { last in (1...last).map { "level\($0)" }.joined(separator: "/") }
        let names = [levels[11] + "/deep", String(repeating: "long", count: 60), "empty", "Größe.txt", "link"]
        #expect(paths == Set(levels + names + besides))
        let deep = try #require(try reader.entry(at: levels[11] + "/deep"))
        #expect(try reader.read(deep, limit: 10) == Array("deep".utf8))
        let long = try #require(try reader.entry(at: String(repeating: "long", count: 60)))
        #expect(long.mode == EntryMode(0o640) && long.size == 4)
        #expect(try reader.entry(at: "link")?.kind == .symlink(target: "/level1/../empty"))
    }

    @Test func `an image of xorriso is read`() async throws {
        let scratch = try Scratch()
        let image = scratch.path.appending("a.iso")
        let made = try await run(
            "xorriso",
            ["-as", "mkisofs", "-R", "-J", "-V", "LABEL", "-o", image.string, Self.source(in: scratch).string])
        #expect(made.succeeded, "\(made.errors)")
        try Self.expectSame(image)
        let joliet = try ISOReader(image, nameSpace: .joliet)
        #expect(try joliet.entry(at: "Größe.txt")?.size == 5000)
        let plain = try ISOReader(image, nameSpace: .plain)
        #expect(try plain.entries().contains { $0.path.hasPrefix("LEVEL1/LEVEL2/LEVEL3") })
    }

    @Test func `directories that genisoimage relocated are seen where they belong`() async throws {
        let scratch = try Scratch()
        let image = scratch.path.appending("a.iso")
        let made = try await run(
            "genisoimage", ["-quiet", "-R", "-o", image.string, Self.source(in: scratch).string])
        #expect(made.succeeded, "\(made.errors)")
        try Self.expectSame(image, besides: ["rr_moved"])
        #expect(throws: ISOError.self) { _ = try ISOReader(image, nameSpace: .joliet) }
    }

    @Test func `the boot entries of a medium for BIOS and UEFI are read`() async throws {
        let scratch = try Scratch()
        let image = scratch.path.appending("a.iso")
        let tree = try Self.source(in: scratch)
        try scratch.file("tree/boot.img", [UInt8](repeating: 1, count: 4096))
        try scratch.file("tree/efi.img", [UInt8](repeating: 2, count: 8192))
        let made = try await run(
            "xorriso",
            [
                "-as", "mkisofs", "-R", "-b", "boot.img", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4",
                "-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot", "-o", image.string, tree.string,
            ])
        #expect(made.succeeded, "\(made.errors)")
        let reader = try ISOReader(image)
        let boot = try reader.bootEntries()
        #expect(boot.map(\.platform) == [.bios, .efi])
        #expect(boot.allSatisfy { $0.isBootable && $0.emulation == 0 })
        #expect(boot.map(\.sectors) == [4, 16])
        let files = try ["boot.img", "efi.img"].map { try #require(try reader.entry(at: $0)).extents[0].sector }
        #expect(boot.map(\.location) == files)
        var bytes = try HostFile.read(image, limit: 1 << 24)
        let catalog = Int(try #require(reader.volume.bootCatalog))
        bytes[catalog * 2048 + 30] = 0
        let broken = try scratch.file("broken.iso", bytes)
        let error = try #require(throws: ISOError.self) { try ISOReader(broken).bootEntries() }
        #expect(error.code == .damaged && error.sector == UInt32(catalog))
    }

    @Test func `a file of several extents is read whole`() async throws {
        let scratch = try Scratch()
        let source = scratch.path.appending("tree")
        try HostFile.makeDirectory(source)
        let size: UInt64 = (4160 << 20) + 7
        let file = source.appending("large")
        let script =
            "truncate -s $1 large; for at in 0 4095 4159; do printf mark | dd of=large bs=1M seek=$at conv=notrunc; done"
        let made = try await run("sh", ["-c", script, "sh", "\(size)"], in: source)
        #expect(made.succeeded, "\(made.errors)")
        var tree = FileTree()
        try tree.insert(
            TreeEntry(path: EntryPath("large"), kind: .file(.file(file, size: size)), mode: .file, origin: "test"))
        try tree.addFile("zlast", "last", origin: "test")
        let image = scratch.path.appending("a.iso")
        try ISOWriterTests.writer.write(tree, to: image, mode: .file, digesting: false)
        let reader = try ISOReader(image)
        let entry = try #require(try reader.entry(at: "large"))
        #expect(entry.size == size && entry.extents.map(\.length) == [0xFFFF_F800, 0x0400_0807])
        try Self.expectMarks(reader, entry)
        #expect(try reader.read(try #require(try reader.entry(at: "zlast")), limit: 4) == Array("last".utf8))
        let compared = try await run("sh", ["-c", "bsdtar -xOf a.iso large | cmp - tree/large"], in: scratch.path)
        #expect(compared.succeeded, "\(compared.output) \(compared.errors)")
        let listed = try await run("xorriso", ["-indev", image.string, "-lsl", "/large"])
        #expect(listed.output.contains("\(size)"), "\(listed.output)")
    }

    /// The large file is zero but for the marks.
    static func expectMarks(_ reader: borrowing ISOReader, _ entry: ISOEntry) throws {
        let zeros = [UInt8](repeating: 0, count: HostFile.chunkSize)
        var position: UInt64 = 0
        var found: [UInt64] = []
        try reader.forEachChunk(of: entry) { chunk in
            let isZero = unsafe chunk.withUnsafeBytes { bytes in
                unsafe zeros.withUnsafeBytes { zeros in
                    guard let left = zeros.baseAddress, let right = bytes.baseAddress else { return true }
                    return unsafe memcmp(left, right, bytes.count) == 0
                }
            }
            if !isZero {
                var first = 0
                while chunk[first] == 0 { first += 1 }
                if chunk[first] == UInt8(ascii: "m") { found.append(position + UInt64(first)) }
            }
            position += UInt64(chunk.count)
        }
        #expect(position == entry.size)
        #expect(found == [0, 4095 << 20, 4159 << 20])
    }
}
