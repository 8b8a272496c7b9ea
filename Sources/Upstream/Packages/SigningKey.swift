internal import Archive
internal import Artefact
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
public import SystemPackage

/// A private key that signs an index of packages that are not Alpine's own, and the name under which nodes know it.
public struct SigningKey: Sendable {
    /// The file name of the public half below `/etc/apk/keys`: `NAME.rsa.pub`.
    public let publicName: String
    /// The public half in PEM, as it stands in that file.
    public let publicText: String
    private let key: _RSA.Signing.PrivateKey

    /// The sizes that a key may have, in bits.
    public static let sizes = [2048, 3072, 4096]
    /// The largest key file in bytes.
    private static let maximumFileBytes = 64 << 10

    private init(_ key: _RSA.Signing.PrivateKey, name: String) {
        self.key = key
        publicName = "\(name).rsa.pub"
        publicText = key.publicKey.pemRepresentation + "\n"
    }

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - name: What nodes call it: letters, digits, `@`, `.`, `_` and `-`.
    ///   - bits: The size of the modulus, one of ``sizes``.
    /// - Returns: A key that is written nowhere yet.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` for a name or size that cannot be taken.
    public static func generate(name: String, bits: Int = 4096) throws -> SigningKey {
        try check(name)
        let sizes: [Int: _RSA.Signing.KeySize] = [2048: .bits2048, 3072: .bits3072, 4096: .bits4096]
        guard let size = sizes[bits] else {
            throw UpstreamError(
                .malformed, subject: "\(bits)", detail: "is no size of a key; take 2048, 3072 or 4096 bits")
        }
        return SigningKey(try _RSA.Signing.PrivateKey(keySize: size), name: name)
    }

    /// Reads a private key `NAME.rsa` in PEM (PKCS #1 or PKCS #8, not encrypted), as `abuild-keygen` makes them, too.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` for what is no such key;
    ///   `ArtefactError` when it cannot be read.
    public init(_ path: FilePath) throws {
        let text = String(decoding: try HostFile.read(path, limit: Self.maximumFileBytes), as: UTF8.self)
        let file = path.lastComponent?.string ?? ""
        guard file.hasSuffix(".rsa") else {
            throw UpstreamError(
                .malformed, subject: path.string, detail: "has a name that does not end in .rsa, which nodes go by")
        }
        try Self.check(String(file.dropLast(4)))
        guard let key = try? _RSA.Signing.PrivateKey(pemRepresentation: text) else {
            throw UpstreamError(
                .malformed, subject: path.string,
                detail: "is no private RSA key of at least 2048 bits in PEM without a passphrase")
        }
        self.init(key, name: String(file.dropLast(4)))
    }

    private static func check(_ name: String) throws(UpstreamError) {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "@._-".utf8.contains(byte)
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("."), !name.hasPrefix("-"), name.utf8.count <= 100 else {
            throw UpstreamError(
                .malformed, subject: String(reflecting: name),
                detail: "is no name of a key; take letters, digits, '@', '.', '_' and '-'")
        }
    }

    /// Writes `NAME.rsa`, readable by its owner alone, and `NAME.rsa.pub`; what stands there is never replaced.
    ///
    /// - Parameter folder: An existing directory.
    /// - Returns: The paths of the private and of the public half.
    /// - Throws: `ArtefactError` when one of the files is there already or cannot be written.
    public func write(in folder: FilePath) throws -> (privateKey: FilePath, publicKey: FilePath) {
        let publicPath = folder.appending(publicName)
        let privatePath = folder.appending(String(publicName.dropLast(4)))
        // The public half first: it is no loss where the other one cannot be made.
        guard !HostFile.exists(privatePath) else { throw KeyFile.isThere(privatePath) }
        try KeyFile.create(publicPath, publicText, 0o644)
        do {
            try KeyFile.create(privatePath, key.pkcs8PEMRepresentation + "\n", 0o600)
        } catch {
            try? HostFile.remove(publicPath)
            throw error
        }
        try HostFile.synchronise(directory: folder)
        return (privatePath, publicPath)
    }

    /// The public half as keys that a node may trust.
    public var asKeys: AlpineKeys { get throws { try AlpineKeys([publicName: publicText]) } }

    /// The bytes of a stream with its signature before it: RSA PKCS #1 v1.5 over SHA-256, the same on every call.
    ///
    /// - Parameters:
    ///   - stream: A gzip stream.
    ///   - epoch: The time of the signature's file in the tar, in seconds since 1970-01-01.
    /// - Returns: Two gzip streams.
    /// - Throws: What the library for RSA throws.
    func sign(_ stream: [UInt8], epoch: Int64) throws -> [UInt8] {
        let signature = try key.signature(for: SHA256.hash(data: stream), padding: .insecurePKCS1v1_5)
        let tar = try IndexArchive.tar(
            [(".SIGN.RSA256.\(publicName)", Array(signature.rawRepresentation))], epoch: epoch, isEnded: false)
        return try Gzip.compress(tar) + stream
    }
}
