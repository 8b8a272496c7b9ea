internal import Artefact
internal import SystemPackage

/// The files of all bundles by digest: `OUT/store/sha256/AB/DIGEST.MODE`.
///
/// A bundle's files are hard links to objects, so what two versions share is on the disk once. The mode is part of the
/// name because an inode has only one. An object's name is a claim: it is believed after its bytes have been read,
/// and as long as the file has not changed since.
struct ObjectStore {
    let root: FilePath
    let disk: StoreDisk

    func path(_ digest: Digest, _ mode: EntryMode) -> FilePath {
        root.appending(String(digest.hex.prefix(2))).appending("\(digest.hex).\(mode)")
    }

    /// The object, where it is there and good: a regular file that can be read, with the bytes and the mode that its name
    /// says.
    ///
    /// - Parameters:
    ///   - digest: Its digest.
    ///   - mode: Its permission bits.
    ///   - verified: Files that were read before; one that has changed since is read again.
    /// - Returns: Where it is, and the file as it was when its bytes were read.
    func find(
        _ digest: Digest, _ mode: EntryMode, knowing verified: VerifiedFiles?
    ) -> (path: FilePath, file: FileFingerprint)? {
        let path = path(digest, mode)
        guard (try? HostFile.status(of: path, followingLinks: false))?.mode == mode,
            let file = FileFingerprint(of: path, followingLinks: false),
            verified?.digest(of: file) == digest || (try? Digest(ofFile: path)) == digest
        else { return nil }
        return (path, file)
    }

    /// Gives a finished, synchronised file its place in the store; an object that is not good is replaced.
    func adopt(_ file: FilePath, _ digest: Digest, _ mode: EntryMode) throws {
        let target = path(digest, mode)
        let directory = target.removingLastComponent()
        for level in [root.removingLastComponent(), root, directory] { try disk.ensureDirectory(level) }
        let present = try HostFile.present(target)
        if try present != nil || !disk.link(file, to: target) {
            let temporary = directory.appending(".incoming")
            try disk.removeTree(temporary)
            try disk.linkOrCopy(file, to: temporary)
            if present?.kind == .directory { try disk.removeTree(target) }
            try disk.rename(temporary, to: target)
        }
        try disk.synchronise(directory: directory)
    }
}
