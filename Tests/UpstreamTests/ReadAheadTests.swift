internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import Upstream

@Suite(.timeLimit(.minutes(20))) struct ReadAheadTests {
    @Test(arguments: [0, 1, 262_144, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 6_000_001])
    func `a file of any size arrives whole and in order`(_ size: Int) async throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("file")
        let made = try await run(
            "sh", ["-c", "seq 1 2000000 | head -c \(size) > file; sha256sum < file"], in: scratch.path)
        let digests = try FileDigests(of: path, sha512: true)
        #expect(digests.size == UInt64(size))
        #expect(made.output.hasPrefix(digests.sha256.hex))
        let long = try await run("sha512sum", [path.string])
        #expect(long.output.hasPrefix(digests.sha512 ?? "none"))
    }

    @Test func `whoever takes the pieces may stop at any of them`() async throws {
        struct Enough: Error {}
        let scratch = try Scratch()
        let path = scratch.path.appending("file")
        _ = try await run("truncate", ["-s", "5M", path.string])
        for last in 0..<24 {
            var count = 0
            _ = #expect(throws: (any Error).self) {
                try ReadAhead.forEachChunk(of: path, size: 5 << 20) { _ in
                    count += 1
                    if count > min(last, 19) { throw Enough() }
                }
            }
            #expect(count == min(last, 19) + 1)
        }
    }

    @Test func `what the system refuses while reading is told`() throws {
        #expect(throws: ArtefactError.self) {
            try ReadAhead.forEachChunk(of: "/", size: 5 << 20) { _ in }
        }
    }
}
