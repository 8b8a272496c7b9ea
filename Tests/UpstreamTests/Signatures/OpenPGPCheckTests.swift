internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

private let tools = ["gpgv", "sqv"]

/// 2026-01-01: after what expires in these tests, before what does not.
private let now: Int64 = 1_767_225_600

@Suite(.timeLimit(.minutes(5))) struct OpenPGPCheckTests {
    /// Checks `file` with one of the programs alone.
    private func verdict(
        _ tool: String, _ home: borrowing SigningHome, file: String = "image", key: String, by fingerprint: String
    ) async throws -> Result<OpenPGPCheck.Signer, SignatureError> {
        let check = OpenPGPCheck(
            searchPath: try await onlyTool(tool, in: home.scratch.path), scratch: home.scratch.path, now: now)
        let trusted = try #require(OpenPGPFingerprint(fingerprint))
        do {
            return .success(
                try await check.verify(
                    home.path(file), signature: home.path("\(file).asc"), key: home.path(key), by: trusted))
        } catch let error as SignatureError {
            #expect(!error.description.utf8.contains(0x0a))
            return .failure(error)
        }
    }

    private func refusal(_ result: Result<OpenPGPCheck.Signer, SignatureError>) -> SignatureError? {
        guard case .failure(let error) = result else { return nil }
        return error
    }

    @Test(arguments: tools, ["key.asc", "key.gpg"])
    func `a file that the trusted key signed is accepted`(_ tool: String, _ file: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        let signer = try await verdict(tool, home, key: file, by: key).get()
        #expect(signer.fingerprint.description == key)
        #expect(signer.tool == tool)
        let names = try HostFile.names(in: home.scratch.path)
        #expect(!names.contains { $0.hasPrefix(".ksbuild-signature-") })
    }

    @Test(arguments: tools) func `a subkey signs for its primary key`(_ tool: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key", usage: "cert")
        try await home.gpg("--quick-add-key", key, "ed25519", "sign", "never")
        try await home.export("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        #expect(try await verdict(tool, home, key: "key.asc", by: key).get().fingerprint.description == key)
    }

    @Test(arguments: tools) func `a changed file is refused`(_ tool: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        try home.scratch.file("image", "what is not signed")
        let error = refusal(try await verdict(tool, home, key: "key.asc", by: key))
        #expect(error?.code == .badSignature)
        #expect(error?.subject == home.path("image").string)
    }

    @Test(arguments: tools) func `a key that is not the trusted one is refused, whether it is given or not`(
        _ tool: String
    ) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        let other = try await home.makeKey("other")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "other")
        let absent = refusal(try await verdict(tool, home, key: "key.asc", by: key))
        #expect(absent?.code == .wrongKey)
        #expect(absent?.description.contains("key.asc does not hold, and the trusted key is \(key)") == true)
        let given = refusal(try await verdict(tool, home, key: "other.asc", by: key))
        #expect(given?.code == .wrongKey)
        #expect(given?.description.contains("holds \(other), and the trusted key is \(key)") == true)
        _ = try await run("sh", ["-c", "cat other.gpg key.gpg >both.gpg"], in: home.scratch.path)
        #expect(refusal(try await verdict(tool, home, key: "both.gpg", by: key))?.code == .wrongKey)
        let alpine = OpenPGPFingerprint.alpineReleases.description
        #expect(alpine == "0482D84022F52DF1C4E7CD43293ACD0907D9495A")
        #expect(refusal(try await verdict(tool, home, key: "other.asc", by: alpine))?.code == .wrongKey)
    }

    @Test(arguments: tools) func `a revoked key is refused`(_ tool: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        try await home.revoke("key", key)
        #expect(refusal(try await verdict(tool, home, key: "key.asc", by: key))?.code == .revokedKey)
    }

    @Test(arguments: tools) func `an expired key is refused`(_ tool: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key", expires: "2021-01-01", at: "20200101T000000")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key", "--faked-system-time", "20200201T000000")
        let error = refusal(try await verdict(tool, home, key: "key.asc", by: key))
        #expect(error?.code == .expiredKey)
    }

    @Test func `an expired signature is refused`() async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key", at: "20200101T000000")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key", "--faked-system-time", "20200201T000000", "--default-sig-expire", "2d")
        #expect(refusal(try await verdict("gpgv", home, key: "key.asc", by: key))?.code == .expiredSignature)
        #expect(refusal(try await verdict("sqv", home, key: "key.asc", by: key)) != nil)
    }

    @Test(arguments: tools) func `a signature over SHA-1 is refused`(_ tool: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key", "--digest-algo", "SHA1")
        #expect(refusal(try await verdict(tool, home, key: "key.asc", by: key))?.code == .weakAlgorithm)
    }

    @Test(arguments: tools)
    func `of two signatures one has to be good and none may be bad`(_ tool: String) async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        _ = try await home.makeKey("other")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "other", "--local-user", "key@example.org")
        #expect(try await verdict(tool, home, key: "key.asc", by: key).get().fingerprint.description == key)
        let good = try HostFile.read(home.path("image.asc"), limit: 1 << 20)
        try home.scratch.file("image", "something else")
        try await home.sign("image", by: "key")
        let bad = try HostFile.read(home.path("image.asc"), limit: 1 << 20)
        try home.scratch.file("image", "what is signed")
        for both in [bad + good, good + bad] {
            try home.scratch.file("image.asc", both)
            #expect(refusal(try await verdict(tool, home, key: "key.asc", by: key))?.code == .badSignature)
        }
    }

    @Test func `what is no signature, no key or damaged is refused before a program runs`() async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        #expect(refusal(try await verdict("gpgv", home, key: "key.asc", by: key))?.code == .unsigned)
        try home.scratch.file("image.asc", "<html>404</html>")
        let page = refusal(try await verdict("gpgv", home, key: "key.asc", by: key))
        #expect(page?.code == .unsigned)
        #expect(page?.description.contains("HTML page") == true)
        try await home.sign("image", by: "key")
        try home.scratch.file("nothing.asc", "no key\n")
        #expect(refusal(try await verdict("gpgv", home, key: "nothing.asc", by: key))?.code == .noKey)
        #expect(refusal(try await verdict("gpgv", home, key: "image.asc", by: key))?.code == .noKey)
        let text = String(decoding: try HostFile.read(home.path("image.asc"), limit: 1 << 20), as: UTF8.self)
        try home.scratch.file("image.asc", text.replacing("\n=", with: "\n=A"))
        #expect(refusal(try await verdict("gpgv", home, key: "key.asc", by: key))?.code == .malformedArmor)
    }

    @Test func `gpgv is taken before sqv, and without either the package is named`() async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        let trusted = try #require(OpenPGPFingerprint(key))
        let sqv = try await onlyTool("sqv", in: home.scratch.path)
        let gpgv = try await onlyTool("gpgv", in: home.scratch.path)
        for (path, tool) in [("\(sqv):\(gpgv)", "gpgv"), ("relative::\(sqv)", "sqv")] {
            let check = OpenPGPCheck(searchPath: path, scratch: home.scratch.path, now: now)
            let signer = try await check.verify(
                home.path("image"), signature: home.path("image.asc"), key: home.path("key.asc"), by: trusted)
            #expect(signer.tool == tool)
        }
        let none = OpenPGPCheck(searchPath: "/nonexistent:\(home.scratch.path)", scratch: home.scratch.path, now: now)
        let error = await #expect(throws: SignatureError.self) {
            try await none.verify(
                home.path("image"), signature: home.path("image.asc"), key: home.path("key.asc"), by: trusted)
        }
        #expect(error?.code == .toolMissing)
        #expect(error?.failureClass == .unavailable)
        #expect(error?.description.contains("install the Debian package gpgv, or sqv") == true)
    }

    @Test func `a file that changes while it is checked is refused`() async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        let real = try await onlyTool("gpgv", in: home.scratch.path)
        let script = """
            #!/bin/sh
            \(real)/gpgv "$@" || exit
            for last do :; done
            echo more >>"$last"
            """
        try home.scratch.file("changing/gpgv", script, mode: .executable)
        let check = OpenPGPCheck(
            searchPath: home.path("changing").string, scratch: home.scratch.path, now: now)
        let trusted = try #require(OpenPGPFingerprint(key))
        let error = await #expect(throws: SignatureError.self) {
            try await check.verify(
                home.path("image"), signature: home.path("image.asc"), key: home.path("key.asc"), by: trusted)
        }
        #expect(error?.code == .changedWhileReading)
        #expect(error?.failureClass == .io)
    }

    @Test func `a program that says nothing gives no verdict`() async throws {
        let home = try SigningHome()
        let key = try await home.makeKey("key")
        try home.scratch.file("image", "what is signed")
        try await home.sign("image", by: "key")
        for tool in tools {
            try home.scratch.file("lying-\(tool)/\(tool)", "#!/bin/sh\nexit 0\n", mode: .executable)
            let check = OpenPGPCheck(
                searchPath: home.path("lying-\(tool)").string, scratch: home.scratch.path, now: now)
            let trusted = try #require(OpenPGPFingerprint(key))
            let error = await #expect(throws: SignatureError.self) {
                try await check.verify(
                    home.path("image"), signature: home.path("image.asc"), key: home.path("key.asc"), by: trusted)
            }
            #expect(error?.code == .toolFailed)
        }
    }
}
