internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import Upstream

@Suite(.timeLimit(.minutes(5))) struct OpenPGPKeyFileTests {
    /// What gpg says of the primary keys of a file: fingerprint and time of expiry.
    private func peer(_ file: String, _ home: borrowing SigningHome) async throws -> [String] {
        let listing = try await home.gpg("--with-colons", "--show-keys", file)
        var expiries: [String] = []
        var result: [String] = []
        for line in listing.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            if fields[0] == "pub" { expiries.append(fields[6]) }
            if fields[0] == "fpr", result.count < expiries.count {
                result.append("\(fields[9]) \(expiries[result.count])")
            }
        }
        return result
    }

    @Test func `fingerprints and times of expiry are those that gpg shows`() async throws {
        let home = try SigningHome()
        _ = try await home.makeKey("plain")
        _ = try await home.makeKey("short", expires: "2021-01-01", at: "20200101T000000")
        let longer = try await home.makeKey("longer", expires: "2031-01-01", at: "20200101T000000")
        try await home.gpg("--faked-system-time", "20200301T000000", "--quick-set-expire", longer, "20y")
        try await home.gpg("--quick-add-key", longer, "ed25519", "sign", "1y")
        try await home.gpg("--quick-add-uid", longer, "second <second@example.org>")
        let endless = try await home.makeKey("endless", expires: "2021-01-01", at: "20200101T000000")
        try await home.gpg("--faked-system-time", "20200301T000000", "--quick-set-expire", endless, "never")
        let rsa = try await run(
            "sh",
            [
                "-c",
                "gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key rsa@example.org rsa2048 sign 2y",
            ], environment: ["GNUPGHOME": home.path("home").string])
        #expect(rsa.succeeded, "\(rsa.errors)")
        for name in ["plain", "short", "longer", "endless", "rsa"] { try await home.export(name) }
        try await home.gpg("--output", "all.gpg", "--export")
        let bytes = try HostFile.read(home.path("all.gpg"), limit: 1 << 20)
        let file = try OpenPGPKeyFile(packets: bytes, named: "all.gpg")
        let read = file.keys.map { "\($0.fingerprint) \($0.expires.map { "\($0)" } ?? "")" }
        #expect(try await read == peer("all.gpg", home))
        #expect(file.keys.count == 5)
        #expect(file.keys.flatMap { file.packets(of: $0) } == bytes)
    }

    @Test func `the newest self-signature says when a key expires, wherever it stands`() async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key", expires: "2021-01-01", at: "20200101T000000")
        let old = try HostFile.read(home.path("key.gpg"), limit: 1 << 20)
        try await home.gpg("--faked-system-time", "20200301T000000", "--quick-set-expire", key, "20y")
        try await home.export("key")
        let new = try HostFile.read(home.path("key.gpg"), limit: 1 << 20)
        // The key and its user ID, each with a length of one byte, stand before the self-signature.
        let first = 2 + Int(old[1])
        let second = first + 2 + Int(old[first + 1])
        #expect(old[0] == 0x98 && old[first] == 0xb4 && old[second] == 0x88)
        func expiry(_ bytes: [UInt8]) throws -> Int64? {
            try OpenPGPKeyFile(packets: bytes, named: "K").keys.first?.expires
        }
        let extended = try #require(try expiry(new))
        #expect(try #require(try expiry(old)) < extended)
        #expect(try expiry(new + old[second...]) == extended)
        #expect(try expiry(old + new[second...]) == extended)
    }

    @Test(
        arguments: [
            ([], "holds no OpenPGP key"), ([0x99], "holds a damaged OpenPGP packet at byte 0"),
            ([0x99, 0xff, 0xff, 4], "holds a damaged OpenPGP packet at byte 0"),
            ([0xc6, 0xff, 0xff, 0xff, 0xff, 0xff, 4], "holds a damaged OpenPGP packet"),
            ([0xc6, 0xe0, 4], "holds a damaged OpenPGP packet"),
            ([0x98, 1, 3], "holds a key that is not of version 4"),
            ([0x98, 3, 4, 0, 0], "holds a key that is not of version 4"), ([0x88, 1, 4], "holds no OpenPGP key"),
            ([0x9b, 4], "holds a damaged OpenPGP packet at byte 0"),
        ] as [([UInt8], String)])
    func `what is no key is refused`(_ bytes: [UInt8], _ message: String) {
        let error = #expect(throws: SignatureError.self) { try OpenPGPKeyFile(packets: bytes, named: "K") }
        #expect(error?.code == .noKey)
        #expect(error?.detail.hasPrefix(message) == true, "\(error?.detail ?? "")")
    }

    @Test func `random changes give keys or an error`() async throws {
        let home = try SigningHome()
        _ = try await home.makeKey("key", expires: "2031-01-01")
        let bytes = try HostFile.read(home.path("key.gpg"), limit: 1 << 20)
        var random = SeededGenerator(seed: 20_261_134)
        for round in 0..<5000 {
            do {
                let file = try OpenPGPKeyFile(packets: changed(bytes, &random), named: "K")
                #expect(!file.keys.isEmpty)
            } catch {
                #expect(!error.description.utf8.contains(0x0a), "round \(round)")
            }
        }
    }
}
