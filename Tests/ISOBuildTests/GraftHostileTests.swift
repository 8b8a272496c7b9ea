import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import ISOBuild

/// Images that lie, or are of a kind that cannot be grafted: each is refused with its reason, and nothing is written.
@Suite struct GraftHostileTests {
    typealias Lie = HostileISOTests.Lie

    private static func lie(
        _ name: String, _ code: ISOError.Code, _ reason: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void
    ) -> Lie { Lie(name, code, reason, change) }

    /// Changes to the image of ``HostileISOTests/goodTree()``: sector 16 and 17 are descriptors, 19 to 22 path tables.
    static let lies: [Lie] = [
        lie("nothing", .notISO9660, "no volume descriptor") { $0 = [] },
        lie("zeros", .notISO9660, "no volume descriptor") { $0 = [UInt8](repeating: 0, count: 65_536) },
        lie("cut in the descriptors", .truncated, "would end at byte") { $0.removeLast($0.count - 36_000) },
        lie("cut by a sector", .truncated, "its descriptor promises") { $0.removeLast(2048) },
        lie("a volume larger than the file", .truncated, "its descriptor promises") { $0.both(1 << 20, at: .pvd + 80) },
        lie("two sizes", .damaged, "several sizes") { $0.put(UInt32(9), at: .pvd + 84, big: true) },
        lie("Joliet of another size", .damaged, "several sizes") { $0.both(30, at: .joliet + 80) },
        lie("two sizes of a table", .damaged, "several sizes") { $0.put(UInt32(9), at: .pvd + 136, big: true) },
        lie("one of several volumes", .unsupported, "set of several volumes") { $0[.pvd + 120] = 2 },
        lie("blocks of 512 bytes", .unsupported, "logical blocks of 512") { $0.put(UInt16(512), at: .pvd + 128) },
        lie("no primary descriptor", .damaged, "no primary volume descriptor") { $0[.pvd] = 3 },
        lie("no terminator", .damaged, "none before it ends the set") { $0[18 * 2048] = 3 },
        lie("a thousand descriptors", .limitExceeded, "volume descriptors and no terminator") { bytes in
            let one = Array(bytes[.pvd..<(.pvd + 2048)])
            bytes.insert(contentsOf: (0..<1000).flatMap { _ in one }, at: 17 * 2048)
        },
        lie("a third tree", .unsupported, "third directory tree") { bytes in
            bytes.replaceSubrange(.joliet + 88..<(.joliet + 91), with: [0, 0, 0])
        },
        lie("both trees in one place", .damaged, "begin in one place") { bytes in
            bytes.both(UInt32(bytes.root), at: .joliet + 158)
        },
        lie("UDF", .unsupported, "UDF file system") { bytes in
            bytes.replaceSubrange(19 * 2048 + 1..<19 * 2048 + 6, with: Array("BEA01".utf8))
        },
        lie("UDF behind something", .unsupported, "UDF file system") { bytes in
            bytes.replaceSubrange(30 * 2048 + 1..<30 * 2048 + 6, with: Array("NSR02".utf8))
        },
        lie("a later session", .unsupported, "several sessions") { bytes in
            let end = bytes.count / 2048
            let start = (end + 31) / 32 * 32
            bytes += [UInt8](repeating: 0, count: (start + 18) * 2048 - bytes.count)
            bytes.replaceSubrange((start + 16) * 2048..<(start + 17) * 2048, with: Array(bytes[.pvd..<(.pvd + 2048)]))
        },
        lie("a root outside of the image", .damaged, "lies outside") { $0.both(1 << 24, at: .pvd + 158) },
        lie("a root of 4 GiB", .limitExceeded, "more than") { $0.both(.max, at: .pvd + 166) },
        lie("a root that is a file", .damaged, "no directory record") { $0[.pvd + 156 + 25] = 0 },
        lie("a root that tells another place", .damaged, "tells another place") { $0.both(24, at: $0.root * 2048 + 2) },
        lie("a directory without records", .damaged, "does not begin with the records") { bytes in
            let at = bytes.extent(of: "A") * 2048
            bytes.replaceSubrange(at..<at + 2048, with: [UInt8](repeating: 0, count: 2048))
        },
        lie("a directory that holds its parent", .damaged, "the tree has a loop") { bytes in
            bytes.both(UInt32(bytes.root), at: bytes.record("A") + 2)
        },
        lie("two directories in one place", .damaged, "the tree has a loop") { bytes in
            bytes.both(UInt32(bytes.extent(of: "B")), at: bytes.record("A") + 2)
        },
        lie("a directory outside of the image", .damaged, "lies outside") { $0.both(1 << 24, at: $0.record("A") + 2) },
        lie("a directory of 3 GiB", .limitExceeded, "more than") { $0.both(3 << 30, at: $0.record("A") + 10) },
        lie("two places of a directory", .damaged, "two byte orders") {
            $0.put(UInt32(1), at: $0.record("A") + 6, big: true)
        },
        lie("two sizes of a file", .damaged, "two byte orders") {
            $0.put(UInt32(1), at: $0.record("FILE.;1") + 14, big: true)
        },
        lie("a file outside of the image", .damaged, "outside of the image") {
            $0.both(1 << 30, at: $0.record("FILE.;1") + 2)
        },
        lie("a file beyond the image", .damaged, "outside of the image") {
            $0.both(1 << 30, at: $0.record("FILE.;1") + 10)
        },
        lie("an interleaved file", .unsupported, "interleaved") { $0[$0.record("FILE.;1") + 26] = 1 },
        lie("an extended attribute record", .unsupported, "interleaved") { $0[$0.record("FILE.;1") + 1] = 1 },
        lie("a file that continues nowhere", .damaged, "lacks its last") { $0[$0.record("FILE.;1") + 25] = 0x80 },
        lie("a record longer than its sector", .damaged, "contradicts its length") {
            $0[$0.record("FILE.;1") + 32] = 255
        },
        lie("a record of one byte", .damaged, "contradicts its length of 1") { $0[$0.record("FILE.;1")] = 1 },
        lie("a second record of itself", .damaged, "a second record of itself") { bytes in
            let at = bytes.record("A")
            bytes[at + 33] = 0
        },
        lie("a system use entry of no length", .damaged, "a wrong length of 0") {
            $0[$0.entry("PX", of: "A") + 2] = 0
        },
        lie("a continuation area that leads to itself", .limitExceeded, "a loop of them") { bytes in
            let entry = bytes.entry("CE", of: "LINK.;1")
            let fields = Fields(bytes: bytes)
            let area = Int(fields.little32(entry + 4)) * 2048 + Int(fields.little32(entry + 12))
            bytes.both(28, at: entry + 20)
            bytes.replaceSubrange(area..<area + 28, with: Array(bytes[entry..<entry + 28]))
        },
        lie("a continuation area of 4 GiB", .damaged, "crosses the end of its sector") {
            $0.both(.max, at: $0.entry("CE", of: "LINK.;1") + 20)
        },
        lie("a continuation area outside of the image", .damaged, "lies outside of the image") {
            $0.both(1 << 24, at: $0.entry("CE", of: "LINK.;1") + 4)
        },
        lie("a moved directory that is none", .damaged, "not where its link leads") { bytes in
            let entry = bytes.entry("PX", of: "FILE.;1")
            bytes.replaceSubrange(entry..<entry + 2, with: Array("CL".utf8))
        },
        lie("a path table outside of the image", .damaged, "a path table lies outside") {
            $0.put(UInt32(1 << 24), at: .pvd + 140)
        },
        lie("a path table of 4 GiB", .limitExceeded, "more than") { bytes in
            for at in [Int.pvd, .joliet] { bytes.both(.max, at: at + 132) }
        },
        lie("a path table with another place", .damaged, "a path table tells") { $0[19 * 2048 + 12] ^= 1 },
        lie("a big-endian path table with another place", .damaged, "a path table tells") { $0[20 * 2048 + 15] ^= 1 },
        lie("an empty path table", .damaged, "a path table tells 0 directories") { $0[19 * 2048] = 0 },
        lie("a boot catalogue outside of the image", .damaged, "the boot catalogue lies outside") { bytes in
            bytes.boot(catalog: 1 << 24, image: 0)
        },
        lie("a boot catalogue that is none", .damaged, "validation entry is wrong") { bytes in
            bytes.boot(catalog: 23, image: 0)
        },
        lie("a boot image outside of the image", .damaged, "names a boot image at sector") { bytes in
            let end = UInt32(bytes.count / 2048)
            bytes += [UInt8](repeating: 0, count: 2048)
            bytes.boot(catalog: end, image: 1 << 24)
        },
    ]

    @Test(arguments: lies) func `a lie is refused with its reason`(_ lie: Lie) throws {
        let scratch = try Scratch()
        var bytes = try Self.goodImage(in: scratch)
        lie.change(&bytes)
        let path = try scratch.file("lie.iso", bytes)
        let target = scratch.path.appending("grafted.iso")
        let error = try #require(throws: ISOError.self) { try Self.graft(path, target) }
        #expect(error.code == lie.code, "\(error)")
        #expect(error.description.contains(lie.reason), "\(error)")
        #expect(!error.description.contains("\n") && error.description.hasPrefix(path.string), "\(error)")
        #expect(!HostFile.exists(target))
    }

    @Test func `the image that the lies are made of is grafted`() throws {
        let scratch = try Scratch()
        _ = try Self.goodImage(in: scratch)
        try Self.graft(scratch.path.appending("good.iso"), scratch.path.appending("grafted.iso"))
    }

    @Test(arguments: [
        (["genisoimage", "-quiet", "-R", "-udf"], "UDF file system"),
        (["xorriso", "-as", "mkisofs", "-R", "-partition_offset", "16"], "a second set of directories"),
        (["xorriso", "-as", "mkisofs", "-R", "-J", "-iso-level", "4"], "third directory tree"),
    ])
    func `an image of a kind that cannot be grafted is refused`(_ program: [String], _ reason: String) async throws {
        let scratch = try Scratch()
        try scratch.file("tree/some", "some")
        let image = scratch.path.appending("a.iso")
        let made = try await run(
            program[0], program.dropFirst() + ["-o", image.string, scratch.path.appending("tree").string])
        #expect(made.succeeded, "\(made.errors)")
        let error = try #require(throws: ISOError.self) {
            try Self.graft(image, scratch.path.appending("grafted.iso"))
        }
        #expect(error.code == .unsupported && error.description.contains(reason), "\(error)")
    }

    @Test func `an image with 600 random faults is grafted or refused, never more`() throws {
        let scratch = try Scratch()
        let good = try Self.goodImage(in: scratch)
        let seed: UInt64 = 77
        var random = SeededGenerator(seed: seed)
        var refused = 0
        let path = scratch.path.appending("fault.iso")
        let tree = try Self.addition()
        for round in 0..<600 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                // Descriptors, tables and directories, where they are not zero.
                let sector = Int.random(in: 16..<28, using: &random)
                let place = sector * 2048 + Int.random(in: 0..<256, using: &random)
                bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)][round % 6]
            }
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
            try file.closeAfter { unsafe _ = try bytes.withUnsafeBytes { unsafe try file.writeAll($0) } }
            do {
                _ = try ISOGraft(path, epoch: 0).stage(tree, for: scratch.path.appending("grafted.iso"))
            } catch is ISOError {
                refused += 1
            } catch {
                Issue.record("seed \(seed), round \(round): \(error)")
            }
        }
        #expect((60..<590).contains(refused), "seed \(seed): \(refused) were refused")
    }

    private static func goodImage(in scratch: borrowing Scratch) throws -> [UInt8] {
        var tree = try HostileISOTests.goodTree()
        _ = try tree.overlay(
            TreeEntry(
                path: EntryPath("link"), kind: .symlink(target: String(repeating: "t", count: 200)), mode: .symlink,
                origin: "test"))
        let target = scratch.path.appending("good.iso")
        try ISOWriter(volumeIdentifier: "cidata", epoch: 0).write(tree, to: target, mode: .file, digesting: false)
        return try HostFile.read(target, limit: 1 << 20)
    }

    private static func addition() throws -> FileTree {
        var tree = FileTree()
        try tree.addFile("a/new", "new", origin: "test")
        return tree
    }

    private static func graft(_ image: FilePath, _ target: FilePath) throws {
        try ISOGraft(image, epoch: 0).write(addition(), to: target)
    }
}

extension Int {
    /// The first bytes of the descriptors.
    fileprivate static var pvd: Int { 16 * 2048 }
    fileprivate static var joliet: Int { 17 * 2048 }
}

extension [UInt8] {
    fileprivate mutating func both(_ value: UInt32, at offset: Int) { replaceBoth32(at: offset, value) }

    fileprivate var root: Int { Int(Fields(bytes: self).little32(.pvd + 158)) }

    fileprivate func extent(of identifier: String) -> Int { Int(Fields(bytes: self).little32(record(identifier) + 2)) }

    /// Where the record of an identifier stands in the root directory.
    fileprivate func record(_ identifier: String) -> Int { record(identifier, in: root) }

    /// Where a system use entry of such a record stands.
    fileprivate func entry(_ signature: String, of identifier: String) -> Int {
        entry(signature, of: identifier, in: root)
    }

    /// Puts an El Torito descriptor in the place of Joliet's, and a catalogue into its sector where that is the last one.
    fileprivate mutating func boot(catalog: UInt32, image: UInt32) {
        var record = [UInt8](repeating: 0, count: 2048)
        record.replaceSubrange(0..<7, with: [0] + Array("CD001".utf8) + [1])
        record.replaceSubrange(7..<30, with: Array("EL TORITO SPECIFICATION".utf8))
        record.put(catalog, at: 71)
        replaceSubrange(.joliet..<(.joliet + 2048), with: record)
        guard Int(catalog) == count / 2048 - 1 else { return }
        var entries = [UInt8](repeating: 0, count: 64)
        entries[0] = 1
        entries.replaceSubrange(28..<32, with: [0xAA, 0x55, 0x55, 0xAA])
        entries[32] = 0x88
        entries.put(image, at: 40)
        replaceSubrange(count - 2048..<count - 1984, with: entries)
    }
}
