internal import Crypto
public import SystemPackage

/// A SHA-256 digest: 32 bytes, written as 64 lower-case hexadecimal digits.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The digest as 64 lower-case hexadecimal digits.
    public let hex: String

    /// Takes 64 hexadecimal digits of either case.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/invalidDigest``.
    public init(hex: String) throws(ArtefactError) {
        let digits = hex.lowercased()
        let isDigest =
            digits.utf8.count == 64
            && digits.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
        guard isDigest else {
            throw ArtefactError(
                .invalidDigest, subject: String(reflecting: hex), detail: "is no SHA-256 digest (64 hexadecimal digits)"
            )
        }
        self.hex = digits
    }

    fileprivate init(_ digest: SHA256.Digest) { self.hex = hexadecimal(digest) }

    /// The digest of bytes at hand.
    public init(of bytes: some Sequence<UInt8>) {
        var hasher = SHA256()
        unsafe Array(bytes).withUnsafeBytes { buffer in unsafe hasher.update(bufferPointer: buffer) }
        self.init(hasher.finalize())
    }

    /// The digest of a file's bytes; the file is streamed.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public init(ofFile path: FilePath) throws {
        var stream = DigestStream()
        try HostFile.forEachChunk(of: path) { chunk in stream.update(chunk) }
        self = stream.finalize()
    }

    /// Orders by the hexadecimal digits.
    public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }

    /// The 64 digits.
    public var description: String { hex }
}

/// A SHA-256 computation over bytes that come in pieces.
public struct DigestStream: Sendable {
    private var hasher = SHA256()

    /// Begins a computation.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in unsafe hasher.update(bufferPointer: buffer) }
    }

    /// The digest of all bytes so far; more may follow.
    public func finalize() -> Digest { Digest(hasher.finalize()) }
}

/// A SHA-512 computation over bytes that come in pieces, for the `.sha512` files that upstreams publish.
public struct SHA512Stream: Sendable {
    private var hasher = SHA512()

    /// Begins a computation.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in unsafe hasher.update(bufferPointer: buffer) }
    }

    /// The digest of all bytes so far as 128 lower-case hexadecimal digits; more may follow.
    public func finalize() -> String { hexadecimal(hasher.finalize()) }
}

/// A SHA-1 computation over bytes that come in pieces, for formats that demand it besides a digest that can be relied on.
public struct SHA1Stream: Sendable {
    private var hasher = Insecure.SHA1()

    /// Begins a computation.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in unsafe hasher.update(bufferPointer: buffer) }
    }

    /// The digest of all bytes so far as 40 lower-case hexadecimal digits; more may follow.
    public func finalize() -> String { hexadecimal(hasher.finalize()) }
}

/// The bytes as two lower-case digits each.
private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 0xf)])
    }
    return String(decoding: text, as: UTF8.self)
}
