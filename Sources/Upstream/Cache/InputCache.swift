public import Artefact
internal import Glibc
public import SystemPackage

/// A directory of inputs by their digests, shared by projects and processes.
///
/// ```
/// ROOT/sha256/AB/DIGEST     an input, mode 0444, whole and durable
/// ROOT/used/DIGEST          empty; its time is that of the last use
/// ROOT/partial/ADDRESS      the beginning of one, by the SHA-256 of the address it comes from; with .state and .lock
/// ROOT/partial/ADDRESS.got  what came last from that address, for those who waited for it
/// ROOT/verified             what was read before and need not be read again
/// ```
///
/// A file gets its name in `sha256` with one rename, after all its bytes were digested and synchronised, and is compared
/// with its name again on every use. What is not what its name says is removed and counts as absent.
public struct InputCache: Sendable {
    /// The directory.
    public let root: FilePath
    /// Whether a file that was read before and has not changed since is believed; otherwise all is read again.
    public let isBelieved: Bool

    /// An input in the cache.
    public struct Entry: Hashable, Sendable {
        /// Where it lies.
        public let path: FilePath
        /// Its size in bytes.
        public let size: UInt64
        /// The SHA-256 of its bytes.
        public let sha256: Digest
        /// The SHA-512 of its bytes, where that was asked for.
        public let sha512: String?
        /// Where it came from just now, without what may be secret; `nil` where it was in the cache.
        public let address: String?
    }

    /// Takes a directory, which is made when it is first written to.
    public init(_ root: FilePath, isBelieved: Bool = true) {
        self.root = root
        self.isBelieved = isBelieved
    }

    /// Where an input with a digest lies, if it is there.
    public func path(_ digest: Digest) -> FilePath {
        objects.appending(String(digest.hex.prefix(2))).appending(digest.hex)
    }

    var objects: FilePath { root.appending("sha256") }
    var uses: FilePath { root.appending("used") }
    var partials: FilePath { root.appending("partial") }
    private var noteFile: FilePath { root.appending(VerifiedRecord.fileName) }

    /// The input with a digest, if it is there and is what its name says.
    ///
    /// - Returns: Where it lies, or `nil`. A file of that name with other bytes is removed.
    /// - Throws: `ArtefactError` where the cache cannot be read or mended.
    public func find(_ digest: Digest) throws -> FilePath? {
        let path = path(digest)
        guard HostFile.exists(path) else { return nil }
        markUsed(digest)
        if try isGood(path, digest) { return path }
        var isMended = false
        try CacheLock.hold(root.appending(".lock")) {
            // Meanwhile another process may have put the right one there.
            let isFile = FileFingerprint(of: path, followingLinks: false) != nil
            isMended = isFile && (try? Digest(ofFile: path)) == digest
            guard !isMended else { return }
            try HostFile.remove(path)
            try HostFile.remove(uses.appending(digest.hex))
        }
        return isMended ? path : nil
    }

    /// Whether the file at a path is regular and has the digest.
    private func isGood(_ path: FilePath, _ digest: Digest) throws -> Bool {
        guard let file = FileFingerprint(of: path, followingLinks: false) else { return false }
        // In a cache that may not be written to, nothing is noted.
        let begun = (try? FileFingerprint.now(in: root)) ?? FileTime(seconds: 0, nanoseconds: 0)
        let verified = VerifiedFiles(begun: begun, entries: isBelieved ? VerifiedRecord.read(noteFile).entries : [])
        if let known = verified.digest(of: file) { return known == digest }
        let found: FileDigests
        do {
            found = try FileDigests(of: path, knowing: verified)
        } catch let error as ArtefactError where error.failureClass == .noInput {
            return false
        }
        guard found.sha256 == digest else { return false }
        if verified.digest(of: file) != nil { try? write(digest, file) }
        return true
    }

    /// Notes the digest of a file that just came, once the clock of the file system is past its last change.
    func note(_ digest: Digest) {
        guard let file = FileFingerprint(of: path(digest), followingLinks: false) else { return }
        for _ in 0..<3 {
            guard let now = try? FileFingerprint.now(in: root) else { return }
            if now > file.changed { return (try? write(digest, file)) ?? () }
            usleep(5_000)
        }
    }

    /// Adds a file to the note.
    private func write(_ digest: Digest, _ file: FileFingerprint) throws {
        try CacheLock.hold(root.appending(".lock")) {
            var content = VerifiedRecord.read(noteFile)
            content.entries.removeAll { entry in
                entry.digest == digest || entry.file.device == file.device && entry.file.inode == file.inode
            }
            content.entries = content.entries.suffix(VerifiedFiles.maximumEntries - 1)
            content.entries.append(.init(file: file, digest: digest))
            try StagedFile.write(VerifiedRecord.encode(content), to: noteFile)
        }
    }

    /// Sets the time of the last use to now; where that fails, the input looks older than it is.
    func markUsed(_ digest: Digest) {
        let path = uses.appending(digest.hex)
        let isSet = unsafe path.withPlatformString { name in unsafe utimensat(AT_FDCWD, name, nil, 0) == 0 }
        guard !isSet, (try? HostFile.makeDirectories(uses)) != nil else { return }
        let file = try? FileDescriptor.open(
            path, .writeOnly, options: [.create, .closeOnExec, .noFollow], permissions: FilePermissions(rawValue: 0o644)
        )
        try? file?.close()
    }
}
