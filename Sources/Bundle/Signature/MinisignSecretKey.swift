internal import Artefact
internal import Crypto
internal import FoundationEssentials
public import SystemPackage

/// A private key in minisign's form, which signs bundles.
public struct MinisignSecretKey: Sendable, CustomStringConvertible {
    /// The public half.
    public let publicKey: MinisignPublicKey
    private let key: Curve25519.Signing.PrivateKey

    private init(number: [UInt8], _ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        publicKey = MinisignPublicKey(number: number, bytes: Array(key.publicKey.rawRepresentation))
    }

    /// Makes a key that is written nowhere yet.
    public static func generate() -> MinisignSecretKey {
        let number = (0..<8).map { _ in UInt8.random(in: .min ... .max) }
        return MinisignSecretKey(number: number, Curve25519.Signing.PrivateKey())
    }

    /// Reads a private key without a password, as `ksbuild keygen --signing` and `minisign -G -W` make them.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidKey`` for what is no such key, or one that others may
    ///   read; `ArtefactError` where it cannot be read.
    public init(ofFile path: FilePath) throws {
        let status = try HostFile.status(of: path)
        guard status.mode.bits & 0o077 == 0 else {
            throw BundleError(
                .invalidKey, subject: path.string,
                detail: "has mode \(status.mode), and a private key is for its owner alone; chmod 600 it, and make a "
                    + "new one where others may have read it")
        }
        try self.init(decoding: HostFile.read(path, limit: MinisignPublicKey.maximumFileBytes), named: path.string)
    }

    /// Takes the text of a file: a comment, and the key on the second line.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidKey``, which repeats nothing of the text.
    init(decoding text: [UInt8], named subject: String) throws(BundleError) {
        func refuse(_ why: String) -> BundleError { BundleError(.invalidKey, subject: subject, detail: why) }
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        guard lines.count == 2, lines[0].hasPrefix(MinisignText.untrusted), let block = StrictBase64.bytes(of: lines[1])
        else { throw refuse("is no private key of minisign; make one with 'ksbuild keygen --signing NAME'") }
        guard block.count == Self.blockSize, block[0] == 0x45, block[1] == 0x64 else {
            let isPublic = (try? MinisignPublicKey(parsing: lines[1])) != nil
            throw refuse(isPublic ? "is a public key; name the private one" : "is no private key of minisign")
        }
        guard block[2] == 0, block[3] == 0 else {
            throw refuse(
                "is protected by a password, which ksbuild does not ask for; "
                    + "make one without by 'ksbuild keygen --signing NAME' or 'minisign -G -W'")
        }
        let number = Array(block[54..<62])
        let checksum = Array(block[126...])
        let due = BLAKE2b.digest(of: Array(block[0..<2]) + Array(block[54..<126]), length: 32)
        guard checksum == due || checksum.allSatisfy({ $0 == 0 }),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: Array(block[62..<94])),
            Array(key.publicKey.rawRepresentation) == Array(block[94..<126])
        else { throw refuse("is damaged: its halves do not belong together") }
        self.init(number: number, key)
    }

    /// Two algorithms and a checksum's, salt and limits of the password, number, seed, public half, checksum.
    private static let blockSize = 2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32

    /// The private key is not shown.
    public var description: String { "private key \(publicKey.identifier)" }

    /// The file of the private key, as `minisign -G -W` writes it but for the comment.
    private var fileText: String {
        let zeros = [UInt8](repeating: 0, count: 32)
        var block: [UInt8] = [0x45, 0x64, 0, 0, 0x42, 0x32] + zeros + zeros[..<16]
        block += publicKey.number + Array(key.rawRepresentation) + publicKey.bytes + zeros
        return "\(MinisignText.untrusted)minisign secret key \(publicKey.identifier)\n\(StrictBase64.text(of: block))\n"
    }

    /// Signs: Ed25519 as RFC 8032 has it, the same 64 bytes on every call.
    ///
    /// - Throws: What the library for Ed25519 throws.
    func sign(_ message: [UInt8]) throws -> [UInt8] {
        Array(try key.signature(for: message))
    }

    /// The files of a key pair.
    public struct Files: Hashable, Sendable {
        /// The private half.
        public let privateKey: FilePath
        /// The public half.
        public let publicKey: FilePath
        /// The public half as a line of OpenSSH's `allowed_signers`.
        public let allowedSigners: FilePath
    }

    /// Writes `NAME.key`, readable by its owner alone, `NAME.pub`, and `NAME.allowed_signers` for `ssh-keygen -Y verify`.
    ///
    /// - Parameters:
    ///   - name: What the files and the signer are called: letters, digits, `@`, `.`, `_` and `-`.
    ///   - folder: An existing directory.
    /// - Returns: Where the files are.
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidKey`` for a name that cannot be taken; `ArtefactError`
    ///   where one of the files is there already, which is never replaced, or cannot be written.
    public func write(named name: String, in folder: FilePath) throws -> Files {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "@._-".utf8.contains(byte)
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("."), !name.hasPrefix("-"), name.utf8.count <= 100 else {
            throw BundleError(
                .invalidKey, subject: String(reflecting: name),
                detail: "is no name of a key; take letters, digits, '@', '.', '_' and '-'")
        }
        let files = Files(
            privateKey: folder.appending("\(name).key"), publicKey: folder.appending("\(name).pub"),
            allowedSigners: folder.appending("\(name).allowed_signers"))
        let signers = "\(name) namespaces=\"\(SSHSignature.namespace)\" \(publicKey.sshText) \(name)\n"
        // The private half last: the others are no loss where it cannot be made.
        let texts = [
            (files.publicKey, publicKey.fileText, UInt16(0o644)), (files.allowedSigners, signers, 0o644),
            (files.privateKey, fileText, 0o600),
        ]
        for (path, _, _) in texts where HostFile.exists(path) { throw KeyFile.isThere(path) }
        var made: [FilePath] = []
        do {
            for (path, text, mode) in texts {
                try KeyFile.create(path, text, mode)
                made.append(path)
            }
        } catch {
            for path in made { try? HostFile.remove(path) }
            throw error
        }
        try HostFile.synchronise(directory: folder)
        return files
    }
}
