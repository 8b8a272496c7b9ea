internal import Artefact
internal import Attestation
internal import SystemPackage

/// How a bundle is signed when it is published.
public struct BundleSigner: Sendable {
    /// The key.
    public let key: MinisignSecretKey
    /// Whether an SSH signature by the same key is written as well.
    public let writesSSHSignature: Bool

    /// Joins the two.
    public init(_ key: MinisignSecretKey, writesSSHSignature: Bool = false) {
        self.key = key
        self.writesSSHSignature = writesSSHSignature
    }

    /// The files that sign a bundle: its checksums, and with them its manifest and every artefact, and once more the
    /// statement of where it comes from, in the envelope that others read; the same on every call.
    ///
    /// - Parameters:
    ///   - manifest: The manifest.
    ///   - bundle: The directory with the artefacts.
    /// - Returns: The files.
    /// - Throws: ``BundleError`` where the manifest cannot be encoded, `ArtefactError` where the statement cannot be read,
    ///   and what the library for Ed25519 throws.
    func files(for manifest: Manifest, in bundle: FilePath) throws -> [SignatureFile] {
        let sums = try ChecksumList(of: manifest).encoded()
        let signature = try MinisignSignature(of: sums, comment: manifest.trustedComment, by: key)
        var files = [SignatureFile(name: MinisignSignature.fileName, bytes: signature.encoded())]
        if writesSSHSignature {
            files.append(
                SignatureFile(name: SSHSignature.fileName, bytes: try SSHSignature(of: sums, by: key).encoded()))
        }
        if let name = manifest.envelopeName, let statement = manifest.provenance {
            let payload = try HostFile.read(bundle.appending(statement.file), limit: DSSEEnvelope.maximumPayloadBytes)
            let envelope = DSSEEnvelope(
                payload: payload, key: key.publicKey.identifier,
                signature: try key.sign(DSSEEnvelope.preAuthenticationEncoding(payload)))
            files.append(SignatureFile(name: name, bytes: envelope.encoded()))
        }
        return files
    }
}

/// A file of a bundle that signs its checksums or its statement.
struct SignatureFile: Hashable, Sendable {
    /// Its name; the manifest does not list it.
    let name: String
    /// Its bytes.
    let bytes: [UInt8]

    /// The largest signature over checksums that is read, in bytes.
    static let maximumBytes = 4096

    /// The largest file of a name that is read, in bytes.
    static func maximumBytes(of name: String) -> Int {
        [MinisignSignature.fileName, SSHSignature.fileName].contains(name) ? maximumBytes : DSSEEnvelope.maximumBytes
    }

    /// Those that a bundle has.
    ///
    /// - Parameters:
    ///   - bundle: Its directory.
    ///   - manifest: Its manifest.
    /// - Returns: The files.
    /// - Throws: `ArtefactError` where one cannot be read.
    static func present(in bundle: FilePath, of manifest: Manifest) throws -> [SignatureFile] {
        try manifest.signatureNames.filter { HostFile.exists(bundle.appending($0)) }.map { name in
            SignatureFile(
                name: name, bytes: try HostFile.read(bundle.appending(name), limit: maximumBytes(of: name)))
        }
    }

    /// How a bundle was signed that was to be signed otherwise; `nil` where it is the same.
    static func difference(_ found: [SignatureFile], _ due: [SignatureFile]) -> String? {
        guard found != due else { return nil }
        if found.isEmpty { return "without a signature" }
        return due.isEmpty ? "with a signature, and --sign is not given" : "with another signature"
    }
}
