internal import Artefact
internal import Glibc
internal import SystemPackage

/// The note of files that were read before, `OUT/store/verified`: lines of text, the last with the digest of the others.
///
/// ```
/// ksbuild/verified/v1
/// file DEVICE INODE SIZE MODIFIED CHANGED SHA256     times in seconds with nine decimals
/// archive SHA256 SHA256                              an archive, and the binary in it
/// end SHA256
/// ```
///
/// It saves time and nothing else: without it, or where it is not exactly what is written here, files are read.
enum VerifiedRecord {
    static let fileName = "verified"
    static let maximumBytes = 1 << 20
    private static let schema = "ksbuild/verified/v1"

    /// Reads a note that this user wrote and only this user may write.
    ///
    /// - Returns: What it says; nothing where it is absent, another's, torn or not canonical.
    static func read(_ path: FilePath) -> (entries: [VerifiedFiles.Entry], archives: [Digest: Digest]) {
        guard let status = try? HostFile.status(of: path, followingLinks: false), status.kind == .file,
            status.owner == geteuid(), status.mode.bits & 0o022 == 0,
            let bytes = try? HostFile.read(path, limit: maximumBytes), let note = decode(bytes),
            encode(note.entries, note.archives) == bytes
        else { return ([], [:]) }
        return note
    }

    /// The one text of a note.
    static func encode(_ entries: [VerifiedFiles.Entry], _ archives: [Digest: Digest]) -> [UInt8] {
        var text = "\(schema)\n"
        for entry in entries {
            let file = entry.file
            text += "file \(file.device) \(file.inode) \(file.size) \(decimal(file.modified)) \(decimal(file.changed))"
            text += " \(entry.digest)\n"
        }
        for (archive, content) in archives.sorted(by: { $0.key < $1.key }) { text += "archive \(archive) \(content)\n" }
        let body = Array(text.utf8)
        return body + Array("end \(Digest(of: body))\n".utf8)
    }

    private static func decode(_ bytes: [UInt8]) -> (entries: [VerifiedFiles.Entry], archives: [Digest: Digest])? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var entries: [VerifiedFiles.Entry] = []
        var archives: [Digest: Digest] = [:]
        for line in text.split(separator: "\n").dropFirst().dropLast() {
            let words = line.split(separator: " ")
            switch words.first {
            case "file":
                guard words.count == 7, let device = UInt64(words[1]), let inode = UInt64(words[2]),
                    let size = UInt64(words[3]), let modified = time(words[4]), let changed = time(words[5]),
                    let digest = try? Digest(hex: String(words[6]))
                else { return nil }
                let file = FileFingerprint(
                    device: device, inode: inode, size: size, modified: modified, changed: changed)
                entries.append(.init(file: file, digest: digest))
            case "archive":
                guard words.count == 3, let archive = try? Digest(hex: String(words[1])),
                    let content = try? Digest(hex: String(words[2]))
                else { return nil }
                archives[archive] = content
            default: return nil
            }
        }
        return (entries, archives)
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
