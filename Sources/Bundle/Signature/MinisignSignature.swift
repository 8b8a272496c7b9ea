/// A signature in minisign's format, prehashed, in the one form that ksbuild writes and takes.
///
/// minisign's own signature does not cover the untrusted comment, the number of the key and the spelling of base64. All
/// of them follow from the rest here, so that no bit of the file may differ.
public struct MinisignSignature: Hashable, Sendable {
    /// The name of the file in a bundle.
    public static let fileName = "SHA256SUMS.minisig"

    /// What the signer says of what is signed.
    public let comment: String
    private let number: [UInt8]
    private let signature: [UInt8]
    private let commentSignature: [UInt8]

    /// The name of the key that signed, as minisign shows it.
    public var signer: String { MinisignText.identifier(number) }

    /// Signs a message.
    ///
    /// - Parameters:
    ///   - message: The bytes.
    ///   - comment: The trusted comment, printable ASCII on one line.
    ///   - key: The key.
    /// - Throws: What the library for Ed25519 throws.
    init(of message: [UInt8], comment: String, by key: MinisignSecretKey) throws {
        self.comment = comment
        number = key.publicKey.number
        signature = try key.sign(BLAKE2b.digest(of: message))
        commentSignature = try key.sign(signature + Array(comment.utf8))
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
        guard lines.count == 5, lines[2].hasPrefix(MinisignText.trusted) else {
            throw refuse("is no signature of minisign: four lines, of which the third is a trusted comment")
        }
        guard let block = StrictBase64.bytes(of: lines[1]), block.count == 74, block[0] == 0x45,
            let own = StrictBase64.bytes(of: lines[3]), own.count == 64
        else { throw refuse("holds no signature of minisign where one belongs") }
        guard block[1] == 0x44 else {
            throw refuse("is in minisign's old form, which signs the file itself; sign its hash (minisign -S -H)")
        }
        comment = String(lines[2].dropFirst(MinisignText.trusted.count))
        number = Array(block[2..<10])
        signature = Array(block[10...])
        commentSignature = own
        guard encoded() == bytes else {
            throw refuse(
                "is not in canonical form; its first line is '\(MinisignText.untrusted)\(untrustedComment)'")
        }
    }

    /// The file.
    public func encoded() -> [UInt8] {
        let block = StrictBase64.text(of: [0x45, 0x44] + number + signature)
        let lines = [
            MinisignText.untrusted + untrustedComment, block, MinisignText.trusted + comment,
            StrictBase64.text(of: commentSignature),
        ]
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// What stands in the line that nothing signs.
    private var untrustedComment: String { "ksbuild signature by minisign key \(signer)" }

    /// Whether a key has the name that the signature gives of its signer.
    func names(_ key: MinisignPublicKey) -> Bool { key.number == number }

    /// Whether a key made the signature of a message, and that of the trusted comment.
    func isValid(for message: [UInt8], by key: MinisignPublicKey) -> Bool {
        key.accepts(signature, for: BLAKE2b.digest(of: message))
            && key.accepts(commentSignature, for: signature + Array(comment.utf8))
    }

    /// The same for a key that OpenSSH knows, which has no name.
    func isValid(for message: [UInt8], bySSHKey key: [UInt8]) -> Bool {
        isValid(for: message, by: MinisignPublicKey(number: number, bytes: key))
    }
}

extension Manifest {
    /// The trusted comment of a signature over a bundle's checksums.
    var trustedComment: String {
        "\(Self.schema) name:\(description.name) version:\(version) arch:\(description.architecture) "
            + "epoch:\(description.epoch)"
    }
}
