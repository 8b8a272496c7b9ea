public import Artefact
public import Node
public import SystemPackage

/// The bare KubeSolo binary of a release, taken out of what upstream publishes and found to run on the node.
public struct KubeSoloBinary: Hashable, Sendable {
    /// What a user may hand over.
    public enum Form: String, Hashable, Sendable {
        /// A release tarball, `kubesolo-TAG-linux-ARCH-musl[-offline].tar.gz`.
        case tarball
        /// The binary itself.
        case binary
    }

    /// Where the bare binary stands now, mode 0555.
    public let path: FilePath
    /// Its digest and size, by which the node finds it.
    public let pin: BinaryPin
    /// The file that was handed over.
    public let source: FilePath
    /// What that file is.
    public let form: Form
    /// The digest of that file.
    public let sourceDigest: Digest
    /// The size of that file in bytes.
    public let sourceSize: UInt64
    /// What the name of that file says, where it is one of upstream's; nothing else tells the release.
    public let asset: KubeSoloAsset?
    /// How the digest was found to be right.
    public let trust: Trust
    /// What the pin of the recipe names: the tarball, or the binary in it; `nil` without a pin.
    public let pinnedForm: Form?

    /// The largest binary that is taken, in bytes; real ones have up to 300 MB.
    public static let maximumBytes: UInt64 = 1 << 30

    /// Verifies a release tarball or a bare binary and puts the bare binary at `staging`.
    ///
    /// Nothing of it is run: it may be for another processor, and it is not trusted before its digest is known. A name of
    /// upstream's form must agree with the recipe. When a digest differs, a reason that explains it (the file ends early,
    /// is for another processor, is the glibc build) is given instead, and whatever the reason nothing stays at `staging`.
    ///
    /// - Parameters:
    ///   - path: The file, which is told apart by its first bytes.
    ///   - kubesolo: The release, the variant and the pin; the pin may be the digest of the tarball or of the binary.
    ///   - architecture: The processor of the node.
    ///   - staging: Where the binary is put; its directory must be there.
    ///   - checksumFile: A list to take the digest from where nothing is pinned; by default `PATH.sha256` or `SHA256SUMS`
    ///     beside the file, where one is there.
    ///   - verified: Files that were read before; one that has not changed since is not read again.
    ///   - unpacked: Finds the binary of a file with this digest where it was taken out before, verified and with its
    ///     digest; it is then used where it stands.
    ///   - progress: Called now and then with the bytes that have been read and those there are.
    /// - Returns: The binary and what is known of it.
    /// - Throws: ``UpstreamError`` with the reason that helps most, or `ArtefactError` when a file cannot be read or
    ///   written.
    public static func load(
        _ path: FilePath, kubesolo: KubeSolo, architecture: Architecture, staging: FilePath,
        checksumFile: FilePath? = nil, knowing verified: VerifiedFiles? = nil,
        unpacked: (Digest) -> WrittenFile? = { _ in nil },
        progress: ((_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws -> KubeSoloBinary {
        let asset = KubeSoloAsset(name: path.lastComponent?.string ?? "")
        try asset?.require(KubeSoloAsset(kubesolo, architecture), subject: path.string)
        let form = try form(of: path)
        let expectation = try Expectation.ofKubeSolo(path, asset, pin: kubesolo.sha256, checksumFile)
        let digests = try FileDigests(
            of: path, sha512: expectation.needsSHA512, knowing: verified, progress: progress)
        var staged: WrittenFile?
        var isAccepted = false
        let known = unpacked(digests.sha256)
        defer { if !isAccepted, known == nil, staged != nil { try? HostFile.remove(staging) } }
        var reason: UpstreamError?
        do {
            let written = try known ?? stage(path, form, at: staging)
            staged = written
            try ELFImage(written.path, named: form == .binary ? path.string : "\(path)(kubesolo)")
                .requireStaticProgram(for: architecture)
        } catch let error as UpstreamError {
            reason = error
        }
        let pinnedForm = expectation.pinnedForm(form, digests, binary: staged?.digest)
        guard pinnedForm != nil || (!expectation.isPin && expectation.isMet(by: digests)) else {
            if let reason, reason.explainsOtherDigest { throw reason }
            let inside = staged?.digest.map { form == .tarball ? " (the binary in it has \($0))" : "" } ?? ""
            throw UpstreamError(
                .tampered, subject: path.string,
                detail: "differs from what is expected: \(expectation.contradiction(to: digests))\(inside)"
                    + "; fetch it again, and if that does not help, do not use it")
        }
        if let reason { throw reason }
        guard let staged, let digest = staged.digest else {
            throw UpstreamError(.incomplete, subject: path.string, detail: "gave no binary")
        }
        try digests.requireSame(path)
        guard form == .tarball || digest == digests.sha256 else { throw FileDigests.changed(path) }
        isAccepted = true
        if form == .tarball { verified?.note(content: digest, ofArchive: digests.sha256) }
        return KubeSoloBinary(
            path: staged.path, pin: BinaryPin(digest: digest, size: staged.size), source: path, form: form,
            sourceDigest: digests.sha256, sourceSize: digests.size, asset: asset, trust: expectation.trust,
            pinnedForm: pinnedForm)
    }

    /// Tells a tarball from a binary by the first bytes.
    private static func form(of path: FilePath) throws -> Form {
        let source = try ByteSource(path)
        let head = try source.read(at: 0, count: FileNature.headBytes)
        if head.starts(with: [0x1f, 0x8b]) { return .tarball }
        if head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) { return .binary }
        throw UpstreamError(
            .wrongKind, subject: path.string,
            detail: "is neither a release tarball of KubeSolo nor a program but "
                + "\(FileNature.name(of: head) ?? "something else") (\(source.size) bytes); fetch it again")
    }

    /// Puts the bare binary at `staging`, digested as it passes.
    private static func stage(_ path: FilePath, _ form: Form, at staging: FilePath) throws -> WrittenFile {
        guard form == .binary else { return try KubeSoloTarball.extract(path, to: staging, limit: maximumBytes) }
        var file = try StagedFile(staging, digesting: true)
        var size: UInt64 = 0
        try HostFile.forEachChunk(of: path) { chunk in
            size += UInt64(chunk.count)
            guard size <= maximumBytes else { throw KubeSoloTarball.tooLarge(path, maximumBytes) }
            try file.write(chunk)
        }
        return try file.commit(mode: EntryMode(0o555))
    }
}

extension Expectation {
    /// What the digest of a release asset should be: the pin, else the list that was named, else a list beside it.
    fileprivate static func ofKubeSolo(
        _ path: FilePath, _ asset: KubeSoloAsset?, pin: Digest?, _ list: FilePath?
    ) throws -> Expectation {
        if let pin { return .pin(pin) }
        let name = path.lastComponent?.string ?? path.string
        for file in [list, FilePath("\(path.string).sha256")].compactMap({ $0 })
        where file == list || HostFile.exists(file) {
            return .listed(try ChecksumFile(file).requiredEntry(for: name), in: file)
        }
        let sums = path.removingLastComponent().appending("SHA256SUMS")
        guard HostFile.exists(sums) else { return .none }
        let entries = try ChecksumFile(sums)
        if let entry = entries.entry(for: name) { return .listed(entry, in: sums) }
        guard asset != nil else { return .none }
        return .listed(try entries.requiredEntry(for: name), in: sums)
    }

    fileprivate var isPin: Bool {
        guard case .pin = self else { return false }
        return true
    }

    /// What a pin names: the file that was handed over or the binary in it; `nil` where it names neither.
    fileprivate func pinnedForm(
        _ form: KubeSoloBinary.Form, _ source: FileDigests, binary: Digest?
    ) -> KubeSoloBinary.Form? {
        guard case .pin(let digest) = self else { return nil }
        if source.sha256 == digest { return form }
        return binary == digest ? .binary : nil
    }
}

extension UpstreamError {
    /// Whether the failure is a reason for the digest to differ, so that it says more than the digest does.
    fileprivate var explainsOtherDigest: Bool {
        [.truncated, .wrongArchitecture, .wrongLibrary, .wrongKind].contains(code)
    }
}
