internal import Archive
internal import Artefact
internal import ISOBuild

/// One entry of an overlay or an image as it is compared: what it is, and what may be shown of it.
struct ComparedFile: Hashable, Sendable {
    /// Files up to this size are kept for a comparison line by line.
    static let keptBytes: UInt64 = 64 << 10
    /// All kept files of a side together have at most this many bytes.
    static let keptBytesInAll = 16 << 20

    var kind: String
    var mode: EntryMode
    var owner: UInt32
    var group: UInt32
    var size: UInt64
    /// Where a link leads.
    var target: String?
    /// The digest of a regular file.
    var digest: Digest?
    /// Whether neither bytes nor digest nor size may be shown.
    var isSecret: Bool
    /// The bytes of a small text, which is no secret.
    var text: [UInt8]?

    /// Whether a file must not be shown: only its owner reads it, or its name says that it is a key or holds passwords.
    ///
    /// - Parameters:
    ///   - path: Its place.
    ///   - mode: Its permission bits.
    ///   - head: Its first bytes, where they are at hand.
    /// - Returns: Whether it is one.
    static func isSecret(_ path: String, _ mode: EntryMode, head: [UInt8]?) -> Bool {
        if mode.bits & 0o044 == 0 { return true }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if ["shadow", "shadow-", "gshadow", "gshadow-"].contains(name) { return true }
        if [".key", ".rsa", ".pem"].contains(where: name.hasSuffix) { return true }
        if name.hasPrefix("ssh_host_"), name.hasSuffix("_key") { return true }
        return head.map { bytes in
            String(decoding: bytes, as: UTF8.self).contains("PRIVATE KEY-----")
        } ?? false
    }

    /// One line without what is secret: `file 0644 0:0, 12 bytes, sha256 0123456789abcdef…`.
    ///
    /// Where `isHidden`, the file is taken for a secret because that of the other side is one.
    func line(hiding isHidden: Bool) -> String {
        var line = "\(kind) \(mode) \(owner):\(group)"
        if let target { line += " -> \(target)" }
        guard kind == "file" else { return line }
        if isSecret || isHidden { return line + ", secret" }
        line += ", \(size) bytes"
        if let digest { line += ", sha256 \(digest.hex.prefix(16))…" }
        return line
    }

    /// Whether both say the same; bytes are told apart by their digests.
    func isSame(as other: ComparedFile) -> Bool {
        kind == other.kind && mode == other.mode && owner == other.owner && group == other.group
            && size == other.size && target == other.target && digest == other.digest
    }
}

/// The entries of one tree by path, as they are taken in.
struct ComparedTree: Hashable, Sendable {
    private(set) var files: [String: ComparedFile] = [:]
    private var kept = 0

    /// Takes in an entry; a later one of the same path takes its place, as it does when an archive is unpacked.
    ///
    /// - Parameters:
    ///   - path: Its place.
    ///   - file: What it is, its digest not yet known.
    ///   - isSecret: Whether it is known to be a secret.
    ///   - bytes: Hands over the bytes of a regular file in pieces.
    /// - Throws: What `bytes` throws.
    mutating func put(
        _ path: String, _ file: ComparedFile, isSecret: Bool = false,
        bytes: ((Span<UInt8>) throws -> Void) throws -> Void
    ) throws {
        var file = file
        if file.kind == "file" {
            var stream = DigestStream()
            var text: [UInt8] = []
            let limit = Int(ComparedFile.keptBytes)
            try bytes { chunk in
                stream.update(chunk)
                let piece = chunk.extracting(first: min(chunk.count, max(0, limit - text.count)))
                unsafe piece.withUnsafeBufferPointer { buffer in unsafe text.append(contentsOf: buffer) }
            }
            file.digest = stream.finalize()
            file.isSecret = isSecret || ComparedFile.isSecret(path, file.mode, head: text)
            let isText = file.size <= ComparedFile.keptBytes && !text.contains(0)
            if isText, !file.isSecret, kept + text.count <= ComparedFile.keptBytesInAll {
                file.text = text
                kept += text.count
            }
        }
        files[path] = file
    }
}
