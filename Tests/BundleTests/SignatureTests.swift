import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// A bundle that is published with a signature by a key of its own.
struct SignedBundle: ~Copyable {
    let workshop: Workshop
    let key: MinisignSecretKey
    let files: MinisignSecretKey.Files
    let path: FilePath

    init(_ version: String = "1.4.0", withSSHSignature: Bool = true) throws {
        let workshop = try Workshop()
        let key = MinisignSecretKey.generate()
        let files = try key.write(named: "release@example.org", in: workshop.scratch.path)
        let signer = BundleSigner(key, writesSSHSignature: withSSHSignature)
        let path = try workshop.publish(version, signer: signer).path
        self.key = key
        self.files = files
        self.path = path
        self.workshop = workshop
    }

    func findings(_ version: String = "1.4.0") throws -> [BundleFinding] {
        try workshop.store.verify(Version(version), trusting: [key.publicKey]).findings
    }
}

extension Workshop {
    @discardableResult
    func publish(_ version: String, overlay: String = "overlay", signer: BundleSigner?) throws -> Publication {
        var stage = try Samples.stage(version, overlay: overlay, iso: iso)
        stage.signer = signer
        return try store.publish(stage)
    }
}

struct SignatureTests {
    @Test func `a signed bundle holds the signatures, and nothing lists them`() throws {
        let bundle = try SignedBundle()
        for name in ["SHA256SUMS.minisig", "SHA256SUMS.sig"] {
            #expect(try HostFile.status(of: bundle.path.appending(name)).mode == EntryMode(0o444))
        }
        let sums = String(decoding: try HostFile.read(bundle.path.appending("SHA256SUMS"), limit: 4096), as: UTF8.self)
        #expect(!sums.contains("SHA256SUMS"))
        #expect(try hasNoLeftovers(bundle.workshop.out))
        let version = try Version("1.4.0")
        let trusted = try bundle.workshop.store.verify(version, trusting: [bundle.key.publicKey])
        #expect(trusted.isGood && trusted.signature == .trusted(bundle.key.publicKey))
        let unchecked = try bundle.workshop.store.verify(version)
        #expect(unchecked.isGood && unchecked.signature == .unchecked(by: bundle.key.publicKey.identifier))
    }

    @Test func `minisign, sha256sum and ssh-keygen accept a signed bundle`() async throws {
        let bundle = try SignedBundle()
        let key = bundle.files.publicKey.string
        let told = try await run("minisign", ["-V", "-Q", "-p", key, "-m", "SHA256SUMS"], in: bundle.path)
        #expect(
            told.output == "ksbuild/bundle/v1 name:edge version:1.4.0 arch:x86_64 epoch:1767225600\n", "\(told.errors)")
        let text = bundle.key.publicKey.text
        #expect(try await run("minisign", ["-V", "-P", text, "-m", "SHA256SUMS"], in: bundle.path).succeeded)
        #expect(try await run("sha256sum", ["-c", "--strict", "SHA256SUMS"], in: bundle.path).succeeded)
        let verify = """
            ssh-keygen -Y verify -f "$1" -I release@example.org -n "$2" -s SHA256SUMS.sig <"$3"
            """
        func ssh(_ namespace: String, _ file: String) async throws -> ProgramResult {
            try await run(
                "sh", ["-c", verify, "sh", bundle.files.allowedSigners.string, namespace, file], in: bundle.path)
        }
        let good = try await ssh("ksbuild-bundle", "SHA256SUMS")
        #expect(good.succeeded, "\(good.errors)")
        #expect(try await !ssh("file", "SHA256SUMS").succeeded)
        #expect(try await !ssh("ksbuild-bundle", "manifest.json").succeeded)
    }

    @Test func `minisign and ssh-keygen write the same bytes with the same key and comments`() async throws {
        let bundle = try SignedBundle()
        let script = """
            cp "$1/SHA256SUMS" .
            minisign -S -W -s "$2" -m SHA256SUMS -t "$3" -c "ksbuild signature by minisign key $4"
            cmp SHA256SUMS.minisig "$1/SHA256SUMS.minisig"
            minisign -R -p again.pub -s "$2" </dev/null >/dev/null
            tail -n 1 again.pub
            python3 - "$2" >ssh.key <<'EOF'
            import base64, struct, sys
            key = base64.b64decode(open(sys.argv[1]).read().split("\\n")[1])[62:126]
            string = lambda data: struct.pack(">I", len(data)) + data
            kind, public = b"ssh-ed25519", key[32:]
            private = b"12341234" + string(kind) + string(public) + string(key) + string(b"c")
            private += bytes(range(1, 1 + -len(private) % 8))
            blob = b"openssh-key-v1\\0" + string(b"none") * 2 + string(b"") + struct.pack(">I", 1)
            blob += string(string(kind) + string(public)) + string(private)
            print("-----BEGIN OPENSSH PRIVATE KEY-----")
            print(base64.encodebytes(blob).decode(), end="")
            print("-----END OPENSSH PRIVATE KEY-----")
            EOF
            chmod 600 ssh.key
            ssh-keygen -q -Y sign -f ssh.key -n ksbuild-bundle SHA256SUMS
            cmp SHA256SUMS.sig "$1/SHA256SUMS.sig"
            """
        let scratch = try Scratch()
        let result = try await run(
            "sh",
            [
                "-eu", "-c", script, "sh", bundle.path.string, bundle.files.privateKey.string,
                "ksbuild/bundle/v1 name:edge version:1.4.0 arch:x86_64 epoch:1767225600",
                bundle.key.publicKey.identifier,
            ], in: scratch.path)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(
            result.output.contains("\n\(bundle.key.publicKey.text)\n")
                || result.output == "\(bundle.key.publicKey.text)\n")
    }

    @Test func `keys that minisign made without a password sign bundles`() async throws {
        let workshop = try Workshop()
        let folder = workshop.scratch.path
        let made = try await run("minisign", ["-G", "-W", "-p", "a.pub", "-s", "a.key"], in: folder)
        #expect(made.succeeded, "\(made.errors)")
        let key = try MinisignSecretKey(ofFile: folder.appending("a.key"))
        #expect(try key.publicKey == MinisignPublicKey(ofFile: folder.appending("a.pub")))
        let path = try workshop.publish("1.0.0", signer: BundleSigner(key)).path
        let pub = folder.appending("a.pub").string
        #expect(try await run("minisign", ["-V", "-p", pub, "-m", "SHA256SUMS"], in: path).succeeded)
        #expect(!HostFile.exists(path.appending("SHA256SUMS.sig")))
        #expect(try workshop.store.verify(Version("1.0.0"), trusting: [key.publicKey]).isGood)
    }

    @Test func `the same content is signed with the same bytes everywhere`() throws {
        let first = try SignedBundle()
        let other = try Workshop()
        let path = try other.publish("1.4.0", signer: BundleSigner(first.key, writesSSHSignature: true)).path
        for name in ["SHA256SUMS.minisig", "SHA256SUMS.sig"] {
            let bytes = try HostFile.read(first.path.appending(name), limit: 4096)
            #expect(try HostFile.read(path.appending(name), limit: 4096) == bytes)
        }
    }

    @Test func `only a key that is trusted makes a bundle trusted, and the reason is told`() throws {
        let bundle = try SignedBundle()
        let stranger = MinisignSecretKey.generate().publicKey
        let version = try Version("1.4.0")
        let store = bundle.workshop.store
        let refused = try store.verify(version, trusting: [stranger])
        #expect(
            refused.findings.map(\.description) == [
                "SHA256SUMS.minisig: untrusted: is by key \(bundle.key.publicKey), and trusted is only \(stranger)"
            ])
        #expect(refused.signature == .none && refused.failureClass == .findings)
        #expect(try store.verify(version, trusting: [stranger, bundle.key.publicKey]).isGood)
        // The name of a key is no proof.
        let impostor = MinisignSecretKey.generate()
        let renamed = Array(impostor.publicKey.fileText.utf8)
        let disguise = try MinisignPublicKey(decoding: disguised(renamed, as: bundle.key.publicKey), named: "disguise")
        #expect(disguise.identifier == bundle.key.publicKey.identifier)
        #expect(try store.verify(version, trusting: [disguise]).findings.map(\.problem) == [.badSignature])
        #expect(try store.verify(version, trusting: [disguise, bundle.key.publicKey]).isGood)
        try bundle.workshop.publish("1.5.0", overlay: "another")
        let unsigned = try store.verify(Version("1.5.0"), trusting: [stranger])
        #expect(unsigned.findings.map(\.problem) == [.unsigned])
        #expect(try store.verify(Version("1.5.0")).signature == .none)
    }

    /// The file of a public key with the number of another one.
    private func disguised(_ file: [UInt8], as key: MinisignPublicKey) throws -> [UInt8] {
        let lines = file.split(separator: UInt8(ascii: "\n"))
        // Ten bytes are 13 characters and two bits; the 14th character is shared with the key's first byte.
        let own = Array(key.text.utf8)
        let values = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text = Array(lines[1])
        let high = try #require(values.firstIndex(of: own[13])) & 0b110000
        let low = try #require(values.firstIndex(of: text[13])) & 0b001111
        text.replaceSubrange(0..<13, with: own[0..<13])
        text[13] = values[high | low]
        return Array(lines[0]) + [UInt8(ascii: "\n")] + text + [UInt8(ascii: "\n")]
    }

    @Test func `a published version keeps the signature that it has, or none`() throws {
        let workshop = try Workshop()
        let signer = BundleSigner(MinisignSecretKey.generate())
        let other = BundleSigner(MinisignSecretKey.generate())
        let both = BundleSigner(signer.key, writesSSHSignature: true)
        try workshop.publish("1.0.0", signer: signer)
        try workshop.publish("1.1.0", signer: nil)
        let before = try snapshot(workshop.out)
        #expect(try workshop.publish("1.0.0", signer: signer).outcome == .identical)
        #expect(try workshop.publish("1.1.0", signer: nil).outcome == .identical)
        for (version, signer, why) in [
            ("1.0.0", other, "with another signature"), ("1.0.0", both, "with another signature"),
            ("1.0.0", nil, "with a signature, and --sign is not given"), ("1.1.0", signer, "without a signature"),
        ] {
            let error = #expect(throws: BundleError.self) { try workshop.publish(version, signer: signer) }
            #expect(error?.code == .versionTaken && error?.detail.contains(why) == true, "\(error?.description ?? "")")
        }
        #expect(try snapshot(workshop.out) == before)
    }

    @Test(arguments: [
        ("-W -c 'a comment of its own' -t \"$TRUSTED\"", "is not in canonical form"),
        (
            "-W -c \"$UNTRUSTED\" -t 'version:9.9.9'",
            "is that of 'version:9.9.9' and not of 'ksbuild/bundle/v1 name:edge"
        ),
        ("-W -c \"$UNTRUSTED\"", "is that of 'timestamp:"),
        ("-W -l -c \"$UNTRUSTED\" -t \"$TRUSTED\"", "is in minisign's old form"),
    ])
    func `a signature that minisign accepts and that is not in our form is refused`(
        arguments: String, reason: String
    ) async throws {
        let bundle = try SignedBundle(withSSHSignature: false)
        let script = """
            chmod u+w .; rm SHA256SUMS.minisig
            minisign -S -s "$KEY" -m SHA256SUMS \(arguments)
            minisign -V -q -p "$PUBLIC" -m SHA256SUMS
            chmod 0444 SHA256SUMS.minisig; chmod 0555 .
            """
        let result = try await run(
            "sh", ["-euc", script], in: bundle.path,
            environment: [
                "KEY": bundle.files.privateKey.string, "PUBLIC": bundle.files.publicKey.string,
                "TRUSTED": "ksbuild/bundle/v1 name:edge version:1.4.0 arch:x86_64 epoch:1767225600",
                "UNTRUSTED": "ksbuild signature by minisign key \(bundle.key.publicKey)",
            ])
        #expect(result.succeeded, "\(result.errors)")
        let findings = try bundle.findings()
        #expect(findings.map(\.problem) == [.badSignature])
        #expect(findings.first?.detail.hasPrefix(reason) == true, "\(findings)")
    }

    @Test func `an SSH signature alone, or by another key, is refused`() throws {
        let bundle = try SignedBundle()
        let other = try Workshop()
        let stranger = BundleSigner(MinisignSecretKey.generate(), writesSSHSignature: true)
        let path = try other.publish("1.4.0", signer: stranger).path
        try HostFile.setMode(of: bundle.path, .directory)
        let file = bundle.path.appending("SHA256SUMS.sig")
        let bytes = try HostFile.read(path.appending("SHA256SUMS.sig"), limit: 4096)
        try StagedFile.write(bytes, to: file, mode: EntryMode(0o444))
        try HostFile.setMode(of: bundle.path, EntryMode(0o555))
        #expect(
            try bundle.findings().map(\.description) == [
                "SHA256SUMS.sig: bad-signature: is not by the key of SHA256SUMS.minisig"
            ])
        #expect(try bundle.workshop.store.verify(Version("1.4.0")).findings.map(\.problem) == [.badSignature])
        try HostFile.setMode(of: bundle.path, .directory)
        try HostFile.remove(bundle.path.appending("SHA256SUMS.minisig"))
        try HostFile.setMode(of: bundle.path, EntryMode(0o555))
        #expect(try bundle.findings().map(\.problem) == [.unsigned])
        #expect(try bundle.workshop.store.verify(Version("1.4.0")).findings.map(\.problem) == [.missing])
    }
}
