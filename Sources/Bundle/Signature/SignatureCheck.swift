internal import Artefact
internal import Attestation

/// Who made a bundle, as far as its signature says.
public enum BundleSignature: Hashable, Sendable {
    /// It has none.
    case none
    /// It is signed for this bundle by the key of that name, and no key was given to check that with.
    case unchecked(by: String)
    /// It is signed by a key that is trusted.
    case trusted(MinisignPublicKey)
}

/// Judges the files that sign a bundle.
struct SignatureCheck {
    /// All that is wrong.
    private(set) var findings: [BundleFinding] = []
    /// Who signed.
    private(set) var outcome = BundleSignature.none

    /// Judges the files that are there.
    ///
    /// What is signed is the list that follows from the manifest; that the one in the bundle is the same, byte for byte,
    /// is for others to find.
    ///
    /// - Parameters:
    ///   - files: The bytes by file name.
    ///   - manifest: The manifest, as it was read.
    ///   - keys: The keys of which one must have signed; with none, only the form is checked and, where there is an SSH
    ///     signature, that both are by one key.
    /// - Throws: ``BundleError`` where the manifest cannot be encoded.
    init(
        _ files: [String: [UInt8]], of manifest: Manifest, trusting keys: [MinisignPublicKey]
    ) throws(BundleError) {
        let message = try ChecksumList(of: manifest).encoded()
        let signature = judge(files[MinisignSignature.fileName], files, of: manifest, message, keys)
        if let bytes = files[SSHSignature.fileName] { judge(ssh: bytes, beside: signature, message) }
        if let name = manifest.envelopeName {
            judge(envelope: files[name], named: name, of: manifest, beside: signature, files)
        }
    }

    /// Judges the envelope, which holds the statement of the bundle and is by the key of the signature.
    ///
    /// Without a key to check it with, its payload and the name of its key still have to be right.
    private mutating func judge(
        envelope bytes: [UInt8]?, named name: String, of manifest: Manifest, beside signature: MinisignSignature?,
        _ files: [String: [UInt8]]
    ) {
        let isSigned = files[MinisignSignature.fileName] != nil
        guard let bytes else {
            if isSigned { note(name, .missing, "is not there beside \(MinisignSignature.fileName)") }
            return
        }
        guard isSigned else {
            if files[SSHSignature.fileName] == nil, !findings.contains(where: { $0.problem == .unsigned }) {
                note(MinisignSignature.fileName, .missing, "is not there beside \(name)")
            }
            return
        }
        let envelope: DSSEEnvelope
        do throws(DSSEFault) {
            envelope = try DSSEEnvelope(decoding: bytes)
        } catch {
            note(name, .badSignature, error.detail)
            return
        }
        guard Digest(of: envelope.payload) == manifest.provenance?.sha256 else {
            note(name, .badSignature, "holds another statement than \(manifest.provenance?.file ?? "the bundle")")
            return
        }
        guard let signature else { return }
        guard envelope.key == signature.signer else {
            note(
                name, .badSignature,
                "is by key '\(printable(String(envelope.key.prefix(60))))' and not by that of "
                    + "\(MinisignSignature.fileName)")
            return
        }
        guard case .trusted(let key) = outcome else { return }
        if !key.accepts(envelope.signature, for: envelope.preAuthenticationEncoding) {
            note(name, .badSignature, "was made of another statement, by another key, or is damaged")
        }
    }

    /// Judges the SSH signature, which is by the key of the other one.
    private mutating func judge(ssh bytes: [UInt8], beside signature: MinisignSignature?, _ message: [UInt8]) {
        let name = SSHSignature.fileName
        do throws(BundleError) {
            let ssh = try SSHSignature(decoding: bytes)
            if !ssh.isValid(for: message) {
                note(name, .badSignature, "was made of other checksums, or is damaged")
            } else if let signature, !isByOneKey(ssh, signature, message) {
                note(name, .badSignature, "is not by the key of \(MinisignSignature.fileName)")
            }
        } catch {
            note(name, .badSignature, error.detail)
        }
    }

    /// Whether the key that made the SSH signature made the other one as well.
    private func isByOneKey(_ ssh: SSHSignature, _ signature: MinisignSignature, _ message: [UInt8]) -> Bool {
        if case .trusted(let key) = outcome { return key.bytes == ssh.key }
        return signature.isValid(for: message, bySSHKey: ssh.key)
    }

    private mutating func note(_ file: String, _ problem: BundleFinding.Problem, _ detail: String) {
        findings.append(BundleFinding(file: file, problem: problem, detail: detail))
    }

    /// Judges minisign's signature and gives it where its form is right.
    private mutating func judge(
        _ bytes: [UInt8]?, _ files: [String: [UInt8]], of manifest: Manifest, _ message: [UInt8],
        _ keys: [MinisignPublicKey]
    ) -> MinisignSignature? {
        let name = MinisignSignature.fileName
        let names = keys.map(\.identifier).joined(separator: ", ")
        guard let bytes else {
            if !keys.isEmpty {
                note(name, .unsigned, "is not there, and only what is signed by \(names) is trusted")
            } else if files[SSHSignature.fileName] != nil {
                note(name, .missing, "is not there beside \(SSHSignature.fileName)")
            }
            return nil
        }
        let signature: MinisignSignature
        do throws(BundleError) {
            signature = try MinisignSignature(decoding: bytes)
        } catch {
            note(name, .badSignature, error.detail)
            return nil
        }
        guard signature.comment == manifest.trustedComment else {
            note(
                name, .badSignature,
                "is that of '\(printable(String(signature.comment.prefix(200))))' and not of "
                    + "'\(manifest.trustedComment)'")
            return nil
        }
        guard !keys.isEmpty else {
            outcome = .unchecked(by: signature.signer)
            return signature
        }
        let named = keys.filter(signature.names)
        guard !named.isEmpty else {
            note(name, .untrusted, "is by key \(signature.signer), and trusted is only \(names)")
            return signature
        }
        guard let key = named.first(where: { signature.isValid(for: message, by: $0) }) else {
            note(
                name, .badSignature,
                "was made of other checksums, by another key than \(signature.signer), or is damaged")
            return nil
        }
        outcome = .trusted(key)
        return signature
    }
}
