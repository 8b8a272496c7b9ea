internal import Archive
internal import Artefact

/// Takes `APKINDEX.tar.gz` apart: streams of signatures, then one stream with the index.
enum IndexArchive {
    /// The kinds of signature that apk knows (`apk-v2(5)`).
    private static let kinds: Set<String> = ["RSA", "RSA256", "RSA512", "DSA"]

    /// What an index file is made of.
    struct Parts {
        let text: [UInt8]
        let signatures: [AlpineKeys.SignatureFile]
        /// The compressed stream with the index, which the signatures sign.
        let signed: Range<Int>
    }

    static func read(_ archive: [UInt8], named: String) throws(UpstreamError) -> Parts {
        guard archive.starts(with: [0x1f, 0x8b]) else {
            let nature = FileNature.name(of: Array(archive.prefix(FileNature.headBytes))) ?? "something else"
            throw UpstreamError(.wrongKind, subject: named, detail: "is no package index but \(nature)")
        }
        do {
            var members = try Gzip.members(of: archive, named: named, limit: PackageIndex.maximumBytes)
            let body = members.popLast()
            var signatures: [AlpineKeys.SignatureFile] = []
            for member in members {
                for (name, bytes) in try files(member.bytes, named) {
                    guard let signature = signature(name, bytes) else {
                        throw fault(
                            named, "has \(String(reflecting: name)) where only signatures may be, before the index")
                    }
                    signatures.append(signature)
                }
            }
            var text: [UInt8]?
            for (name, bytes) in try files(body?.bytes ?? [], named) where name == "APKINDEX" {
                guard text == nil else { throw fault(named, "holds two files named APKINDEX") }
                text = bytes
            }
            guard let text else { throw fault(named, "holds no file named APKINDEX") }
            return Parts(text: text, signatures: signatures, signed: body?.compressed ?? 0..<0)
        } catch let error as UpstreamError {
            throw error
        } catch let error as ArchiveError {
            throw UpstreamError(archive: error)
        } catch {
            throw fault(named, "\(error)")
        }
    }

    /// The regular files of a tar; anything else in an index is an error.
    private static func files(_ tar: [UInt8], _ named: String) throws -> [(name: String, bytes: [UInt8])] {
        guard !tar.isEmpty else { return [] }
        var reader = try ArchiveReader(bytes: tar, named: named)
        var files: [(name: String, bytes: [UInt8])] = []
        while let member = try reader.next() {
            guard member.kind == .file else { throw fault(named, "holds \(member.name), which is no file") }
            guard files.count < 64 else { throw fault(named, "holds more than 64 files") }
            files.append((member.name, try reader.read(limit: PackageIndex.maximumBytes)))
        }
        return files
    }

    /// `.SIGN.KIND.KEYNAME`.
    static func signature(_ name: String, _ bytes: [UInt8]) -> AlpineKeys.SignatureFile? {
        guard name.hasPrefix(".SIGN.") else { return nil }
        let parts = name.dropFirst(6).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, kinds.contains(String(parts[0])), !parts[1].isEmpty, !parts[1].contains("/") else {
            return nil
        }
        return AlpineKeys.SignatureFile(kind: String(parts[0]), keyName: String(parts[1]), bytes: bytes)
    }

    private static func fault(_ named: String, _ detail: String) -> UpstreamError {
        UpstreamError(.malformed, subject: named, detail: detail)
    }
}

extension IndexArchive {
    /// A tar archive of regular files; that of signatures ends without the two blocks of zeros, so that what follows it
    /// is read on as one archive.
    static func tar(_ files: [(name: String, bytes: [UInt8])], epoch: Int64, isEnded: Bool) throws -> [UInt8] {
        var tree = FileTree()
        for file in files {
            try tree.insert(
                TreeEntry(path: EntryPath(file.name), kind: .file(.bytes(file.bytes)), mode: .file, origin: "index"))
        }
        var tar: [UInt8] = []
        try TarGzip.writeTar(tree, epoch: epoch) { bytes in
            unsafe bytes.withUnsafeBufferPointer { pieces in unsafe tar.append(contentsOf: pieces) }
        }
        if !isEnded { tar.removeLast(1024) }
        return tar
    }

    /// `APKINDEX.tar.gz` of packages, sorted by name and version, signed.
    static func write(
        _ packages: [PackageInformation], description: String, key: SigningKey, epoch: Int64
    ) throws -> [UInt8] {
        let sorted = packages.sorted {
            ($0.name, $0.version, $0.identity) < ($1.name, $1.version, $1.identity)
        }
        let text = sorted.map(\.indexLines).joined()
        let tar = try tar(
            [("DESCRIPTION", Array(description.utf8)), ("APKINDEX", Array(text.utf8))], epoch: epoch, isEnded: true)
        return try key.sign(Gzip.compress(tar), epoch: epoch)
    }
}
