internal import Artefact
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

    /// The files that sign a bundle's checksums, and with them its manifest and every artefact; the same on every call.
    ///
    /// - Throws: ``BundleError`` where the manifest cannot be encoded, and what the library for Ed25519 throws.
    func files(for manifest: Manifest) throws -> [SignatureFile] {
        let sums = try ChecksumList(of: manifest).encoded()
        let signature = try MinisignSignature(of: sums, comment: manifest.trustedComment, by: key)
        var files = [SignatureFile(name: MinisignSignature.fileName, bytes: signature.encoded())]
        if writesSSHSignature {
            files.append(
                SignatureFile(name: SSHSignature.fileName, bytes: try SSHSignature(of: sums, by: key).encoded()))
        }
        return files
    }
}

/// A file of a bundle that signs its checksums.
struct SignatureFile: Hashable, Sendable {
    /// Its name; the manifest does not list it.
    let name: String
    /// Its bytes.
    let bytes: [UInt8]

    /// The names that such a file may have.
    static let names = [MinisignSignature.fileName, SSHSignature.fileName]
    /// The largest that is read, in bytes.
    static let maximumBytes = 4096

    /// Those that a bundle has.
    ///
    /// - Throws: `ArtefactError` where one cannot be read.
    static func present(in bundle: FilePath) throws -> [SignatureFile] {
        try names.filter { HostFile.exists(bundle.appending($0)) }.map { name in
            SignatureFile(name: name, bytes: try HostFile.read(bundle.appending(name), limit: maximumBytes))
        }
    }

    /// How a bundle was signed that was to be signed otherwise; `nil` where it is the same.
    static func difference(_ found: [SignatureFile], _ due: [SignatureFile]) -> String? {
        guard found != due else { return nil }
        if found.isEmpty { return "without a signature" }
        return due.isEmpty ? "with a signature, and --sign is not given" : "with another signature"
    }
}
