public import Artefact
internal import Glibc
public import SystemPackage

/// What the store knows of files without reading them again.
extension BundleStore {
    var verifiedFile: FilePath { out.appending("store").appending(VerifiedRecord.fileName) }

    /// The files that were read before, for one build.
    ///
    /// - Parameters:
    ///   - folder: A directory of the build on the file system of the results.
    ///   - isBelieved: Whether what was noted before is believed; otherwise all is read again, and noted.
    /// - Returns: What is known; ``publish(_:knowing:)`` notes it for the next build.
    /// - Throws: `ArtefactError` where no file can be made in the folder.
    public func verifiedFiles(in folder: FilePath, isBelieved: Bool) throws -> VerifiedFiles {
        let begun = try FileFingerprint.now(in: folder)
        guard isBelieved else { return VerifiedFiles(begun: begun) }
        let note = VerifiedRecord.read(verifiedFile)
        return VerifiedFiles(
            begun: begun, entries: note.entries, archives: note.archives, extracts: note.extracts)
    }

    /// A file of the store that is good, with its place there.
    public func object(_ digest: Digest, mode: EntryMode, knowing verified: VerifiedFiles?) -> WrittenFile? {
        objects.find(digest, mode, knowing: verified).map {
            WrittenFile(path: $0.path, size: $0.file.size, digest: digest)
        }
    }

    /// Notes what a build knows, and the objects that it used as they are now; where that fails, the next one reads them.
    func note(_ used: [UsedObject], in verified: VerifiedFiles) throws {
        let files = used.compactMap { object -> (digest: Digest, file: FileFingerprint)? in
            guard let file = FileFingerprint(of: objects.path(object.digest, object.mode), followingLinks: false),
                file.hasSameBytes(as: object.file)
            else { return nil }
            return (object.digest, file)
        }
        let newest = files.map(\.file.changed).max() ?? FileTime(seconds: 0, nanoseconds: 0)
        guard let now = timeAfter(newest) else { return }
        for (digest, file) in files { verified.note(digest, of: file, at: now) }
        let bytes = VerifiedRecord.encode(
            .init(entries: verified.entries, archives: verified.archives, extracts: verified.allExtracts))
        guard bytes != (try? HostFile.read(verifiedFile, limit: VerifiedRecord.maximumBytes)) else { return }
        try disk.write(bytes, to: verifiedFile)
    }

    /// The time by the clock of the file system, after a short wait where that has not moved on since; the clock makes
    /// steps of up to ten milliseconds.
    private func timeAfter(_ change: FileTime) -> FileTime? {
        for _ in 0..<3 {
            guard let now = try? FileFingerprint.now(in: verifiedFile.removingLastComponent()) else { return nil }
            if now > change { return now }
            usleep(5_000)
        }
        return nil
    }

    /// An object that a build read, or believed to be as it was read.
    struct UsedObject {
        let digest: Digest
        let mode: EntryMode
        let file: FileFingerprint
    }
}
