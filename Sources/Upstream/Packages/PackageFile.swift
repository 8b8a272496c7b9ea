internal import Archive
public import Artefact
public import SystemPackage

/// A package file that was read to its end and found to be what it says.
///
/// Format 2 of `apk-v2(5)`: a gzip stream with a tar of signatures, one with a tar of `.PKGINFO` and scripts, the control
/// stream, and one with the files, the data stream. The signature covers the control stream as it is compressed, its
/// SHA-1 is the package's identity in an index, and `.PKGINFO` holds the SHA-256 of the data stream.
public struct PackageFile: Hashable, Sendable {
    /// The largest signature and control streams, compressed, in bytes.
    public static let maximumControlBytes = 4 << 20
    /// The largest signature and control streams, unpacked, in bytes.
    public static let maximumUnpackedControlBytes = 32 << 20

    /// Where it stands.
    public let path: FilePath
    /// The size of the file in bytes.
    public let size: UInt64
    /// The digest of the whole file.
    public let digest: Digest
    /// What `.PKGINFO` says, with the identity and the size of the file as an index has them.
    public let information: PackageInformation
    /// The key by which its signature was found to be right; `nil` where none was demanded.
    public let signer: String?

    /// Verifies a package file: structure, signature, control and data checksums, and that it is the one that is meant.
    ///
    /// The file is read once, and of it no more than ``maximumControlBytes`` is held.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - entry: What an index says of it, which it must agree with; `nil` where no index lists it yet.
    ///   - keys: The keys of which one must have signed it; `nil` where the index that lists it is trusted instead.
    /// - Returns: What it is.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongKind``, ``UpstreamError/Code/truncated``,
    ///   ``UpstreamError/Code/malformed``, ``UpstreamError/Code/unsigned``, ``UpstreamError/Code/untrusted`` or
    ///   ``UpstreamError/Code/tampered``; `ArtefactError` when it cannot be read.
    public static func verify(
        _ path: FilePath, against entry: PackageIndex.Package?, keys: AlpineKeys?
    ) throws -> PackageFile {
        let source = try ByteSource(path)
        let subject = path.string
        let head = try source.read(at: 0, count: maximumControlBytes)
        if let entry, entry.size != source.size {
            throw UpstreamError(
                source.size < entry.size ? .truncated : .tampered, subject: subject,
                detail: "has \(source.size) bytes where its index says \(entry.size); fetch it again")
        }
        let (signatures, control) = try streams(head, subject)
        let information = try PackageInformation(
            controlTar: control.bytes, identity: PackageIdentity.of(head[control.compressed]), size: source.size,
            named: subject)
        let signer = try keys?.verify(signatures, over: Array(head[control.compressed]), subject: subject)
        let digest = try checkData(of: path, from: control.compressed.upperBound, information, subject)
        if let entry, let difference = information.difference(from: entry) {
            throw UpstreamError(
                .tampered, subject: subject, detail: "is not the package that its index lists: \(difference)")
        }
        return PackageFile(
            path: path, size: source.size, digest: digest, information: information, signer: signer)
    }

    /// The signatures and the control stream at the beginning of a file.
    private static func streams(
        _ head: [UInt8], _ subject: String
    ) throws -> (signatures: [AlpineKeys.SignatureFile], control: GzipMember) {
        guard head.starts(with: [0x1f, 0x8b]) else {
            let nature = FileNature.name(of: Array(head.prefix(FileNature.headBytes))) ?? "something else"
            throw UpstreamError(.wrongKind, subject: subject, detail: "is no package of apk v2 but \(nature)")
        }
        do {
            let limit = maximumUnpackedControlBytes
            let first = try Gzip.members(of: head, named: subject, limit: limit, first: 1)
            guard let signatures = try signatures(first[0].bytes, subject) else { return ([], first[0]) }
            let members = try Gzip.members(of: head, named: subject, limit: limit, first: 2)
            guard members.count == 2 else {
                throw UpstreamError(.truncated, subject: subject, detail: "ends after its signatures; fetch it again")
            }
            return (signatures, members[1])
        } catch let error as ArchiveError {
            throw UpstreamError(archive: error)
        }
    }

    /// The signatures in a tar of nothing else; `nil` where it is a control stream, so that the package is not signed.
    private static func signatures(_ tar: [UInt8], _ subject: String) throws -> [AlpineKeys.SignatureFile]? {
        var signatures: [AlpineKeys.SignatureFile] = []
        var reader = try ArchiveReader(bytes: tar, named: subject)
        while let member = try reader.next() {
            if signatures.isEmpty, member.name == ".PKGINFO" { return nil }
            guard
                member.kind == .file, signatures.count < 16, member.size <= 4096,
                let signature = IndexArchive.signature(member.name, try reader.read(limit: 4096))
            else {
                throw UpstreamError(
                    .malformed, subject: subject, detail: "has \(member.name) where only signatures may be")
            }
            signatures.append(signature)
        }
        return signatures
    }

    /// Demands that the data stream has the digest that the control stream names.
    ///
    /// - Returns: The digest of the whole file.
    private static func checkData(
        of path: FilePath, from start: Int, _ information: PackageInformation, _ subject: String
    ) throws -> Digest {
        var whole = DigestStream()
        var data = DigestStream()
        var position = 0
        try HostFile.forEachChunk(of: path) { chunk in
            whole.update(chunk)
            let passed = max(0, min(chunk.count, start - position))
            data.update(chunk.extracting(passed..<chunk.count))
            position += chunk.count
        }
        guard UInt64(position) == information.size else {
            throw UpstreamError(
                .changedWhileReading, subject: subject,
                detail: "changed while it was being read; run again when nothing writes to it")
        }
        guard data.finalize() == information.dataDigest else {
            throw UpstreamError(
                .tampered, subject: subject,
                detail: "its files have the SHA-256 \(data.finalize()) and its .PKGINFO says \(information.dataDigest);"
                    + " fetch it again")
        }
        return whole.finalize()
    }
}
