import Archive
import Artefact
import SystemPackage
import TestSupport
import Testing

/// Initial RAM file systems, made by cpio and gzip.
@Suite struct InitramfsTests {
    /// What is read when the bytes come in pieces of `piece`.
    static func read(
        _ bytes: [UInt8], keeping kept: String? = nil, piece: Int = 4096
    ) throws -> (paths: [String], unread: String?, kept: [UInt8]) {
        var reader = try InitramfsReader(named: "initramfs", keeping: { $0 == kept })
        var content: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            try reader.take(Array(bytes[start..<min(start + piece, bytes.count)]).span)
            for piece in reader.drain() { content = (piece.isBeginning ? [] : content) + piece.bytes }
        }
        try reader.finish()
        return (reader.paths, reader.unread, content)
    }

    static func script(_ text: String, in scratch: borrowing Scratch) async throws -> [UInt8] {
        let made = try await run("sh", ["-ec", text], in: scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        return try HostFile.read(scratch.path.appending("initrd"), limit: 1 << 24)
    }

    static let several = """
        mkdir -p a/lib/modules/6.1 b c; echo one >a/lib/modules/6.1/x; echo two >b/own; head -c 5001 /dev/zero >b/zeros
        echo three >c/own
        (cd a; find . | sort | cpio -o -H newc --quiet) >initrd
        head -c 512 /dev/zero >>initrd
        (cd b; ls | cpio -o -H crc --quiet | gzip -n) >>initrd
        (cd c; ls | cpio -o -H newc --quiet | gzip -n) >>initrd
        """

    @Test(arguments: [1, 7, 512, 1 << 20])
    func `plain and compressed archives follow each other`(_ piece: Int) async throws {
        let scratch = try Scratch()
        let bytes = try await Self.script(Self.several, in: scratch)
        let found = try Self.read(bytes, keeping: "own", piece: piece)
        #expect(
            found.paths == ["", "lib", "lib/modules", "lib/modules/6.1", "lib/modules/6.1/x", "own", "zeros", "own"])
        #expect(found.unread == nil && found.kept == Array("three\n".utf8))
        #expect(try Self.read(bytes, keeping: "lib/modules/6.1/x", piece: piece).kept == Array("one\n".utf8))
        #expect(try Self.read(bytes, keeping: "zeros", piece: piece).kept == [UInt8](repeating: 0, count: 5001))
    }

    @Test(arguments: [["busybox", "cpio"], ["bsdcpio"]], [1, 7, 4096, 1 << 20])
    func `several files of what another program packs are handed over, and links are not`(
        _ program: [String], _ piece: Int
    ) async throws {
        let scratch = try Scratch()
        let bytes = try await Self.script(
            """
            mkdir -p t/keep; cd t; printf one >keep/1; printf 12345678 >keep/2; : >keep/empty; ln -s 1 keep/l
            head -c 70000 /dev/urandom >big; find . | sort | \(program.joined(separator: " ")) -o -H newc 2>/dev/null | gzip >../initrd
            """, in: scratch)
        var reader = try InitramfsReader(named: "initramfs", keeping: { $0.hasPrefix("keep/") })
        var files: [String: [UInt8]] = [:]
        for start in stride(from: 0, to: bytes.count, by: piece) {
            try reader.take(Array(bytes[start..<min(start + piece, bytes.count)]).span)
            for piece in reader.drain() {
                files[piece.path] = (piece.isBeginning ? [] : files[piece.path, default: []]) + piece.bytes
            }
        }
        try reader.finish()
        #expect(
            files == ["keep/1": Array("one".utf8), "keep/2": Array("12345678".utf8), "keep/empty": []])
    }

    @Test(arguments: [
        ("no archive", "hello, world, " + String(repeating: "x", count: 200)),
        ("a name without end", "070701" + String(repeating: "0", count: 88) + "FFFFFFFF00000000"),
        ("an empty name", "070701" + String(repeating: "0", count: 104)),
        ("no number", "070701" + String(repeating: "Z", count: 104)),
        ("other numbers", "070701" + String(repeating: "０", count: 104)),
        ("the old binary form", "\u{c7}q" + String(repeating: "\0", count: 200)),
    ])
    func `a header that is none is refused`(_ what: String, _ text: String) throws {
        #expect(throws: ArchiveError.self, "\(what)") { try Self.read(Array(text.utf8)) }
    }

    @Test func `a size that is never reached is read without end and without memory`() throws {
        let fields = [1, 0o100644, 0, 0, 1, 0, 0xffff_ffff, 0, 0, 0, 0, 2, 0].map { number in
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 8 - digits.utf8.count) + digits
        }
        let bytes = Array(("070701" + fields.joined() + "a\0").utf8) + [UInt8](repeating: 7, count: 100_000)
        #expect(throws: ArchiveError.self) { try Self.read(bytes) }
    }

    @Test func `what is compressed otherwise is told and not read`() async throws {
        let scratch = try Scratch()
        let bytes = try await Self.script(
            Self.several + "; (cd c; ls | cpio -o -H newc --quiet | xz) >>initrd", in: scratch)
        #expect(try Self.read(bytes).unread == "xz")
        #expect(try Self.read(bytes).paths.count == 8)
    }

    @Test func `damage is refused`() async throws {
        let scratch = try Scratch()
        let bytes = try await Self.script(Self.several, in: scratch)
        func code(_ bytes: [UInt8]) -> ArchiveError.Code? {
            do { _ = try Self.read(bytes) } catch { return (error as? ArchiveError)?.code }
            return nil
        }
        #expect(code(bytes) == nil && code([]) == nil)
        #expect(code(bytes.dropLast(9)) == .truncated)
        #expect(code(Array(bytes.prefix(200))) == .truncated)
        #expect(code(bytes + Array("garbage".utf8)) == .malformed)
        var wrong = bytes
        wrong[wrong.count - 6] ^= 1
        #expect(code(wrong) == .badChecksum)
        wrong = bytes
        wrong.replaceSubrange(94..<102, with: Array("FFFFFFFF".utf8))
        #expect(code(wrong) == .malformed)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<200 {
            var changed = bytes
            let place = Int.random(in: 0..<changed.count, using: &random)
            changed[place] = .random(in: 0...255, using: &random)
            if code(changed) != nil { refused += 1 }
        }
        #expect(refused > 2, "seed \(seed)")
    }
}
