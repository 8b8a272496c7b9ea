internal import Glibc
public import SystemPackage

/// The note of files that were read before: lines of text, the last with the digest of the others.
///
/// ```
/// ksbuild/verified/v1
/// file DEVICE INODE SIZE MODIFIED CHANGED SHA256     times in seconds with nine decimals
/// archive SHA256 SHA256                              an archive, and the binary in it
/// extract SHA256 BYTES                               an image, and what its initramfs holds, in hexadecimal digits
/// end SHA256
/// ```
///
/// It saves time and nothing else: without it, or where it is not exactly what is written here, files are read.
public enum VerifiedRecord {
    /// The name that a note has in its directory.
    public static let fileName = "verified"
    /// The largest note that is read, in bytes.
    public static let maximumBytes = 1 << 20
    private static let schema = "ksbuild/verified/v1"

    /// What a note says.
    public struct Content: Hashable, Sendable {
        /// Files and their digests.
        public var entries: [VerifiedFiles.Entry]
        /// What each archive holds, by digest.
        public var archives: [Digest: Digest]
        /// What was read out of files that take long to read, by their digests.
        public var extracts: [Digest: [UInt8]]

        /// Joins the three.
        public init(
            entries: [VerifiedFiles.Entry] = [], archives: [Digest: Digest] = [:], extracts: [Digest: [UInt8]] = [:]
        ) {
            self.entries = entries
            self.archives = archives
            self.extracts = extracts
        }
    }

    /// Reads a note that this user wrote and only this user may write.
    ///
    /// - Returns: What it says; nothing where it is absent, another's, torn or not canonical.
    public static func read(_ path: FilePath) -> Content {
        guard let status = try? HostFile.status(of: path, followingLinks: false), status.kind == .file,
            status.owner == geteuid(), status.mode.bits & 0o022 == 0,
            let bytes = try? HostFile.read(path, limit: maximumBytes), let content = decode(bytes),
            encode(content) == bytes
        else { return Content() }
        return content
    }

    /// The one text of a note.
    public static func encode(_ content: Content) -> [UInt8] {
        var text = "\(schema)\n"
        for entry in content.entries {
            let file = entry.file
            text += "file \(file.device) \(file.inode) \(file.size) \(decimal(file.modified)) \(decimal(file.changed))"
            text += " \(entry.digest)\n"
        }
        for (archive, digest) in content.archives.sorted(by: { $0.key < $1.key }) {
            text += "archive \(archive) \(digest)\n"
        }
        for (file, extract) in content.extracts.sorted(by: { $0.key < $1.key }) {
            text += "extract \(file) \(hexadecimal(extract))\n"
        }
        let body = Array(text.utf8)
        return body + Array("end \(Digest(of: body))\n".utf8)
    }

    private static func decode(_ bytes: [UInt8]) -> Content? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var content = Content()
        for line in text.split(separator: "\n").dropFirst().dropLast() {
            let words = line.split(separator: " ")
            switch (words.first, words.count) {
            case ("file", 7):
                guard let device = UInt64(words[1]), let inode = UInt64(words[2]), let size = UInt64(words[3]),
                    let modified = time(words[4]), let changed = time(words[5]),
                    let digest = try? Digest(hex: String(words[6]))
                else { return nil }
                let file = FileFingerprint(
                    device: device, inode: inode, size: size, modified: modified, changed: changed)
                content.entries.append(.init(file: file, digest: digest))
            case ("archive", 3):
                guard let archive = try? Digest(hex: String(words[1])), let digest = try? Digest(hex: String(words[2]))
                else { return nil }
                content.archives[archive] = digest
            case ("extract", 3):
                guard let file = try? Digest(hex: String(words[1])), let extract = decoded(words[2])
                else { return nil }
                content.extracts[file] = extract
            default: return nil
            }
        }
        return content
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func decoded(_ text: Substring) -> [UInt8]? {
        let digits = text.utf8.map { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }

    private static func decimal(_ time: FileTime) -> String {
        let digits = String(time.nanoseconds)
        return "\(time.seconds).\(String(repeating: "0", count: max(0, 9 - digits.utf8.count)))\(digits)"
    }

    private static func time(_ text: Substring) -> FileTime? {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let seconds = Int64(parts[0]), let nanoseconds = Int64(parts[1]) else { return nil }
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }
}
