internal import Artefact
public import SystemPackage

/// Checks that a file is what the holder of a key signed, through `gpgv` of GnuPG or else `sqv` of Sequoia-PGP.
///
/// Neither program looks at a keyring of the user, at the network, or at anything but the three files that are given.
/// Keys and signatures are taken out of their armour here, so that both programs read the same packets.
public struct OpenPGPCheck: Hashable, Sendable {
    /// Who signed a file.
    public struct Signer: Hashable, Sendable {
        /// The primary key, also where a subkey signed.
        public let fingerprint: OpenPGPFingerprint
        /// The program that said so: `gpgv`, `sqv`.
        public let tool: String
    }

    /// The directories to look for the programs in, with `:` between them, as `PATH` has them.
    public let searchPath: String
    /// The directory in which a folder for the packets is made.
    public let scratch: FilePath
    /// The time by which a key has expired or not, in seconds since 1970.
    public let now: Int64

    /// Joins the parts; nothing is looked at before a file is checked.
    public init(searchPath: String, scratch: FilePath, now: Int64) {
        self.searchPath = searchPath
        self.scratch = scratch
        self.now = now
    }

    /// Checks a file.
    ///
    /// Of several signatures one has to be good in every respect and by the trusted key, and none may be bad.
    ///
    /// - Parameters:
    ///   - file: What was signed.
    ///   - signature: The detached signature, armoured (`NAME.asc`) or not (`NAME.sig`).
    ///   - key: The public key, armoured or not; what else the file holds is not trusted.
    ///   - fingerprint: The primary key that is trusted.
    /// - Returns: Who signed it.
    /// - Throws: ``SignatureError``, or `ArtefactError` when a file cannot be read.
    public func verify(
        _ file: FilePath, signature: FilePath, key: FilePath,
        by fingerprint: OpenPGPFingerprint = .alpineReleases
    ) async throws -> Signer {
        guard HostFile.exists(signature) else {
            throw SignatureError(
                .unsigned, subject: signature.string,
                detail:
                    "is not there, so nothing says who made \(file.lastComponent?.string ?? file.string); take it from "
                    + "where the file comes from, or pin the digest")
        }
        let signaturePackets = try ASCIIArmor.packets(
            of: HostFile.read(signature, limit: ASCIIArmor.maximumBytes), .signature, named: signature.string)
        let keyPackets = try trustedKey(in: key, fingerprint, signature: signature)
        let (tool, program) = try SignatureTool.find(in: searchPath)

        let folder = try TemporaryFolder(in: scratch, prefix: ".ksbuild-signature-")
        let packets = (signature: folder.path.appending("signature.pgp"), key: folder.path.appending("key.pgp"))
        try StagedFile.write(signaturePackets, to: packets.signature)
        try StagedFile.write(keyPackets, to: packets.key)

        let before = try fingerprinted(file)
        let answer = try await tool.run(
            program, file, signature: packets.signature, key: packets.key, home: folder.path)
        guard FileFingerprint(of: file) == before else {
            throw SignatureError(
                .changedWhileReading, subject: file.string,
                detail: "changed while its signature was checked; run again when nothing writes to it")
        }
        switch tool {
        case .gpgv:
            let status = GPGVStatus(answer.output)
            let isBad = status.signatures.contains { $0.words.contains("BADSIG") }
            let isGood = status.signatures.contains { $0.isGood(by: fingerprint) }
            guard isGood, !isBad else {
                guard !status.signatures.isEmpty else { throw Self.noVerdict(program, answer) }
                throw status.refusal(
                    of: file.string, signature: signature.string, key: key.string, by: fingerprint)
            }
        case .sqv:
            let signers = answer.output.split(separator: "\n").compactMap { OpenPGPFingerprint(String($0)) }
            // A bad signature beside a good one is success to sqv.
            let isBad = Self.tellsOfChange(answer)
            guard answer.succeeded, !isBad, signers.contains(fingerprint) else {
                if answer.succeeded, !isBad, let other = signers.first {
                    throw SignatureError.wrongKey(signature.string, made: "by the key \(other)", fingerprint)
                }
                throw Self.refusal(answer, program, file, signature: signature, key: key, by: fingerprint)
            }
        }
        return Signer(fingerprint: fingerprint, tool: tool.rawValue)
    }

    /// The packets of the trusted key out of a file, and of no other.
    ///
    /// `sqv` takes a signature from before the key expired, `gpgv` does not: whoever has an old key can give a signature
    /// any time, so an expired key is refused for both.
    private func trustedKey(
        in path: FilePath, _ fingerprint: OpenPGPFingerprint, signature: FilePath
    ) throws -> [UInt8] {
        let packets = try ASCIIArmor.packets(
            of: HostFile.read(path, limit: ASCIIArmor.maximumBytes), .publicKey, named: path.string)
        let file = try OpenPGPKeyFile(packets: packets, named: path.string)
        guard let key = file.keys.first(where: { $0.fingerprint == fingerprint }) else {
            let held = file.keys.prefix(3).map(\.fingerprint.description).joined(separator: ", ")
            throw SignatureError(
                .wrongKey, subject: path.string,
                detail:
                    "holds \(held)\(file.keys.count > 3 ? " and more" : ""), and the trusted key is \(fingerprint); take "
                    + "the key from https://alpinelinux.org/downloads/")
        }
        if let expires = key.expires, expires <= now { throw SignatureError.expiredKey(signature.string) }
        return file.packets(of: key)
    }

    private func fingerprinted(_ file: FilePath) throws -> FileFingerprint {
        if let fingerprint = FileFingerprint(of: file) { return fingerprint }
        _ = try HostFile.status(of: file)
        throw ArtefactError.system("check the signature of", file, .invalidArgument)
    }

    /// What `sqv` means, which says it in words only.
    private static func refusal(
        _ answer: SignatureTool.Answer, _ program: FilePath, _ file: FilePath, signature: FilePath, key: FilePath,
        by fingerprint: OpenPGPFingerprint
    ) -> SignatureError {
        let words = answer.errors.lowercased()
        if tellsOfChange(answer) { return .bad(file.string, signature: signature.string) }
        if words.contains("revoked") { return .revoked(signature.string) }
        if words.contains("not considered secure") || words.contains("policy rejected") {
            return .weak(signature.string)
        }
        if words.contains("expired") || words.contains("not live") { return .expiredKey(signature.string) }
        if words.contains("missing key") {
            return .wrongKey(signature.string, made: "by a key that \(key) does not hold", fingerprint)
        }
        return noVerdict(program, answer)
    }

    /// Whether `sqv` found a signature whose file, or which itself, was changed.
    private static func tellsOfChange(_ answer: SignatureTool.Answer) -> Bool {
        answer.errors.lowercased().contains("manipulated")
    }

    private static func noVerdict(_ program: FilePath, _ answer: SignatureTool.Answer) -> SignatureError {
        let line = answer.errors.split(separator: "\n").first.map { String($0.prefix(200)) } ?? "it says nothing"
        return SignatureError(.toolFailed, subject: program.string, detail: "gives no verdict: \(line)")
    }
}
