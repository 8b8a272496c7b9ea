import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

struct BLAKE2bTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test func `the example of RFC 7693 comes out`() {
        #expect(
            hex(BLAKE2b.digest(of: Array("abc".utf8)))
                == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")
    }

    /// Appendix E of RFC 7693 without its keyed half: digests of digests over lengths around the size of a block.
    @Test func `digests of every length over inputs of every length are those of b2sum`() async throws {
        let scratch = try Scratch()
        var random = SeededGenerator(seed: 7693)
        var names: [String] = []
        for length in Array(0...300) + [511, 512, 513, 1023, 1024, 1025, 4096, 10_007] {
            let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let name = "\(10_000_000 + length)"
            try bytes.write(to: scratch.path.appending(name))
            names.append(name)
        }
        for length in [1, 20, 31, 32, 33, 48, 63, 64] {
            let sums = try await run("b2sum", ["-l", "\(length * 8)"] + names, in: scratch.path)
            let due = try names.map { name in
                let bytes = try HostFile.read(scratch.path.appending(name), limit: 1 << 20)
                return "\(hex(BLAKE2b.digest(of: bytes, length: length)))  \(name)\n"
            }
            #expect(sums.output == due.joined(), "\(length)")
        }
    }
}

extension [UInt8] {
    /// Writes a file that need not last.
    fileprivate func write(to path: FilePath) throws {
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(self) }
    }
}

struct SigningKeyTests {
    @Test func `a key pair is written once, the private half for its owner alone`() throws {
        let scratch = try Scratch()
        let key = MinisignSecretKey.generate()
        let files = try key.write(named: "me", in: scratch.path)
        #expect(try HostFile.status(of: files.privateKey).mode == EntryMode(0o600))
        #expect(try MinisignPublicKey(ofFile: files.publicKey) == key.publicKey)
        #expect(try MinisignSecretKey(ofFile: files.privateKey).publicKey == key.publicKey)
        let before = try snapshot(scratch.path)
        let error = #expect(throws: ArtefactError.self) {
            try MinisignSecretKey.generate().write(named: "me", in: scratch.path)
        }
        #expect(error?.failureClass == .cannotCreate && error?.description.contains("is there already") == true)
        #expect(try snapshot(scratch.path) == before)
        try HostFile.remove(files.privateKey)
        #expect(throws: ArtefactError.self) { try MinisignSecretKey.generate().write(named: "me", in: scratch.path) }
        #expect(try !HostFile.names(in: scratch.path).contains("me.key"))
        for name in ["", "a/b", ".a", "-a", "a b", "ä"] {
            let error = #expect(throws: BundleError.self) { try key.write(named: name, in: scratch.path) }
            #expect(error?.code == .invalidKey)
        }
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o601])
    func `a private key that others may use is refused`(mode: Int) throws {
        let scratch = try Scratch()
        let files = try MinisignSecretKey.generate().write(named: "me", in: scratch.path)
        try HostFile.setMode(of: files.privateKey, EntryMode(UInt16(mode)))
        let error = #expect(throws: BundleError.self) { try MinisignSecretKey(ofFile: files.privateKey) }
        #expect(error?.code == .invalidKey && error?.detail.contains("for its owner alone") == true)
    }

    /// What `minisign -G` of Debian writes with the password `pw`.
    private static let protected = """
        untrusted comment: minisign encrypted secret key
        RWRTY0IysJhWuAVH1oUP1mF5xqair4UC4FDEEbT2YrsItRNltosAAAACAAAAAAAAAEAAAAAAieUWurNdSNOzLdMlH2fisKbxQ55N3AvaEMEojhQBDsXni1oXuS6OEZz5IKshge2RZTss9/7/0zZPMpCksa9CNAG9wCJVOB9KiffkKQo4vlGnO3wykG4LrWIsArYjDRCrZMaX3sotTYk=

        """

    @Test func `what is no private key without a password is refused, and nothing of it is told`() throws {
        let scratch = try Scratch()
        let files = try MinisignSecretKey.generate().write(named: "me", in: scratch.path)
        func text(_ path: FilePath) throws -> String {
            String(decoding: try HostFile.read(path, limit: 4096), as: UTF8.self)
        }
        let own = try text(files.privateKey)
        let line = try #require(own.split(separator: "\n").last.map(String.init))
        func changed(at index: Int) -> String {
            var bytes = Array(own.utf8)
            let place = bytes.count - 1 - line.utf8.count + index
            bytes[place] = bytes[place] == UInt8(ascii: "B") ? UInt8(ascii: "C") : UInt8(ascii: "B")
            return String(decoding: bytes, as: UTF8.self)
        }
        for (content, reason) in [
            (Self.protected, "is protected by a password"), (try text(files.publicKey), "is a public key"),
            (changed(at: 100), "its halves do not belong together"),
            (changed(at: 150), "its halves do not belong together"),
            (changed(at: 180), "its halves do not belong together"), (changed(at: 0), "is no private key of minisign"),
            ("", "is no private key of minisign"), (line, "is no private key of minisign"),
            (own + own, "is no private key of minisign"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "is no private key of minisign"),
        ] {
            let file = try scratch.file("other.key", content, mode: .secret)
            let error = #expect(throws: BundleError.self) { try MinisignSecretKey(ofFile: file) }
            #expect(error?.code == .invalidKey && error?.detail.contains(reason) == true, "\(error?.description ?? "")")
            #expect(error?.description.contains(line.suffix(60)) == false)
            #expect(error?.description.contains("\n") == false)
        }
    }

    @Test func `where a public key belongs a private one is refused, and nothing of it is told`() throws {
        let scratch = try Scratch()
        let key = MinisignSecretKey.generate()
        let files = try key.write(named: "me", in: scratch.path)
        let error = #expect(throws: BundleError.self) { try MinisignPublicKey(ofFile: files.privateKey) }
        #expect(error?.code == .invalidKey && error?.detail.contains("is no public key of minisign") == true)
        #expect(error.map { $0.description.utf8.count < 300 } == true)
        for text in [
            "", "RW", String(key.publicKey.text.dropLast()), key.publicKey.text + "A",
            "RX" + key.publicKey.text.dropFirst(2),
        ] {
            #expect(throws: BundleError.self) { try MinisignPublicKey(parsing: text) }
        }
        #expect(try MinisignPublicKey(parsing: key.publicKey.text) == key.publicKey)
        // minisign takes the line alone as a file, too.
        #expect(try MinisignPublicKey(decoding: Array("\(key.publicKey.text)\n".utf8), named: "x") == key.publicKey)
    }
}
