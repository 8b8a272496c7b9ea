import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct HostFileTests {
    @Test func `names come in byte order whatever the directory's own order`() throws {
        let scratch = try Scratch()
        for name in ["b", "a", "Z", "a.b", "é"] { try scratch.file(name, "") }
        #expect(try HostFile.names(in: scratch.path) == ["Z", "a", "a.b", "b", "é"])
    }

    @Test func `a read-only tree is removed whole and links are not followed`() throws {
        let scratch = try Scratch()
        try scratch.file("keep/file", "stays")
        try scratch.file("tree/deep/file", "goes")
        try HostFile.makeSymlink(scratch.path.appending("tree").appending("out"), to: "../keep")
        try HostFile.setMode(of: scratch.path.pushing("tree/deep"), EntryMode(0o555))
        try HostFile.removeTree(scratch.path.appending("tree"))
        #expect(try HostFile.names(in: scratch.path) == ["keep"])
        #expect(try HostFile.names(in: scratch.path.appending("keep")) == ["file"])
    }

    @Test func `a missing file is missing input, a limit is kept`() throws {
        let scratch = try Scratch()
        #expect { try HostFile.read(scratch.path.appending("none"), limit: 1) } throws: {
            ($0 as? ArtefactError)?.failureClass == .noInput
        }
        let path = try scratch.file("a", "12345")
        #expect(throws: ArtefactError.self) { try HostFile.read(path, limit: 4) }
        #expect(try HostFile.read(path, limit: 5).count == 5)
    }

    @Test(.timeLimit(.minutes(20))) func `a pipe that nobody writes to is empty, and a slow writer is waited for`()
        async throws
    {
        let scratch = try Scratch()
        let pipe = scratch.path.appending("pipe")
        #expect(try await run("mkfifo", [pipe.string]).succeeded)
        #expect(try HostFile.read(pipe, limit: 9).isEmpty)
        // The writer has the pipe open when the shell that starts it ends, and goes on alone, because reading holds this
        // thread up.
        let script = """
            exec 3<> '\(pipe)'
            { until [ -e '\(pipe).go' ]; do sleep 0.05; done; sleep 0.3; printf abc >&3; } < /dev/null > /dev/null 2>&1 &
            """
        #expect(try await run("sh", ["-c", script]).succeeded)
        let file = try HostFile.open(pipe)
        defer { try? file.close() }
        try scratch.file("pipe.go", "")
        var bytes: [UInt8] = []
        try HostFile.forEachChunk(of: file, named: pipe) { chunk in
            for index in chunk.indices { bytes.append(chunk[index]) }
        }
        #expect(bytes == Array("abc".utf8))
    }

    @Test(arguments: ["", "abc", String(repeating: "g", count: 64), String(repeating: "a", count: 65)])
    func `what is no digest is refused`(text: String) {
        #expect(throws: ArtefactError.self) { try Digest(hex: text) }
    }

    @Test func `digests agree with coreutils`() async throws {
        let scratch = try Scratch()
        let path = try scratch.file("a", (0..<700_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        let theirs = try await run("sha256sum", [path.string]).output.prefix(64)
        #expect(try Digest(ofFile: path).hex == theirs)
        #expect(try Digest(hex: theirs.uppercased()).hex == theirs)
        var stream = SHA512Stream()
        try HostFile.forEachChunk(of: path) { stream.update($0) }
        #expect(try await run("sha512sum", [path.string]).output.prefix(128) == stream.finalize())
    }
}
