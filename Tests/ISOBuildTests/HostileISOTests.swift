import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Images that lie: each has its exact reason, none costs more than the limits allow.
@Suite struct HostileISOTests {
    /// A change to the bytes of a good image and what the reader says of the outcome.
    struct Lie: Sendable, CustomTestStringConvertible {
        let name: String
        let code: ISOError.Code
        let reason: String
        let sector: UInt32?
        let change: @Sendable (inout [UInt8]) -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ code: ISOError.Code, _ reason: String, sector: UInt32? = nil,
            _ change: @escaping @Sendable (inout [UInt8]) -> Void
        ) {
            self.name = name
            self.code = code
            self.reason = reason
            self.sector = sector
            self.change = change
        }
    }

    /// Of the good image: `a` and `b` are directories, `b/long` has a continuation area, `file` 5000 bytes.
    static let root = 23
    static let lies: [Lie] = [
        Lie("an empty file", .notISO9660, "no volume descriptor at byte 32768 of 0") { $0 = [] },
        Lie("a text", .notISO9660, "no volume descriptor at byte 32768 of 6") { $0 = Array("hello\n".utf8) },
        Lie("zeros", .notISO9660, "no volume descriptor at byte 32768 of 65536") {
            $0 = [UInt8](repeating: 0, count: 65_536)
        },
        Lie("another identifier", .notISO9660, "no volume descriptor") { $0[32_769] = 0x42 },
        Lie("cut in the system area", .notISO9660, "no volume descriptor at byte 32768 of 20000") {
            $0.removeLast($0.count - 20_000)
        },
        Lie("cut in the first descriptor", .truncated, "a volume descriptor would end at byte 34816") {
            $0.removeLast($0.count - 33_000)
        },
        Lie("cut after the first descriptor", .truncated, "a volume descriptor would end at byte 36864") {
            $0.removeLast($0.count - 34_816)
        },
        Lie("cut in the second descriptor", .truncated, "a volume descriptor would end at byte 36864") {
            $0.removeLast($0.count - 36_000)
        },
        Lie("cut before the terminator", .truncated, "a volume descriptor would end at byte 38912") {
            $0.removeLast($0.count - 36_864)
        },
        Lie("cut after the terminator", .truncated, "promises") { $0.removeLast($0.count - 38_912) },
        Lie("cut in the path tables", .truncated, "promises") { $0.removeLast($0.count - 40_000) },
        Lie("cut in the last file", .truncated, "promises") { $0.removeLast(1) },
        Lie("no terminator", .damaged, "no volume descriptor and none before it ends the set", sector: 19) {
            $0[18 * 2048] = 0
        },
        Lie("no primary descriptor", .damaged, "no primary volume descriptor", sector: 16) { $0[16 * 2048] = 3 },
        Lie("endless descriptors", .limitExceeded, "more than 64 volume descriptors", sector: 80) { bytes in
            let descriptor = Array(bytes[(16 * 2048)..<(17 * 2048)])
            bytes = Array(bytes[..<(16 * 2048)]) + (0..<80).flatMap { _ in descriptor }
        },
        Lie("blocks of 512 bytes", .unsupported, "logical blocks of 512 bytes", sector: 16) {
            $0.put16(512, at: 16 * 2048 + 128)
        },
        Lie("a root that is a file", .damaged, "the root directory's record is no directory record", sector: 16) {
            $0[16 * 2048 + 156 + 25] = 0
        },
        Lie("a root record of no length", .damaged, "the root directory's record", sector: 16) {
            $0[16 * 2048 + 156] = 0
        },
        Lie("a root outside of the image", .damaged, "the root directory lies outside of the image", sector: 9999) {
            $0.put32(9999, at: 16 * 2048 + 156 + 2)
        },
        Lie("a root of 4 GiB", .limitExceeded, "its directories have more than 67108864 bytes") {
            $0.put32(.max, at: 16 * 2048 + 156 + 10)
        },
        Lie("a root longer than the image", .damaged, "the directory / lies outside of the image", sector: 23) {
            $0.put32(1 << 20, at: 16 * 2048 + 156 + 10)
        },
        Lie("a directory outside of the image", .damaged, "the directory \"a\" lies outside of the image", sector: 7777)
        { $0.put32(7777, at: $0.record("A", in: root) + 2) },
        Lie("a directory that is its own child", .damaged, "is reached twice, so the tree has a loop", sector: 23) {
            $0.put32(23, at: $0.record("A", in: root) + 2)
        },
        Lie("two directories of one extent", .damaged, "\"b\" is reached twice", sector: 25) {
            $0.put32(25, at: $0.record("B", in: root) + 2)
        },
        Lie("a record across the end of its sector", .damaged, "contradicts its length", sector: 23) {
            $0.extendLastRecord(in: root)
        },
        Lie("a record shorter than its identifier", .damaged, "contradicts its length", sector: 23) {
            $0[$0.record("A", in: root) + 32] = 250
        },
        Lie("a record without an identifier", .damaged, "contradicts its length", sector: 23) {
            $0[$0.record("A", in: root) + 32] = 0
        },
        Lie("a record of one byte", .damaged, "contradicts its length of 1", sector: 23) {
            $0[$0.record("A", in: root)] = 1
        },
        Lie("a system use entry of no length", .damaged, "a system use entry has a wrong length of 0", sector: 23) {
            $0[$0.entry("PX", of: "A", in: root) + 2] = 0
        },
        Lie("a system use entry of 255 bytes", .damaged, "a system use entry has a wrong length of 255", sector: 23) {
            $0[$0.entry("PX", of: "A", in: root) + 2] = 255
        },
        Lie("a continuation area that leads to itself", .limitExceeded, "or a loop of them") { bytes in
            let entry = bytes.entry("CE", of: "LONG.;1", in: 26)
            let area = bytes.get32(entry + 4)
            bytes.put32(28, at: entry + 20)
            bytes.replaceSubrange(
                (area * 2048)..<(area * 2048 + 28), with: Array(bytes[entry..<(entry + 28)]))
        },
        Lie("a continuation area across a sector", .damaged, "a continuation area crosses the end of its sector") {
            $0.put32(2040, at: $0.entry("CE", of: "LONG.;1", in: 26) + 12)
        },
        Lie("a continuation area of 4 GiB", .damaged, "a continuation area crosses the end of its sector") {
            $0.put32(.max, at: $0.entry("CE", of: "LONG.;1", in: 26) + 20)
        },
        Lie("a continuation area outside of the image", .damaged, "a continuation area lies outside of the image") {
            $0.put32(1 << 24, at: $0.entry("CE", of: "LONG.;1", in: 26) + 4)
        },
        Lie("a name with a slash", .damaged, "no file can have the name", sector: 23) {
            $0[$0.entry("NM", of: "A", in: root) + 5] = UInt8(ascii: "/")
        },
        Lie("a name with a NUL", .damaged, "no file can have the name", sector: 23) {
            $0[$0.entry("NM", of: "A", in: root) + 5] = 0
        },
        Lie("the name ..", .damaged, "no file can have the name \"..\"", sector: 23) {
            let entry = $0.entry("NM", of: "UP.;1", in: root)
            $0[entry + 5] = UInt8(ascii: ".")
            $0[entry + 6] = UInt8(ascii: ".")
        },
        Lie("a name of thousands of bytes", .limitExceeded, "a name is longer than 255 bytes") { bytes in
            let area = bytes.get32(bytes.entry("CE", of: "LONG.;1", in: 26) + 4) * 2048
            bytes.put32(2040, at: bytes.entry("CE", of: "LONG.;1", in: 26) + 20)
            bytes[bytes.entry("NM", of: "LONG.;1", in: 26) + 4] = 1
            let piece = Array("NM".utf8) + [255, 1, 1] + [UInt8](repeating: 0x78, count: 250)
            bytes.replaceSubrange(area..<(area + 2040), with: Array((0..<8).flatMap { _ in piece }))
        },
        Lie("a component longer than its entry", .damaged, "a component of a link is longer than its entry", sector: 23)
        { $0[$0.entry("SL", of: "LINK.;1", in: root) + 6] = 200 },
        Lie("a file outside of the image", .damaged, "the bytes of \"file\" would end at byte", sector: 1 << 30) {
            $0.put32(1 << 30, at: $0.record("FILE.;1", in: root) + 2)
        },
        Lie("a file longer than the image", .damaged, "the bytes of \"file\" would end at byte") {
            $0.put32(1 << 30, at: $0.record("FILE.;1", in: root) + 10)
        },
        Lie("an extended attribute record", .unsupported, "that is interleaved or begins with", sector: 23) {
            $0[$0.record("FILE.;1", in: root) + 1] = 1
        },
        Lie("an interleaved file", .unsupported, "that is interleaved or begins with", sector: 23) {
            $0[$0.record("FILE.;1", in: root) + 26] = 1
        },
        Lie("a file that continues nowhere", .damaged, "a file of several extents lacks its last", sector: 23) {
            $0[$0.record("FILE.;1", in: root) + 25] = 0x80
        },
    ]

    static func goodTree() throws -> FileTree {
        var tree = FileTree()
        try tree.addFile("a/inner", "inner", origin: "test")
        try tree.addFile("b/long", "", origin: "test")
        try tree.addFile("b/" + String(repeating: "long", count: 50), "", origin: "test")
        try tree.addFile("file", String(repeating: "x", count: 5000), origin: "test")
        try tree.addFile("up", "", origin: "test")
        try tree.addSymlink("link", to: "a/inner", origin: "test")
        return tree
    }

    static func goodImage(in scratch: borrowing Scratch) throws -> [UInt8] {
        var tree = try goodTree()
        _ = try tree.overlay(
            TreeEntry(
                path: EntryPath("b/long"), kind: .symlink(target: String(repeating: "t", count: 200)), mode: .symlink,
                origin: "test"))
        let target = scratch.path.appending("good.iso")
        try ISOWriter(volumeIdentifier: "cidata", epoch: 0).write(tree, to: target, mode: .file, digesting: false)
        return try HostFile.read(target, limit: 1 << 20)
    }

    /// Reads all that an image holds.
    static func readAll(_ path: FilePath) throws {
        let reader = try ISOReader(path)
        for nameSpace in reader.volume.nameSpaces {
            let other = try ISOReader(path, nameSpace: nameSpace)
            for entry in try other.entries() where entry.kind == .file { try other.forEachChunk(of: entry) { _ in } }
        }
        _ = try reader.bootEntries()
    }

    @Test(arguments: lies) func `a lie has its reason`(_ lie: Lie) throws {
        let scratch = try Scratch()
        var bytes = try Self.goodImage(in: scratch)
        lie.change(&bytes)
        let path = try scratch.file("lie.iso", bytes)
        let error = try #require(throws: ISOError.self) { try Self.readAll(path) }
        #expect(error.code == lie.code, "\(error)")
        #expect(error.description.contains(lie.reason), "\(error)")
        #expect(error.description.hasPrefix(path.string), "\(error)")
        if let sector = lie.sector { #expect(error.sector == sector, "\(error)") }
    }

    @Test func `the good image that is changed is read`() throws {
        let scratch = try Scratch()
        _ = try Self.goodImage(in: scratch)
        try Self.readAll(scratch.path.appending("good.iso"))
    }

    @Test func `an image with 2,000 random faults is read or refused, never more`() throws {
        let scratch = try Scratch()
        let good = try Self.goodImage(in: scratch)
        let seed: UInt64 = 4242
        var random = SeededGenerator(seed: seed)
        var refused = 0
        let path = scratch.path.appending("fault.iso")
        for round in 0..<2000 {
            var bytes = good
            if round % 5 == 0 {
                bytes.removeLast(Int.random(in: 1...good.count, using: &random))
            } else {
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let place = Int.random(in: (16 * 2048)..<good.count, using: &random)
                    bytes[place] = UInt8.random(in: 0...255, using: &random)
                }
            }
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
            try file.closeAfter { unsafe _ = try bytes.withUnsafeBytes { unsafe try file.writeAll($0) } }
            do {
                try Self.readAll(path)
            } catch is ISOError {
                refused += 1
            } catch {
                Issue.record("seed \(seed), round \(round): \(error)")
            }
        }
        #expect((400..<1800).contains(refused), "seed \(seed): \(refused) were refused")
    }

    @Test func `limits bound entries, paths and depth`() throws {
        let scratch = try Scratch()
        _ = try Self.goodImage(in: scratch)
        let path = scratch.path.appending("good.iso")
        func reason(_ change: (inout ISOLimits) -> Void) throws -> String {
            var limits = ISOLimits()
            change(&limits)
            let error = try #require(throws: ISOError.self) { try ISOReader(path, limits: limits).entries() }
            #expect(error.code == .limitExceeded)
            return error.description
        }
        #expect(try reason { $0.entries = 3 }.contains("more than 3 entries"))
        #expect(try reason { $0.pathBytes = 20 }.contains("the paths have more than 20 bytes"))
        #expect(try reason { $0.depth = 1 }.contains("more than 1 levels"))
        #expect(try reason { $0.structureBytes = 2048 }.contains("more than 2048 bytes"))
        #expect(try reason { $0.targetBytes = 5 }.contains("longer than 5 bytes"))
        #expect(try reason { $0.extents = 0 }.contains("more than 0 extents"))
    }
}

extension [UInt8] {
    fileprivate mutating func put16(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(value & 0xFF)
        self[offset + 1] = UInt8(value >> 8)
    }

    fileprivate mutating func put32(_ value: UInt32, at offset: Int) {
        put16(UInt16(value & 0xFFFF), at: offset)
        put16(UInt16(value >> 16), at: offset + 2)
    }

    fileprivate func get32(_ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(self[offset + $1]) << (8 * $1) }
    }

    /// Adds a record behind the last one of a sector that claims to go beyond it.
    fileprivate mutating func extendLastRecord(in sector: Int) {
        let first = Array(self[(sector * 2048)..<(sector * 2048 + 34)])
        self[sector * 2048] = 254
        var offset = sector * 2048 + 254
        while offset < (sector + 1) * 2048 - 100 {
            replaceSubrange(offset..<(offset + 34), with: first)
            self[offset] = 34
            offset += 34
        }
        replaceSubrange(offset..<(offset + 34), with: first)
        self[offset] = 254
    }
}
