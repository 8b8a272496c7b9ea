internal import Archive
internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Reading gzip and cpio as they come in pieces.
struct StreamTests {
    /// The files of an initramfs that is read in pieces of a size.
    private static func files(
        _ bytes: [UInt8], piece: Int, keeping isWanted: @escaping (String) -> Bool = { $0.hasPrefix("keep/") }
    ) throws -> [CPIOStream.File] {
        var archive = CPIOStream(named: "a", maximumFileBytes: 5000, maximumFiles: 4, keeping: isWanted)
        var stream = try GzipStream(named: "a", limit: 1 << 20)
        var rest = bytes[...]
        while !rest.isEmpty {
            let next = Array(rest.prefix(piece))
            rest = rest.dropFirst(next.count)
            try stream.read(next.span) { chunk in try archive.read(chunk) }
        }
        try stream.finish()
        try archive.finish()
        return archive.files
    }

    /// An archive that GNU cpio or busybox and gzip have made.
    private static func archive(_ scratch: borrowing Scratch, _ program: [String]) async throws -> [UInt8] {
        let script = """
            mkdir -p t/keep t/other; printf one >t/keep/1; printf 12345678 >t/keep/2; : >t/keep/empty; ln -s 1 t/keep/l
            head -c 70000 /dev/urandom >t/other/big; cd t
            find . | sort | "$@" -o -H newc 2>/dev/null >../first; printf two >keep/3
            printf 'keep/3\\n' | "$@" -o -H newc 2>/dev/null >../second
            cd ..; { cat first; head -c 512 /dev/zero; cat second; } | gzip >whole
            """
        let made = try await run("sh", ["-ec", script, "sh"] + program, in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        return try HostFile.read(scratch.path.appending("whole"), limit: 1 << 20)
    }

    @Test(arguments: [["busybox", "cpio"], ["bsdcpio"]], [1, 7, 4096, 1 << 20])
    func `what another program packs is read in pieces of any size`(_ program: [String], _ piece: Int) async throws {
        let scratch = try Scratch()
        let files = try Self.files(try await Self.archive(scratch, program), piece: piece)
        #expect(files.map(\.name) == ["keep/1", "keep/2", "keep/3"])
        #expect(files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "12345678", "two"])
    }

    @Test func `what is cut, too large or damaged is refused`() async throws {
        let scratch = try Scratch()
        let bytes = try await Self.archive(scratch, ["busybox", "cpio"])
        for count in stride(from: 0, to: bytes.count - 1, by: 997) {
            #expect(throws: ArchiveError.self, "cut at \(count)") {
                try Self.files(Array(bytes.prefix(count)), piece: 4096)
            }
        }
        #expect(throws: ArchiveError.self) { try Self.files(bytes, piece: 4096, keeping: { _ in true }) }
        var damaged = bytes
        damaged[bytes.count / 2] ^= 1
        #expect(throws: ArchiveError.self) { try Self.files(damaged, piece: 4096) }
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
        var archive = CPIOStream(named: "a", maximumFileBytes: 10, maximumFiles: 1, keeping: { _ in true })
        let bytes = Array(text.utf8)
        #expect(throws: ArchiveError.self, "\(what)") { try archive.read(bytes.span) }
    }

    @Test func `a size that is never reached is read without end and without memory`() throws {
        // 4 GiB of a file that nobody asks for, of which a few bytes come.
        let fields = [1, 0o100644, 0, 0, 1, 0, 0xffff_ffff, 0, 0, 0, 0, 2, 0].map { number in
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 8 - digits.utf8.count) + digits
        }
        let bytes = Array(("070701" + fields.joined() + "a\0").utf8) + [UInt8](repeating: 7, count: 100_000)
        var archive = CPIOStream(named: "a", maximumFileBytes: 10, maximumFiles: 1, keeping: { $0 != "a" })
        try archive.read(bytes.span)
        #expect(archive.files.isEmpty)
        #expect(throws: ArchiveError.self) { try archive.finish() }
        var greedy = CPIOStream(named: "a", maximumFileBytes: 10, maximumFiles: 1, keeping: { $0 == "a" })
        #expect(throws: ArchiveError.self) { try greedy.read(bytes.span) }
    }
}
