internal import Archive
internal import Artefact
internal import SystemPackage

/// A release tarball of KubeSolo: exactly one regular file named `kubesolo`, in any directory.
enum KubeSoloTarball {
    /// The name of the binary.
    static let member = "kubesolo"

    /// Streams the binary out of the tarball.
    ///
    /// - Returns: What stands at `target`, with its digest.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/ambiguous`` for a link, a device or a second file of that
    ///   name, ``UpstreamError/Code/incomplete`` when there is none, ``UpstreamError/Code/truncated`` or
    ///   ``UpstreamError/Code/malformed`` for an archive that does not read to its end.
    static func extract(_ path: FilePath, to target: FilePath, limit: UInt64) throws -> WrittenFile {
        do {
            return try extractMember(path, to: target, limit: limit)
        } catch let error as ArchiveError where error.underlying == nil {
            throw UpstreamError(archive: error)
        }
    }

    private static func extractMember(_ path: FilePath, to target: FilePath, limit: UInt64) throws -> WrittenFile {
        var archive = try ArchiveReader(path)
        var file = try StagedFile(target, digesting: true)
        var size: UInt64 = 0
        var found: String?
        var others: [String] = []
        while let entry = try archive.next() {
            guard baseName(entry.name) == member, entry.kind != .directory else {
                if others.count < 3, entry.kind != .directory { others.append(entry.name) }
                continue
            }
            guard entry.kind == .file else {
                throw UpstreamError(
                    .ambiguous, subject: path.string,
                    detail: "holds \(entry.name) as \(noun(entry.kind)); a release holds it as a regular file")
            }
            if let found {
                throw UpstreamError(
                    .ambiguous, subject: path.string,
                    detail: "holds two files named \(member): \(found) and \(entry.name); a release holds one")
            }
            found = entry.name
            try archive.forEachChunk { chunk in
                size += UInt64(chunk.count)
                guard size <= limit else { throw tooLarge(path, limit) }
                try file.write(chunk)
            }
        }
        guard found != nil else {
            let held = others.isEmpty ? "nothing" : others.joined(separator: ", ")
            throw UpstreamError(
                .incomplete, subject: path.string,
                detail: "holds no file named \(member) (it holds \(held)); take the release tarball of KubeSolo")
        }
        return try file.commit(mode: EntryMode(0o555))
    }

    /// The refusal of a binary that no release has.
    static func tooLarge(_ path: FilePath, _ limit: UInt64) -> UpstreamError {
        UpstreamError(.malformed, subject: path.string, detail: "has a binary of more than \(limit) bytes")
    }

    private static func baseName(_ name: String) -> String {
        let components = name.utf8.split(separator: UInt8(ascii: "/"))
        return components.last.map { String(Substring($0)) } ?? ""
    }

    private static func noun(_ kind: ArchiveMember.Kind) -> String {
        switch kind {
        case .file: "a file"
        case .directory: "a directory"
        case .symlink(let target): "a symbolic link to \(target)"
        case .hardlink(let target): "a hard link to \(target)"
        case .other(let what): what
        }
    }
}
