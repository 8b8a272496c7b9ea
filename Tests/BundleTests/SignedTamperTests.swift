import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// What an attacker may do to a signed bundle where a key is trusted: all of it is refused with a reason.
struct SignedTamperTests {
    private static let documents = ["manifest.json", "SHA256SUMS", "SHA256SUMS.minisig", "SHA256SUMS.sig"]

    /// Opens a file of a bundle to change it where it stands, its mode as it was.
    private func opened(_ path: FilePath) throws -> FileDescriptor {
        let mode = try HostFile.status(of: path).mode
        try HostFile.setMode(of: path, .secret)
        let file = try FileDescriptor.open(path, .readWrite)
        try HostFile.setMode(of: path, mode)
        return file
    }

    @Test(arguments: documents)
    func `a flip of a bit in any byte of what describes and signs a bundle is refused`(name: String) throws {
        try flip(name) { index in index % 8..<(index % 8 + 1) }
    }

    @Test(arguments: documents)
    func `every flip of every bit of what describes and signs a bundle is refused`(name: String) throws {
        try flip(name) { _ in 0..<8 }
    }

    /// Flips bits of a file one after the other, and takes its end away byte by byte.
    private func flip(_ name: String, bits: (_ index: Int) -> Range<Int>) throws {
        let workshop = try Workshop()
        let key = MinisignSecretKey.generate()
        let stage = Stage(
            try Samples.description("1.4.0"), artefacts: [StagedArtefact(.overlay, file: "a", bytes: [1])],
            signer: BundleSigner(key, writesSSHSignature: true))
        let path = try workshop.store.publish(stage).path.appending(name)
        func findings() throws -> [BundleFinding] {
            try workshop.store.verify(stage.description.version, trusting: [key.publicKey]).findings
        }
        let good = try HostFile.read(path, limit: 1 << 20)
        let file = try opened(path)
        defer { try? file.close() }
        // What describes a bundle is held together without a signature, too; what signs it is held to the key.
        let judges = name.hasPrefix("SHA256SUMS.") ? [name] : ["manifest.json", "SHA256SUMS"]
        func isNoticed() throws -> Bool {
            try findings().contains { judges.contains($0.file) && !$0.detail.isEmpty }
        }
        var unnoticed: [Int] = []
        for index in good.indices {
            for bit in bits(index) {
                try file.writeAll(toAbsoluteOffset: Int64(index), [good[index] ^ (1 << UInt8(bit))])
                if try !isNoticed() { unnoticed.append(index * 8 + bit) }
            }
            try file.writeAll(toAbsoluteOffset: Int64(index), [good[index]])
        }
        #expect(unnoticed == [])
        for length in stride(from: good.count - 1, through: 0, by: -1) {
            try file.resize(to: Int64(length))
            if try !isNoticed() { unnoticed.append(length) }
        }
        #expect(unnoticed == [])
        try file.writeAll(toAbsoluteOffset: 0, good)
        for byte in [0x00, 0x0a, 0x20, 0x41] as [UInt8] {
            try file.writeAll(toAbsoluteOffset: Int64(good.count), [byte])
            #expect(try isNoticed())
        }
        try file.resize(to: Int64(good.count))
        #expect(try findings() == [])
    }

    @Test func `every truncation of a small artefact at a sector and of a large one at a thousand places is refused`()
        throws
    {
        let workshop = try Workshop()
        let key = MinisignSecretKey.generate()
        let large = [UInt8](repeating: 0x5a, count: 4_000_037)
        let stage = Stage(
            try Samples.description("1.4.0"),
            artefacts: [
                StagedArtefact(.overlay, file: "small", bytes: (0..<9_001).map { UInt8(truncatingIfNeeded: $0) }),
                StagedArtefact(.seed, file: "tiny", bytes: [1]), StagedArtefact(.kubesolo, file: "large", bytes: large),
            ], signer: BundleSigner(key))
        let path = try workshop.store.publish(stage).path
        var random = SeededGenerator(seed: 1_000)
        let places = (0..<1_000).map { _ in Int.random(in: 0..<large.count, using: &random) }
        for (name, sizes) in [
            ("small", Array(stride(from: 0, to: 9_001, by: 512))), ("tiny", [0]), ("large", places),
        ] {
            let good = try HostFile.read(path.appending(name), limit: 1 << 23)
            let file = try opened(path.appending(name))
            for size in sizes.sorted(by: >) {
                try file.resize(to: Int64(size))
                let findings = try workshop.store.verify(Version("1.4.0"), trusting: [key.publicKey]).findings
                #expect(
                    findings.map(\.description) == ["\(name): truncated: has \(size) of \(good.count) bytes"],
                    "\(name) \(size)")
            }
            try file.writeAll(toAbsoluteOffset: 0, good)
            try file.close()
        }
        #expect(try workshop.store.verify(Version("1.4.0"), trusting: [key.publicKey]).isGood)
    }

    @Test func `files of another version signed by the same key are refused in every combination`() throws {
        let workshop = try Workshop()
        let signer = BundleSigner(MinisignSecretKey.generate(), writesSSHSignature: true)
        let old = try workshop.publish("1.4.0", overlay: "overlay-a", signer: signer).path
        let new = try workshop.publish("1.5.0", overlay: "overlay-b", signer: signer).path
        // The artefacts of both versions have one length, and the names of the older ones are given to the newer ones.
        let artefacts = [".apkovl.tar.gz", "-cidata.iso"]
        let names =
            Self.documents.map { ($0, $0) }
            + artefacts.map { ("edge-1.4.0-x86_64\($0)", "edge-1.5.0-x86_64\($0)") }
        let good = try names.map { try HostFile.read(new.appending($0.1), limit: 1 << 20) }
        let bad = try names.map { try HostFile.read(old.appending($0.0), limit: 1 << 20) }
        try HostFile.setMode(of: new, .directory)
        for combination in 1..<(1 << names.count) {
            for (index, name) in names.enumerated() {
                let isSwapped = combination >> index & 1 == 1
                try StagedFile.write(
                    isSwapped ? bad[index] : good[index], to: new.appending(name.1), mode: EntryMode(0o444))
            }
            try HostFile.setMode(of: new, EntryMode(0o555))
            let reading = try workshop.store.verify(Version("1.5.0"), trusting: [signer.key.publicKey])
            #expect(!reading.isGood && reading.findings.allSatisfy { !$0.detail.isEmpty }, "\(combination)")
            try HostFile.setMode(of: new, .directory)
        }
        for (index, name) in names.enumerated() {
            try StagedFile.write(good[index], to: new.appending(name.1), mode: EntryMode(0o444))
        }
        try HostFile.setMode(of: new, EntryMode(0o555))
        #expect(try workshop.store.verify(Version("1.5.0"), trusting: [signer.key.publicKey]).isGood)
    }

    @Test func `an older signed bundle in the place of a newer one is refused`() async throws {
        let workshop = try Workshop()
        let signer = BundleSigner(MinisignSecretKey.generate(), writesSSHSignature: true)
        let old = try workshop.publish("1.4.0", overlay: "overlay-a", signer: signer).path
        let new = workshop.out.pushing("bundles/1.5.0")
        #expect(try await run("cp", ["-a", old.string, new.string]).succeeded)
        let replayed = try workshop.store.verify(Version("1.5.0"), trusting: [signer.key.publicKey])
        #expect(replayed.findings.map(\.problem) == [.wrongVersion])
        // The older list and its signature beside a newer manifest, as when only these are replaced in transit.
        try HostFile.removeTree(new)
        try workshop.publish("1.5.0", overlay: "overlay-b", signer: signer)
        try HostFile.setMode(of: new, .directory)
        for name in ["SHA256SUMS", "SHA256SUMS.minisig", "SHA256SUMS.sig"] {
            let bytes = try HostFile.read(old.appending(name), limit: 4096)
            try StagedFile.write(bytes, to: new.appending(name), mode: EntryMode(0o444))
        }
        try HostFile.setMode(of: new, EntryMode(0o555))
        let mixed = try workshop.store.verify(Version("1.5.0"), trusting: [signer.key.publicKey])
        #expect(
            mixed.findings.map { "\($0.file) \($0.problem.rawValue)" } == [
                "SHA256SUMS bad-checksums", "SHA256SUMS.minisig bad-signature", "SHA256SUMS.sig bad-signature",
            ])
    }

    @Test func `forty different signed bundles are verified without a false alarm`() throws {
        try verify(40, seed: 40)
    }

    @Test(arguments: 1...4)
    func `ten thousand different signed bundles are verified without a false alarm`(quarter: UInt64) throws {
        try verify(2_500, seed: quarter)
    }

    /// Publishes and verifies bundles of random content, sizes, modes, names and times, by random keys.
    private func verify(_ count: Int, seed: UInt64) throws {
        let workshop = try Workshop()
        var random = SeededGenerator(seed: seed)
        let keys = (0..<5).map { _ in MinisignSecretKey.generate() }
        let trusted = keys.map(\.publicKey)
        var signatures: Set<[UInt8]> = []
        var verified = 0
        for number in 0..<count {
            let isSecret = Bool.random(using: &random)
            var description = try Samples.description("\(number % 7).\(number / 7).0-rc.\(number)")
            description.epoch = Int64.random(in: 0...4_294_967_295, using: &random)
            description.name = String(repeating: "n", count: Int.random(in: 1...60, using: &random))
            let artefacts = (0..<Int.random(in: 1...3, using: &random)).map { index in
                StagedArtefact(
                    [.overlay, .seed, .kubesolo][index % 3], file: "file-\(index)", isSecret: isSecret && index == 0,
                    bytes: (0..<Int.random(in: 0...600, using: &random)).map { _ in
                        .random(in: .min ... .max, using: &random)
                    })
            }
            let key = keys[Int.random(in: 0..<keys.count, using: &random)]
            let signer = BundleSigner(key, writesSSHSignature: Bool.random(using: &random))
            let stage = Stage(description, artefacts: artefacts, signer: signer)
            let publication = try workshop.store.publish(stage)
            let reading = try workshop.store.verify(publication.manifest.version, trusting: trusted)
            if reading.isGood, reading.signature == .trusted(key.publicKey) { verified += 1 }
            signatures.insert(
                try HostFile.read(publication.path.appending("SHA256SUMS.minisig"), limit: 4096))
            try HostFile.removeTree(publication.path)
        }
        #expect(verified == count)
        #expect(signatures.count == count)
    }
}
