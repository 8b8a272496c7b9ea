internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
public import SystemPackage

/// The public keys by which a node knows packages and indexes, by their file names below `/etc/apk/keys`.
///
/// A node trusts the keys in its initramfs, which init copies over those of the overlay, and those that the overlay adds.
public struct AlpineKeys: Hashable, Sendable {
    /// The largest key file in bytes.
    public static let maximumKeyBytes = 16 << 10
    /// The most keys.
    public static let maximumKeys = 64

    private var texts: [String: String]

    /// The file names of the keys, sorted.
    public var names: [String] { texts.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// Takes keys in PEM (`BEGIN PUBLIC KEY`) by their file names.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` for what is no RSA key of 2048 bits or more.
    public init(_ texts: [String: String]) throws(UpstreamError) {
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            guard (try? _RSA.Signing.PublicKey(pemRepresentation: text)) != nil else {
                throw UpstreamError(
                    .malformed, subject: name, detail: "is no public RSA key of at least 2048 bits in PEM")
            }
        }
        self.texts = texts
    }

    /// Reads the keys that a node booting from an image of Alpine trusts: those in its initramfs.
    ///
    /// - Parameters:
    ///   - image: The ISO image.
    ///   - initramfs: The path of the initramfs on it, `boot/initramfs-virt`.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/incomplete`` where there is no initramfs or no key in it,
    ///   with ``UpstreamError/Code/malformed`` and others where it cannot be read; `ISOError` for the image.
    public init(ofImage image: FilePath, initramfs: String) throws {
        self = try InitramfsTrust(ofImage: image, initramfs: initramfs).keys
    }

    /// Takes what is a key of files that may be none.
    init(readable files: [(name: String, text: String)]) {
        let keys = files.filter { (try? _RSA.Signing.PublicKey(pemRepresentation: $0.text)) != nil }
        texts = Dictionary(keys.map { ($0.name, $0.text) }, uniquingKeysWith: { _, last in last })
    }

    /// These keys and others; where both have a name, these stay.
    public func adding(_ others: AlpineKeys) -> AlpineKeys {
        var both = self
        both.texts.merge(others.texts, uniquingKeysWith: { own, _ in own })
        return both
    }

    /// The key of a file name, in PEM.
    public subscript(name: String) -> String? { texts[name] }

    /// A signature as archives of format 2 carry it, `.SIGN.KIND.KEYNAME` (`apk-v2(5)`).
    struct SignatureFile: Hashable, Sendable {
        let kind: String
        let keyName: String
        let bytes: [UInt8]
    }

    /// Demands that the first signature by one of these keys is right, as apk does.
    ///
    /// - Parameters:
    ///   - signatures: The signatures in the order of the file.
    ///   - bytes: What they sign: a gzip stream as it is compressed.
    ///   - subject: The file, for messages.
    /// - Returns: The name of the key.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/unsigned``, ``UpstreamError/Code/untrusted`` or
    ///   ``UpstreamError/Code/tampered``.
    func verify(_ signatures: [SignatureFile], over bytes: [UInt8], subject: String) throws(UpstreamError) -> String {
        guard !signatures.isEmpty else {
            throw UpstreamError(
                .unsigned, subject: subject, detail: "carries no signature, and apk takes nothing unsigned at boot")
        }
        guard let signature = signatures.first(where: { texts[$0.keyName] != nil && $0.kind != "DSA" }) else {
            let theirs = signatures.map(\.keyName).joined(separator: ", ")
            throw UpstreamError(
                .untrusted, subject: subject,
                detail: "is signed by \(theirs), which is none of the keys that the node trusts: "
                    + names.joined(separator: ", "))
        }
        guard isRight(signature, over: bytes) else {
            throw UpstreamError(
                .tampered, subject: subject,
                detail: "does not have the content that \(signature.keyName) signed; fetch it again, and if that does"
                    + " not help, do not use it")
        }
        return signature.keyName
    }

    private func isRight(_ signature: SignatureFile, over bytes: [UInt8]) -> Bool {
        guard
            let text = texts[signature.keyName],
            let key = try? _RSA.Signing.PublicKey(pemRepresentation: text)
        else { return false }
        let raw = _RSA.Signing.RSASignature(rawRepresentation: signature.bytes)
        switch signature.kind {
        case "RSA":
            return key.isValidSignature(raw, for: Insecure.SHA1.hash(data: bytes), padding: .insecurePKCS1v1_5)
        case "RSA256": return key.isValidSignature(raw, for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5)
        case "RSA512": return key.isValidSignature(raw, for: SHA512.hash(data: bytes), padding: .insecurePKCS1v1_5)
        default: return false
        }
    }
}
