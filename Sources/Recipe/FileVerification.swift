public import Artefact
internal import ISOBuild
public import SystemPackage
internal import Upstream

/// What re-reading one file came to: its digest against whatever says what it should be, and its structure.
public struct FileVerification: Sendable {
    /// What a file turned out to be.
    public enum Kind: String, Sendable {
        /// An ISO 9660 image.
        case image = "ISO 9660 image"
        /// A gzip-compressed archive, which an overlay is.
        case archive = "gzip archive"
        /// A program for one processor.
        case program = "ELF program"
        /// Anything else.
        case other = "file"
    }

    /// Where it stands.
    public let path: FilePath
    /// What it is.
    public let kind: Kind
    /// Its size in bytes.
    public let size: UInt64
    /// Its digest.
    public let digest: Digest
    /// What its digest was held against, or `nil` where nothing says what it should be.
    public let reference: String?
    /// What is wrong with it, one line each.
    public let findings: [String]

    /// Reads a file to its end.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - expected: The digest that it must have; without one, `PATH.sha256` or `SHA256SUMS` beside it is asked.
    ///   - report: Told how far it has come.
    /// - Returns: What the file is and what is wrong with it.
    /// - Throws: `ArtefactError` where it cannot be read, `UpstreamError` for a checksum file that is malformed.
    public static func read(
        _ path: FilePath, expecting expected: Digest? = nil, report: @escaping BuildReport
    ) throws -> FileVerification {
        let total = try HostFile.status(of: path).size
        report(.step("verify \(path.lastComponent?.string ?? path.string)"))
        var stream = DigestStream()
        var head: [UInt8] = []
        var size: UInt64 = 0
        try HostFile.forEachChunk(of: path) { chunk in
            if head.isEmpty {
                unsafe chunk.withUnsafeBufferPointer { unsafe head.append(contentsOf: $0.prefix(65536)) }
            }
            stream.update(chunk)
            size += UInt64(chunk.count)
            report(.progress(done: size, total: total))
        }
        let digest = stream.finalize()
        var findings: [String] = []
        let reference = try reference(for: path, expected)
        if let reference, reference.hex != digest.hex {
            findings.append("its SHA-256 is \(digest) and \(reference.source) says \(reference.hex)")
        }
        let kind = kind(of: head)
        findings += structuralFindings(path, kind)
        return FileVerification(
            path: path, kind: kind, size: size, digest: digest, reference: reference?.source, findings: findings)
    }

    private static func reference(
        for path: FilePath, _ expected: Digest?
    ) throws -> (hex: String, source: String)? {
        if let expected { return (expected.hex, "the digest given") }
        let name = path.lastComponent?.string ?? path.string
        for list in [FilePath("\(path.string).sha256"), path.removingLastComponent().appending("SHA256SUMS")] {
            guard HostFile.exists(list), let entry = try ChecksumFile(list).entry(for: name) else { continue }
            return (entry.hex, "\(list):\(entry.line)")
        }
        return nil
    }

    private static func kind(of head: [UInt8]) -> Kind {
        if head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) { return .program }
        if head.starts(with: [0x1f, 0x8b]) { return .archive }
        // ECMA-119 §8.1.2: the standard identifier of the first volume descriptor, in sector 16.
        if head.count >= 32774, head[32769..<32774].elementsEqual("CD001".utf8) { return .image }
        return .other
    }

    /// What a reader of the format says about the bytes.
    private static func structuralFindings(_ path: FilePath, _ kind: Kind) -> [String] {
        func failure(_ body: () throws -> Void) -> [String] {
            do {
                try body()
                return []
            } catch {
                return ["\(error)"]
            }
        }
        switch kind {
        case .image:
            return failure {
                let image = try ISOReader(path)
                _ = try image.bootEntries()
                for nameSpace in image.volume.nameSpaces {
                    _ = try ISOReader(path, nameSpace: nameSpace).entries()
                }
            }
        case .archive: return failure { try OverlayCheck.readToEnd(path) }
        case .program:
            return failure {
                guard try ELFImage(path).isTruncated else { return }
                throw BuildError(.unbootable, subject: path.string, detail: "ends before what its headers describe")
            }
        case .other: return []
        }
    }
}
