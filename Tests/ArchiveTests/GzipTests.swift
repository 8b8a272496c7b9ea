import Archive
import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct GzipTests {
    @Test func `members are told apart with the bytes that a signature covers`() throws {
        let first = try Gzip.compress(Array("signature".utf8))
        let second = try Gzip.compress(Array(repeating: 7, count: 200_000))
        let members = try Gzip.members(of: first + second, named: "index", limit: 1 << 20)
        #expect(members.map(\.compressed) == [0..<first.count, first.count..<(first.count + second.count)])
        #expect(members.map(\.bytes) == [Array("signature".utf8), Array(repeating: 7, count: 200_000)])
    }

    @Test func `an empty member is a member`() throws {
        let empty = try Gzip.compress([])
        #expect(try Gzip.members(of: empty + empty, named: "a", limit: 0).map(\.bytes) == [[], []])
    }

    @Test func `gzip reads what is compressed here and the reverse`() async throws {
        let scratch = try Scratch()
        let text = String(repeating: "a line of text\n", count: 10_000)
        let path = try scratch.file("a.gz", Gzip.compress(Array(text.utf8)))
        let result = try await run("gzip", ["-dc", path.string])
        #expect(result.succeeded && result.output == text)
        try scratch.file("b", text)
        #expect(try await run("gzip", ["-1", "b"], in: scratch.path).succeeded)
        let members = try Gzip.members(
            of: HostFile.read(scratch.path.appending("b.gz"), limit: 1 << 20), named: "b", limit: 1 << 20)
        #expect(members.map(\.bytes) == [Array(text.utf8)])
    }

    @Test(
        arguments: [
            ("empty", [], .notAnArchive), ("text", Array("hello".utf8), .notAnArchive),
            ("one byte", [0x1f], .notAnArchive),
            ("header only", [0x1f, 0x8b, 8], .truncated),
            ("other method", [0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0], .malformed),
        ] as [(String, [UInt8], ArchiveError.Code)])
    func `what is no gzip is refused`(_ name: String, _ bytes: [UInt8], _ code: ArchiveError.Code) {
        let error = #expect(throws: ArchiveError.self) { try Gzip.members(of: bytes, named: name, limit: 1 << 20) }
        #expect(error?.code == code, "\(name): \(error?.description ?? "")")
    }

    @Test func `every way to break a member has its reason`() throws {
        let good = try Gzip.compress(Array("some text to compress".utf8))
        func code(_ bytes: [UInt8], limit: Int = 100) -> ArchiveError.Code? {
            do throws(ArchiveError) {
                _ = try Gzip.members(of: bytes, named: "a", limit: limit)
                return nil
            } catch { return error.code }
        }
        for count in 3..<good.count { #expect(code(Array(good.prefix(count))) == .truncated, "\(count)") }
        for count in 3..<good.count { #expect(code(good + good.prefix(count)) == .truncated, "\(count)") }
        var crc = good
        crc[good.count - 8] ^= 1
        #expect(code(crc) == .badChecksum)
        var length = good
        length[good.count - 1] ^= 1
        #expect(code(length) == .badChecksum)
        #expect(code(good + [0]) == .malformed)
        #expect(code(good, limit: 20) == .limitExceeded && code(good, limit: 21) == nil)
        let zeros = try Gzip.compress([UInt8](repeating: 0, count: 1 << 24))
        #expect(code(zeros, limit: 1 << 20) == .limitExceeded)
    }
}
