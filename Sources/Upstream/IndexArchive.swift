internal import Archive

/// Takes `APKINDEX.tar.gz` apart: streams of signatures, then one stream with the index.
enum IndexArchive {
    /// The kinds of signature that apk knows (`apk-v2(5)`).
    private static let kinds: Set<String> = ["RSA", "RSA256", "RSA512", "DSA"]

    static func read(
        _ archive: [UInt8], named: String
    ) throws(UpstreamError) -> (text: [UInt8], signatures: [PackageIndex.Signature]) {
        guard archive.starts(with: [0x1f, 0x8b]) else {
            let nature = FileNature.name(of: Array(archive.prefix(FileNature.headBytes))) ?? "something else"
            throw UpstreamError(.wrongKind, subject: named, detail: "is no package index but \(nature)")
        }
        do {
            var members = try Gzip.members(of: archive, named: named, limit: PackageIndex.maximumBytes)
            let body = members.popLast()
            var signatures: [PackageIndex.Signature] = []
            for member in members {
                for (name, bytes) in try files(member.bytes, named) {
                    guard let signature = signature(name, size: bytes.count) else {
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
            return (text, signatures)
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
    private static func signature(_ name: String, size: Int) -> PackageIndex.Signature? {
        guard name.hasPrefix(".SIGN.") else { return nil }
        let parts = name.dropFirst(6).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, kinds.contains(String(parts[0])), !parts[1].isEmpty, !parts[1].contains("/") else {
            return nil
        }
        return PackageIndex.Signature(kind: String(parts[0]), keyName: String(parts[1]), size: size)
    }

    private static func fault(_ named: String, _ detail: String) -> UpstreamError {
        UpstreamError(.malformed, subject: named, detail: detail)
    }
}
