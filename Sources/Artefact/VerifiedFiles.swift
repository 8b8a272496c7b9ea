/// The digests of files that were read to their end before, by what the system says of them.
///
/// A digest is believed as long as device, inode, size and both times of the file are those that it had when it was
/// read. It is noted only where the file's last change is older than the look at it, by the clock of the file system:
/// whatever changes the file afterwards then shows.
public final class VerifiedFiles {
    /// A digest and the file that has it.
    public struct Entry: Hashable, Sendable {
        /// What the system says of the file.
        public let file: FileFingerprint
        /// The SHA-256 of its bytes.
        public let digest: Digest

        /// Joins the two.
        public init(file: FileFingerprint, digest: Digest) {
            self.file = file
            self.digest = digest
        }
    }

    /// The most files and the most archives that are remembered.
    public static let maximumEntries = 1024
    /// The most files of which an extract is remembered.
    public static let maximumExtracts = 16
    /// The most bytes of an extract that is remembered.
    public static let maximumExtractBytes = 16 << 10

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let begun: FileTime
    private var known: [Identity: Entry]
    private var unpacked: [Digest: Digest]
    private var usedFiles: Set<Identity> = []
    private var usedArchives: Set<Digest> = []
    private var extracts: [Digest: [UInt8]]
    private var usedExtracts: Set<Digest> = []

    /// Begins with what was noted before.
    ///
    /// - Parameters:
    ///   - begun: The time before any file is looked at.
    ///   - entries: Files that were read before.
    ///   - archives: What each archive holds, by digest.
    ///   - extracts: What was read out of files that take long to read, by their digests.
    public init(
        begun: FileTime, entries: [Entry] = [], archives: [Digest: Digest] = [:], extracts: [Digest: [UInt8]] = [:]
    ) {
        self.extracts = extracts
        self.begun = begun
        unpacked = archives
        known = Dictionary(
            entries.map { (Identity(device: $0.file.device, inode: $0.file.inode), $0) }, uniquingKeysWith: { $1 })
    }

    /// The digest of a file, where it was read before and has not changed since.
    public func digest(of file: FileFingerprint) -> Digest? {
        let identity = Identity(device: file.device, inode: file.inode)
        guard let entry = known[identity], entry.file == file else { return nil }
        usedFiles.insert(identity)
        return entry.digest
    }

    /// Notes the digest of a file that was read to its end and was the same before and after.
    ///
    /// - Parameters:
    ///   - digest: The SHA-256 of its bytes.
    ///   - file: What the system said of it before it was read.
    ///   - time: The time, by the clock of the file system, before it was looked at; by default that before all. A file
    ///     that is not older is not noted, since it might change again without getting another time.
    public func note(_ digest: Digest, of file: FileFingerprint, at time: FileTime? = nil) {
        let identity = Identity(device: file.device, inode: file.inode)
        guard file.changed < time ?? begun else {
            known[identity] = nil
            return
        }
        known[identity] = Entry(file: file, digest: digest)
        usedFiles.insert(identity)
    }

    /// The digest of what an archive holds, where it was unpacked before.
    public func content(ofArchive archive: Digest) -> Digest? {
        guard let content = unpacked[archive] else { return nil }
        usedArchives.insert(archive)
        return content
    }

    /// Notes what an archive holds.
    public func note(content: Digest, ofArchive archive: Digest) {
        unpacked[archive] = content
        usedArchives.insert(archive)
    }

    /// What was read out of a file with this digest before; its form is the concern of who noted it.
    public func extract(of file: Digest) -> [UInt8]? {
        guard let extract = extracts[file] else { return nil }
        usedExtracts.insert(file)
        return extract
    }

    /// Notes what was read out of a file with this digest, unless it is large.
    public func note(extract: [UInt8], of file: Digest) {
        guard extract.count <= Self.maximumExtractBytes else { return }
        extracts[file] = extract
        usedExtracts.insert(file)
    }

    /// What to note for the next time: what was used this time first, then older notes up to the limits.
    public var entries: [Entry] {
        let used = known.filter { usedFiles.contains($0.key) }.map(\.value).sorted(by: Self.precedes)
        let others = known.filter { !usedFiles.contains($0.key) }.map(\.value).sorted(by: Self.precedes)
        return Array((used + others).prefix(Self.maximumEntries)).sorted(by: Self.precedes)
    }

    /// The same of archives.
    public var archives: [Digest: Digest] {
        let others = unpacked.keys.filter { !usedArchives.contains($0) }.sorted()
        let kept = (usedArchives.sorted() + others).prefix(Self.maximumEntries)
        return unpacked.filter { kept.contains($0.key) }
    }

    /// The same of extracts.
    public var allExtracts: [Digest: [UInt8]] {
        let others = extracts.keys.filter { !usedExtracts.contains($0) }.sorted()
        let kept = (usedExtracts.sorted() + others).prefix(Self.maximumExtracts)
        return extracts.filter { kept.contains($0.key) }
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        (left.file.device, left.file.inode) < (right.file.device, right.file.inode)
    }
}
