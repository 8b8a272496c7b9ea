public import Artefact
public import SystemPackage

/// How an input was found to be the one that is meant.
public enum Trust: Hashable, Sendable, CustomStringConvertible {
    /// Its digest is the one that recipe or lock pins.
    case pinned
    /// Its digest is the one in a checksum file that lies beside it or was named.
    ///
    /// Whoever can replace the input on a mirror can replace that file too: this proves that the transfer was whole, and
    /// nothing about who made the input.
    case checksumFile(FilePath, ChecksumFile.Algorithm)
    /// Nothing says what its digest should be.
    case unverified

    /// `pinned`, `SHA-512 from FILE (integrity, not trust)`, `unverified`: for whoever watches a build.
    public var description: String {
        switch self {
        case .pinned: "pinned"
        case .checksumFile(let path, let algorithm):
            "\(algorithm.title) from \(path.lastComponent?.string ?? path.string) (integrity, not trust)"
        case .unverified: "unverified"
        }
    }
}

/// What the digest of an input should be and who says so.
enum Expectation: Hashable, Sendable {
    case pin(Digest)
    case listed(ChecksumFile.Entry, in: FilePath)
    case none

    /// Whether the SHA-512 digest has to be computed besides SHA-256, which every input gets.
    var needsSHA512: Bool {
        guard case .listed(let entry, _) = self else { return false }
        return entry.algorithm == .sha512
    }

    /// The trust that a match gives.
    var trust: Trust {
        switch self {
        case .pin: .pinned
        case .listed(let entry, let path): .checksumFile(path, entry.algorithm)
        case .none: .unverified
        }
    }

    /// Whether an input has the digest that is expected.
    func isMet(by digests: FileDigests) -> Bool {
        switch self {
        case .pin(let digest): digests.sha256 == digest
        case .listed(let entry, _): entry.hex == (entry.algorithm == .sha256 ? digests.sha256.hex : digests.sha512)
        case .none: true
        }
    }

    /// "its SHA-256 is X and FILE:LINE says Y".
    func contradiction(to digests: FileDigests) -> String {
        switch self {
        case .pin(let digest): "its SHA-256 is \(digests.sha256) and recipe or lock pins \(digest)"
        case .listed(let entry, let path):
            "its \(entry.algorithm.title) is \(entry.algorithm == .sha256 ? digests.sha256.hex : digests.sha512 ?? "?") "
                + "and \(path):\(entry.line) says \(entry.hex)"
        case .none: "its SHA-256 is \(digests.sha256)"
        }
    }
}

/// Reading the digest that somebody writes into a recipe or on the command line.
public enum Pin {
    /// Takes a SHA-256 digest of 64 hexadecimal digits, with or without `sha256:` before it.
    ///
    /// - Parameters:
    ///   - text: What was written.
    ///   - named: The key or option it was written for, for the message.
    /// - Returns: The digest.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/invalidPin``, which says what the text looks like instead.
    public static func digest(_ text: String, named: String) throws(UpstreamError) -> Digest {
        let body = text.lowercased().hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        if let digest = try? Digest(hex: body) { return digest }
        func fault(_ why: String) -> UpstreamError {
            UpstreamError(
                .invalidPin, subject: named, detail: "is no SHA-256 digest (\(why)); write the 64 digits of sha256sum")
        }
        guard !body.isEmpty else { throw fault("it is empty") }
        if let position = body.utf8.enumerated().first(where: { !isHexadecimal($0.element) })?.offset {
            throw fault("byte \(position + 1) is no hexadecimal digit")
        }
        switch body.utf8.count {
        case 32: throw fault("32 digits are MD5")
        case 40: throw fault("40 digits are SHA-1")
        case 128: throw fault("128 digits are SHA-512")
        case let count: throw fault("it has \(count) digits")
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
