internal import Crypto

/// A signature as `ssh-keygen -Y sign` writes it (OpenSSH's PROTOCOL.sshsig), by an Ed25519 key.
public struct SSHSignature: Hashable, Sendable {
    /// The name of the file in a bundle, which is the one that `ssh-keygen -Y sign` takes.
    public static let fileName = "SHA256SUMS.sig"
    /// What the signature is for; one for another purpose does not count.
    public static let namespace = "ksbuild-bundle"

    /// The 32 bytes of the key that signed.
    let key: [UInt8]
    private let signature: [UInt8]

    /// Signs a message.
    ///
    /// - Throws: What the library for Ed25519 throws.
    init(of message: [UInt8], by key: MinisignSecretKey) throws {
        self.key = key.publicKey.bytes
        signature = try key.sign(Self.signedData(message))
    }

    /// Takes the bytes of a file and accepts nothing but what ``encoded()`` gives.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: What messages call it.
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidSignature`` and the reason.
    public init(decoding bytes: [UInt8], named name: String = Self.fileName) throws(BundleError) {
        func refuse(_ why: String) -> BundleError { BundleError(.invalidSignature, subject: name, detail: why) }
        guard bytes.count <= SignatureFile.maximumBytes else {
            throw refuse("is larger than \(SignatureFile.maximumBytes) bytes")
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard lines.first == Self.begin, lines.dropLast().last == Self.end, lines.last == "",
            let blob = StrictBase64.bytes(of: lines.dropFirst().dropLast(2).joined())
        else { throw refuse("is no signature of OpenSSH") }
        let length = Self.blob(key: [UInt8](repeating: 0, count: 32), signature: [UInt8](repeating: 0, count: 64)).count
        guard blob.count == length else {
            throw refuse("is no signature by an Ed25519 key for '\(Self.namespace)'")
        }
        key = Array(blob[Self.keyOffset..<(Self.keyOffset + 32)])
        signature = Array(blob.suffix(64))
        guard encoded() == bytes else {
            throw refuse("is no signature by an Ed25519 key for '\(Self.namespace)', or not in OpenSSH's own form")
        }
    }

    /// The file.
    public func encoded() -> [UInt8] {
        var text = Array(StrictBase64.text(of: Self.blob(key: key, signature: signature)).utf8)[...]
        var lines = [Self.begin]
        while !text.isEmpty {
            lines.append(String(decoding: text.prefix(70), as: UTF8.self))
            text = text.dropFirst(70)
        }
        lines.append(Self.end)
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// Whether the key that it names made it for a message.
    func isValid(for message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else { return false }
        return key.isValidSignature(signature, for: Self.signedData(message))
    }

    private static let begin = "-----BEGIN SSH SIGNATURE-----"
    private static let end = "-----END SSH SIGNATURE-----"
    private static let preamble = Array("SSHSIG".utf8)
    private static let hash = "sha512"
    private static let algorithm = Array("ssh-ed25519".utf8)
    /// Where the key's 32 bytes are: behind preamble, version, and the lengths and the algorithm before it.
    private static let keyOffset = 6 + 4 + 4 + (4 + algorithm.count) + 4

    /// A public key on the wire (RFC 8709).
    static func keyBlob(_ key: [UInt8]) -> [UInt8] { string(algorithm) + string(key) }

    private static func blob(key: [UInt8], signature: [UInt8]) -> [UInt8] {
        preamble + number(1) + string(keyBlob(key)) + string(Array(namespace.utf8)) + string([])
            + string(Array(hash.utf8)) + string(string(algorithm) + string(signature))
    }

    private static func signedData(_ message: [UInt8]) -> [UInt8] {
        preamble + string(Array(namespace.utf8)) + string([]) + string(Array(hash.utf8))
            + string(Array(SHA512.hash(data: message)))
    }

    /// Bytes with their length before them (RFC 4251 §5).
    private static func string(_ bytes: [UInt8]) -> [UInt8] { number(UInt32(bytes.count)) + bytes }

    private static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
