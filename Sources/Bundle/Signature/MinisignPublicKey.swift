internal import Artefact
internal import Crypto
internal import FoundationEssentials
public import SystemPackage

/// A public key in minisign's form: a number that names it and 32 bytes of Ed25519.
public struct MinisignPublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The eight bytes that name the key.
    let number: [UInt8]
    /// The 32 bytes of the key.
    let bytes: [UInt8]

    /// The largest file of a key that is read, in bytes.
    static let maximumFileBytes = 4096
    /// The length of a key as text.
    public static let textLength = 56

    init(number: [UInt8], bytes: [UInt8]) {
        self.number = number
        self.bytes = bytes
    }

    /// Takes a key as `minisign -P` does: 56 characters of base64.
    ///
    /// - Parameters:
    ///   - text: The key alone.
    ///   - subject: What messages call it.
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidKey``, which repeats nothing of the text.
    public init(parsing text: String, named subject: String = "public key") throws(BundleError) {
        func refuse(_ why: String) -> BundleError { BundleError(.invalidKey, subject: subject, detail: why) }
        guard text.utf8.count < 200 else {
            throw refuse("is no public key of minisign; a private key is never given where a public one is meant")
        }
        guard let block = StrictBase64.bytes(of: text), block.count == 42, block[0] == 0x45, block[1] == 0x64 else {
            throw refuse("is no public key of minisign: 56 characters that begin with RW")
        }
        self.init(number: Array(block[2..<10]), bytes: Array(block[10...]))
        guard (try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)) != nil else {
            throw refuse("is no public key of Ed25519")
        }
    }

    /// Takes the text of a file: a comment, and the key on the second line.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidKey``, which repeats nothing of the text.
    public init(decoding text: [UInt8], named subject: String) throws(BundleError) {
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        let keys = lines.filter { !$0.hasPrefix(MinisignText.untrusted) }
        guard lines.count <= 2, keys.count == 1, let key = keys.first else {
            throw BundleError(
                .invalidKey, subject: subject,
                detail: "is no file of a minisign public key: a line 'untrusted comment: …' and a line with the key")
        }
        try self.init(parsing: key, named: subject)
    }

    /// Reads a file.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidKey``; `ArtefactError` where it cannot be read.
    public init(ofFile path: FilePath) throws {
        try self.init(decoding: HostFile.read(path, limit: Self.maximumFileBytes), named: path.string)
    }

    /// The name of the key as minisign shows it: 16 upper-case hexadecimal digits.
    public var identifier: String { MinisignText.identifier(number) }

    /// The key as `minisign -P` takes it.
    public var text: String { StrictBase64.text(of: [0x45, 0x64] + number + bytes) }

    /// The file `NAME.pub`.
    public var fileText: String { "\(MinisignText.untrusted)minisign public key \(identifier)\n\(text)\n" }

    /// The key as OpenSSH writes it.
    public var sshText: String { "ssh-ed25519 \(StrictBase64.text(of: SSHSignature.keyBlob(bytes)))" }

    /// ``identifier``.
    public var description: String { identifier }

    /// Whether the key made a signature of 64 bytes over a message.
    func accepts(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}
