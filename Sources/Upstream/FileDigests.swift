internal import Artefact
internal import SystemPackage

/// The digests and the size of a file, computed in one pass over it.
struct FileDigests: Hashable, Sendable {
    let sha256: Digest
    /// 128 hexadecimal digits, where they were asked for.
    let sha512: String?
    let size: UInt64
    /// The device and inode of the file that was read.
    let identity: [UInt64]

    /// Requires that the file of that name is still the one that was read.
    ///
    /// - Throws: As reading does.
    func requireSame(_ path: FilePath) throws {
        let status = try HostFile.status(of: path)
        guard status.identity == identity, status.size == size else { throw Self.changed(path) }
    }

    static func changed(_ path: FilePath) -> UpstreamError {
        UpstreamError(
            .changedWhileReading, subject: path.string,
            detail: "changed while it was being read; run again when nothing writes to it")
    }

    /// Reads a file once, or not at all where it was read before and has not changed since.
    ///
    /// - Throws: `ArtefactError` when it cannot be read, ``UpstreamError`` with
    ///   ``UpstreamError/Code/changedWhileReading`` when another file of that name takes its place meanwhile or its size
    ///   changes.
    init(
        of path: FilePath, sha512 wantsSHA512: Bool = false, knowing verified: VerifiedFiles? = nil,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws {
        let file = FileFingerprint(of: path)
        if !wantsSHA512, let file, let digest = verified?.digest(of: file) {
            sha256 = digest
            sha512 = nil
            size = file.size
            identity = [file.device, file.inode]
            return
        }
        let before = try HostFile.status(of: path)
        var short = DigestStream()
        var long = wantsSHA512 ? SHA512Stream() : nil
        var size: UInt64 = 0
        try ReadAhead.forEachChunk(of: path, size: before.size) { chunk in
            short.update(chunk)
            long?.update(chunk)
            size += UInt64(chunk.count)
            progress?(size, before.size)
        }
        let after = try HostFile.status(of: path)
        guard size == before.size, after.size == size, after.identity == before.identity else {
            throw Self.changed(path)
        }
        identity = before.identity
        sha256 = short.finalize()
        sha512 = long?.finalize()
        self.size = size
        if let file, file == FileFingerprint(of: path) { verified?.note(sha256, of: file) }
    }
}
