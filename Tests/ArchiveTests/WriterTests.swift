import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Archive

@Suite struct WriterTests {
    private func tree(_ entries: [TreeEntry]) throws -> FileTree {
        var tree = FileTree()
        for entry in entries { try tree.insert(entry) }
        return tree
    }

    private func entry(_ path: String, _ kind: TreeEntry.Kind, owner: UInt32 = 0, modified: Int64? = nil) throws
        -> TreeEntry
    {
        try TreeEntry(path: EntryPath(path), kind: kind, mode: .file, owner: owner, modified: modified, origin: "test")
    }

    private func tar(_ tree: FileTree, epoch: Int64 = 0) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try TarGzip.writeTar(tree, epoch: epoch) { chunk in for index in chunk.indices { bytes.append(chunk[index]) } }
        return bytes
    }

    @Test func `the gzip header is fixed and there is one member with nothing after it`() throws {
        let scratch = try Scratch()
        let target = scratch.path.appending("a.tar.gz")
        var tree = FileTree()
        try tree.addFile("etc/hostname", "node\n", origin: "test")
        let written = try TarGzip.write(tree, epoch: 0, to: target, mode: .secret)
        let bytes = try HostFile.read(target, limit: 1 << 20)
        #expect(bytes.prefix(10) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
        let members = try Gzip.members(of: bytes, named: "a", limit: 1 << 20)
        #expect(members.count == 1 && members[0].compressed == bytes.indices)
        #expect(try members[0].bytes == tar(tree))
        #expect(written.digest == Digest(of: bytes) && written.size == UInt64(bytes.count))
        #expect(try HostFile.status(of: target).mode == .secret)
    }

    @Test func `the tar bytes are those that are recorded here`() throws {
        var tree = FileTree()
        try tree.addDirectory("root", mode: .privateDirectory, origin: "test")
        try tree.addFile("etc/hostname", "node\n", origin: "test")
        try tree.addSymlink("etc/runlevels/boot/hostname", to: "/etc/init.d/hostname", origin: "test")
        try tree.addFile("etc/init.d/b\u{fc}cher", "#!/sbin/openrc-run\n", mode: .executable, origin: "test")
        try tree.addFile("etc/" + String(repeating: "n", count: 200), "long", origin: "test")
        let bytes = try tar(tree, epoch: 1_767_225_600)
        #expect(bytes.count == 8192)
        #expect(Digest(of: bytes).hex == "6d2dc7664228344aef391737aee753003e945dbfc786d685992558c145d6bd99")
    }

    @Test(arguments: [0, 1, 2, 40, 90]) func `archives that begin alike have the bytes of one compressed whole`(
        shared: Int
    ) async throws {
        let scratch = try Scratch()
        var tree = FileTree()
        var random = SeededGenerator(seed: 4)
        for number in 0..<90 {
            let text = (0..<Int.random(in: 0...3000, using: &random)).map { _ in
                "etc init start stop need use \n".randomElement(using: &random) ?? "-"
            }
            try tree.addFile("f\(100 + number)", String(text), origin: "test")
        }
        let beginning = try TarBeginning(Array(tree.entries.suffix(shared)), epoch: 7)
        // What one archive goes on with is nothing to the next.
        for name in ["first", "second"] {
            let target = scratch.path.appending(name)
            try TarGzip.write(tree, after: beginning, to: target)
            let whole = try await run(
                "python3",
                [
                    "-c",
                    """
                    import gzip, sys, zlib
                    data = open(sys.argv[1], 'rb').read()
                    tar = gzip.decompress(data)
                    one = zlib.compressobj(6, zlib.DEFLATED, -15, 8)
                    print(data[10:-8] == one.compress(tar) + one.flush(), len(tar))
                    """, target.string,
                ])
            #expect(whole.output.hasPrefix("True "), "\(whole.errors)")
            var reader = try ArchiveReader(target)
            var names: [String] = []
            while let member = try reader.next() { names.append(member.name) }
            let paths = tree.entries.map(\.path.string)
            #expect(names == paths.suffix(shared) + paths.dropLast(shared))
        }
    }

    @Test func `the order in which a tree was made does not matter`() throws {
        let tree = try TreeGenerator.tree(7, seed: 1)
        let bytes = try tar(tree)
        var random = SeededGenerator(seed: 2)
        for _ in 0..<5 {
            #expect(try tar(self.tree(tree.entries.shuffled(using: &random))) == bytes)
        }
    }

    @Test func `a header holds numbers, no owner names, and the epoch`() throws {
        let bytes = try tar(tree([entry("file", .file(.text("x")), owner: 1000)]), epoch: 0o1234567)
        let header = Array(bytes.prefix(512))
        func field(_ range: Range<Int>) -> String { String(decoding: header[range], as: UTF8.self) }
        #expect(field(0..<5) == "file\0")
        #expect(field(100..<108) == "0000644\0" && field(108..<116) == "0001750\0" && field(116..<124) == "0000000\0")
        #expect(field(124..<136) == "00000000001\0" && field(136..<148) == "00001234567\0")
        #expect(field(156..<157) == "0" && field(257..<265) == "ustar\u{0}00")
        #expect(header[265..<329].allSatisfy { $0 == 0 })
        #expect(TarHeader.hasValidChecksum(header))
        #expect(bytes.count == 512 + 512 + 1024)
    }

    @Test func `pax records stand only where ustar has no room`() throws {
        func types(_ entry: TreeEntry) throws -> String {
            var tree = FileTree()
            try tree.insert(entry)
            let bytes = try tar(tree)
            var (offset, types) = (0, "")
            while offset + 1024 < bytes.count {
                let header = try TarHeader(Array(bytes[offset..<offset + 512]))
                types.append(Character(Unicode.Scalar(header.type)))
                offset += 512 + (Int(header.size) + 511) / 512 * 512
            }
            return types.filter { $0 != "5" }
        }
        let name = { (count: Int) in String(repeating: "n", count: count) }
        #expect(try types(entry(name(100), .file(.text("")))) == "0")
        #expect(try types(entry(name(101), .file(.text("")))) == "x0")
        #expect(try types(entry("\(name(155))/\(name(100))", .file(.text("")))) == "x0")
        #expect(try types(entry("\(name(80))/\(name(74))/\(name(100))", .file(.text("")))) == "0")
        #expect(try types(entry("\(name(80))/\(name(75))/\(name(100))", .file(.text("")))) == "x0")
        #expect(try types(entry("b\u{fc}cher", .file(.text("")))) == "0")
        #expect(try types(entry("link", .symlink(target: name(100)))) == "2")
        #expect(try types(entry("link", .symlink(target: name(101)))) == "x2")
        #expect(try types(entry("old", .file(.text("")), owner: 4_000_000_000, modified: -5)) == "0")
    }

    @Test(
        arguments: [
            0, 1, -1, 0o7777777, 0o10000000, -0o10000000, 1 << 33, (1 << 33) - 1, .max, .min, 4_294_967_295, 2_097_152,
        ] as [Int64])
    func `a number that fits a field is read back from it`(_ value: Int64) {
        for width in [8, 12] where width == 12 || (-(1 << 54)..<(1 << 54)).contains(value) {
            var block = [UInt8](repeating: 0x55, count: 16)
            TarNumber.write(value, into: &block, at: 2, width: width)
            #expect(TarNumber.read(block[2..<2 + width]) == value)
            #expect(block[1] == 0x55 && block[2 + width] == 0x55)
        }
    }

    @Test func `a file that changed since the tree was made is refused and nothing is written`() throws {
        let scratch = try Scratch()
        let source = try scratch.file("source", "twelve bytes")
        let target = scratch.path.appending("a.tar.gz")
        for size in [11, 13] as [UInt64] {
            let tree = try tree([entry("etc/file", .file(.file(source, size: size)))])
            #expect(throws: ArtefactError.self) { try TarGzip.write(tree, epoch: 0, to: target, mode: .file) }
        }
        #expect(!HostFile.exists(target))
    }

    @Test func `a large file is streamed through, and gzip agrees with every byte`() async throws {
        let scratch = try Scratch()
        let source = scratch.path.appending("large")
        let made = try await run("truncate", ["-s", "100M", source.string])
        #expect(made.succeeded)
        let target = scratch.path.appending("a.tar.gz")
        try TarGzip.write(
            tree([entry("etc/large", .file(.file(source, size: 100 << 20)))]), epoch: 0, to: target, mode: .file)
        let check = try await run("gzip", ["-t", target.string])
        #expect(check.succeeded, "\(check.errors)")
        var limits = ArchiveLimits()
        limits.ratio = 2000
        var reader = try ArchiveReader(target, limits: limits)
        var count = 0
        while let member = try reader.next() {
            guard member.kind == .file else { continue }
            try reader.forEachChunk { count += $0.count }
        }
        #expect(count == 100 << 20)
    }
}
