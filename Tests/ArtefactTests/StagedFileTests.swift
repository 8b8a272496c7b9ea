import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct StagedFileTests {
    @Test func `a committed file has its bytes, its mode and the right digest`() throws {
        let scratch = try Scratch()
        var file = try StagedFile(scratch.path.appending("a"), digesting: true)
        try file.write(Array("hello ".utf8))
        try file.write(Array("world\n".utf8))
        let written = try file.commit(mode: .secret)
        #expect(written.size == 12)
        #expect(written.digest?.hex == "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447")
        #expect(try HostFile.read(written.path, limit: 100) == Array("hello world\n".utf8))
        #expect(try HostFile.status(of: written.path).mode == .secret)
    }

    @Test func `a dropped file leaves nothing and what was there stays`() throws {
        let scratch = try Scratch()
        try scratch.file("a", "old")
        do {
            var file = try StagedFile(scratch.path.appending("a"))
            try file.write([UInt8](repeating: 7, count: 1 << 20))
        }
        #expect(try HostFile.names(in: scratch.path) == ["a"])
        #expect(try HostFile.read(scratch.path.appending("a"), limit: 100) == Array("old".utf8))
    }

    @Test func `bytes larger than the buffer arrive in order`() throws {
        let scratch = try Scratch()
        let bytes = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var file = try StagedFile(scratch.path.appending("a"))
        for start in stride(from: 0, to: bytes.count, by: 70_001) {
            try file.write(Array(bytes[start..<min(bytes.count, start + 70_001)]))
        }
        try file.commit()
        #expect(try HostFile.read(scratch.path.appending("a"), limit: 2_000_000) == bytes)
    }

    @Test func `a link is written through and stays a link`() throws {
        let scratch = try Scratch()
        try HostFile.makeDirectory(scratch.path.appending("real"))
        try scratch.file("real/a", "old")
        try HostFile.makeSymlink(scratch.path.appending("link"), to: "real/a")
        try StagedFile.write(Array("new".utf8), to: scratch.path.appending("link"))
        #expect(try HostFile.target(ofLink: scratch.path.appending("link")) == "real/a")
        #expect(try HostFile.read(scratch.path.appending("real").appending("a"), limit: 9) == Array("new".utf8))
    }

    @Test func `a directory, a device or a missing directory is refused with its own class`() throws {
        let scratch = try Scratch()
        #expect { try StagedFile.write([], to: scratch.path) } throws: {
            ($0 as? ArtefactError)?.failureClass == .cannotCreate
        }
        #expect { try StagedFile.write([], to: "/dev/null") } throws: {
            ($0 as? ArtefactError)?.failureClass == .cannotCreate
        }
        #expect { try StagedFile.write([], to: scratch.path.appending("no").appending("file")) } throws: {
            "\($0)".contains("its directory does not exist") && ($0 as? ArtefactError)?.failureClass == .cannotCreate
        }
    }

    @Test func `a file that changes its size while it is read is refused`() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a", "four")
        #expect { try Content.file(path, size: 3).forEachChunk { _ in } } throws: {
            ($0 as? ArtefactError)?.code == .changedWhileReading
        }
        #expect { try Content.file(path, size: 5).forEachChunk { _ in } } throws: {
            ($0 as? ArtefactError)?.code == .changedWhileReading
        }
    }
}
