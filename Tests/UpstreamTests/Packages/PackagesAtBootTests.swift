internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

/// What an initramfs holds is read once where it is noted, and a note that is none is not believed.
struct PackagesAtBootTests {
    private static let digest = Digest(of: Array("image".utf8))

    private func read(knowing verified: VerifiedFiles?) throws -> PackagesAtBoot {
        try PackagesAtBoot(
            ofImage: Lab.alpineImage, kernel: "virt", architecture: "x86_64",
            knowing: verified.map { (Self.digest, $0) })
    }

    private func known(_ extract: [UInt8]? = nil) -> VerifiedFiles {
        VerifiedFiles(
            begun: FileTime(seconds: 0, nanoseconds: 0), extracts: extract.map { [Self.digest: $0] } ?? [:])
    }

    @Test func `what was noted gives what was read`() throws {
        let read = try read(knowing: nil)
        let verified = known()
        #expect(try self.read(knowing: verified) == read)
        let extract = try #require(verified.extract(of: Self.digest))
        let again = known(extract)
        #expect(try self.read(knowing: again) == read)
        #expect(again.allExtracts == [Self.digest: extract])
    }

    @Test func `a note is what keys and words come from`() throws {
        let verified = known()
        let read = try read(knowing: verified)
        var extract = try #require(verified.extract(of: Self.digest))
        extract[0] = 1 - extract[0]
        #expect(try self.read(knowing: known(extract)).addedWords != read.addedWords)
        let other = try SigningKey.generate(name: "other", bits: 2048)
        let foreign: [UInt8] = [0] + Array("other.rsa.pub".utf8) + [0] + Array(other.publicText.utf8) + [0]
        let error = #expect(throws: UpstreamError.self) { try self.read(knowing: known(foreign)) }
        #expect(error?.code == .untrusted)
    }

    @Test func `what is no such note is read again`() throws {
        let verified = known()
        let read = try read(knowing: verified)
        let extract = try #require(verified.extract(of: Self.digest))
        let odd: [[UInt8]] = [
            [], [0], [1, 0], [0, 0, 0], [2] + extract.dropFirst(), extract.dropLast(), extract + [0],
            extract + Array("a".utf8) + [0], extract + Array("a".utf8) + [0] + Array("no key".utf8) + [0],
            extract + extract.dropFirst(), [UInt8](repeating: 0xff, count: 100),
        ]
        for bytes in odd {
            let noted = known(bytes)
            #expect(try self.read(knowing: noted) == read, "\(bytes.prefix(20))")
            #expect(noted.extract(of: Self.digest) == extract)
        }
    }
}
