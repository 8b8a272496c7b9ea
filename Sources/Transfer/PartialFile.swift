internal import Artefact
internal import CLinux
internal import Glibc
internal import SystemPackage

/// The beginning of a file that is on its way, and the digests of its bytes.
final class PartialFile {
    let path: FilePath
    private(set) var size: UInt64 = 0
    private(set) var state: PartialState?
    /// Whether the bytes come from more than one answer.
    private(set) var isPieced = false

    private let file: FileDescriptor
    private let address: Digest
    private let wantsSHA512: Bool
    private var sha256 = DigestStream()
    private var sha512: SHA512Stream?
    private var begunWriting: UInt64 = 0

    private var statePath: FilePath { Transfer.statePath(of: path) }

    /// Opens what is there, reads it for its digests, or begins anew where nobody knows what it is the beginning of.
    ///
    /// - Throws: `ArtefactError`.
    init(
        _ path: FilePath, address: String, sha512 wantsSHA512: Bool, isCancelled: () -> Bool
    ) throws {
        self.path = path
        self.address = Digest(of: address.utf8)
        self.wantsSHA512 = wantsSHA512
        file = try Self.open(path)
        sha512 = wantsSHA512 ? SHA512Stream() : nil
        let state = PartialState(Transfer.statePath(of: path))
        guard let state, state.address == self.address else {
            try discard()
            return
        }
        do {
            try HostFile.forEachChunk(of: file, named: path) { chunk in
                guard !isCancelled() else { throw Errno.canceled }
                sha256.update(chunk)
                sha512?.update(chunk)
                size += UInt64(chunk.count)
            }
        } catch Errno.canceled {
            return
        }
        guard size <= state.total ?? .max else {
            try discard()
            return
        }
        self.state = state
        isPieced = size > 0
    }

    deinit { try? file.close() }

    private static func open(_ path: FilePath) throws(ArtefactError) -> FileDescriptor {
        func attempt() throws -> FileDescriptor {
            try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: .ownerReadWrite)
        }
        do {
            do {
                return try attempt()
            } catch Errno.permissionDenied {
                // A whole file that was about to get its name is read-only.
                try HostFile.setMode(of: path, EntryMode(0o600))
                return try attempt()
            }
        } catch {
            throw (error as? ArtefactError) ?? .system("write", path, error as? Errno ?? .ioError)
        }
    }

    /// Forgets all bytes and whose they were.
    ///
    /// - Throws: `ArtefactError`.
    func discard() throws {
        try empty()
        state = nil
        try HostFile.remove(statePath)
    }

    /// Begins with the next byte of the file that is there, in another answer.
    func goOn() { isPieced = true }

    /// Gives up the last byte, so that asking for it tells whether the server still has this file.
    ///
    /// - Throws: `ArtefactError`.
    func giveUpLastByte() throws {
        guard size > 0 else { return }
        let kept = size - 1
        guard ftruncate(file.rawValue, off_t(kept)) == 0 else { throw refused("shorten") }
        guard lseek(file.rawValue, 0, SEEK_SET) == 0 else { throw refused("read") }
        reset()
        try HostFile.forEachChunk(of: file, named: path) { chunk in
            sha256.update(chunk)
            sha512?.update(chunk)
            size += UInt64(chunk.count)
        }
    }

    /// Begins with the first byte of a file; what it is, is on the disk before any byte of it.
    ///
    /// - Throws: `ArtefactError`.
    func begin(_ validator: Validator?, total: UInt64?) throws {
        try empty()
        isPieced = false
        guard let validator else {
            state = nil
            return try HostFile.remove(statePath)
        }
        let state = PartialState(address: address, validator: validator, total: total)
        try StagedFile.write(Array(state.text.utf8), to: statePath, mode: EntryMode(0o600))
        self.state = state
    }

    /// Puts bytes at the end.
    ///
    /// - Throws: `ArtefactError`.
    func append(_ bytes: Span<UInt8>) throws {
        var done = 0
        while done < bytes.count {
            do {
                done += unsafe try bytes.withUnsafeBytes { all in
                    unsafe try file.write(
                        toAbsoluteOffset: Int64(clamping: size + UInt64(done)),
                        UnsafeRawBufferPointer(rebasing: all[done...]))
                }
            } catch {
                // What was written of this piece is not counted, and so must not stay.
                let errno = error as? Errno ?? .ioError
                _ = ftruncate(file.rawValue, off_t(size))
                throw ArtefactError.system("write", path, errno)
            }
        }
        sha256.update(bytes)
        sha512?.update(bytes)
        size += UInt64(bytes.count)
        // The disk begins while more comes, so that little is left at the end.
        guard size - begunWriting >= 8 << 20 else { return }
        _ = sync_file_range(file.rawValue, off_t(begunWriting), off_t(size - begunWriting), ksbuild_beginWriting)
        begunWriting = size
    }

    /// Makes the bytes durable.
    ///
    /// - Returns: Their digests.
    /// - Throws: `ArtefactError`.
    func finish() throws -> (sha256: Digest, sha512: String?) {
        guard fsync(file.rawValue) == 0 else { throw refused("synchronise") }
        return (sha256.finalize(), sha512?.finalize())
    }

    /// Removes the file and what is known of it.
    ///
    /// - Throws: `ArtefactError`.
    func remove() throws {
        try HostFile.remove(path)
        try HostFile.remove(statePath)
    }

    private func empty() throws {
        let present = try HostFile.status(of: path).size
        if size > 0 || present > 0 {
            // The old bytes are gone from the disk before a new state tells of others.
            guard ftruncate(file.rawValue, 0) == 0, fsync(file.rawValue) == 0 else { throw refused("shorten") }
        }
        reset()
    }

    private func reset() {
        size = 0
        begunWriting = 0
        sha256 = DigestStream()
        sha512 = wantsSHA512 ? SHA512Stream() : nil
    }

    private func refused(_ operation: String) -> ArtefactError {
        .system(operation, path, Errno(rawValue: Glibc.errno))
    }
}
