/// One of the gzip members that follow each other in a file.
public struct GzipMember: Hashable, Sendable {
    /// Where its compressed bytes stand: what Alpine's signatures sign.
    public let compressed: Range<Int>
    /// What it holds.
    public let bytes: [UInt8]
}

/// gzip streams that fit in memory (RFC 1952).
public enum Gzip {
    /// Takes a file apart into its gzip members, checksums verified.
    ///
    /// Alpine's package index is two of them, the signature and the index; a package is three.
    ///
    /// - Parameters:
    ///   - bytes: The whole file: members and nothing else.
    ///   - name: What errors call it.
    ///   - limit: How many bytes may come out in all.
    ///   - count: After how many members to stop; what follows them is not looked at, and may be cut off.
    /// - Returns: The members in order, at least one.
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/notAnArchive``, ``ArchiveError/Code/truncated``,
    ///   ``ArchiveError/Code/badChecksum``, ``ArchiveError/Code/malformed`` or ``ArchiveError/Code/limitExceeded``.
    public static func members(
        of bytes: [UInt8], named name: String, limit: Int, first count: Int = .max
    ) throws(ArchiveError) -> [GzipMember] {
        func fault(_ code: ArchiveError.Code, _ detail: String) -> ArchiveError {
            ArchiveError(code, subject: name, detail: detail)
        }
        var inflater = try Inflater(named: name)
        var (source, window) = (bytes, [UInt8](repeating: 0, count: 64 * 1024))
        var (members, content): ([GzipMember], [UInt8]) = ([], [])
        var (start, position, total) = (0, 0, 0)
        while position < source.count, members.count < count {
            if position == start {
                guard source[position...].starts(with: [0x1f, 0x8b]) else {
                    throw members.isEmpty
                        ? fault(.notAnArchive, "is no gzip file")
                        : fault(.malformed, "has bytes after its gzip members")
                }
            }
            let step = inflater.step(&source, position..<source.count, into: &window)
            position += step.consumed
            total += step.produced
            guard total <= limit else { throw fault(.limitExceeded, "inflates to more than \(limit) bytes") }
            content += window.prefix(step.produced)
            switch step.outcome {
            case .more:
                let isStarved = step.produced < window.count && position == source.count
                guard !isStarved else { throw fault(.truncated, "the gzip stream ends early; the file is truncated") }
            case .end:
                members.append(GzipMember(compressed: start..<position, bytes: content))
                content = []
                start = position
                inflater.reset()
            case .badChecksum(let reason):
                throw fault(.badChecksum, "the gzip stream is damaged (\(reason)); copy or fetch it again")
            case .malformed(let reason):
                throw fault(.malformed, "the gzip stream is damaged (\(reason)); copy or fetch it again")
            }
        }
        guard !members.isEmpty else { throw fault(.notAnArchive, "is empty; expected a gzip file") }
        guard start == source.count || members.count == count else {
            throw fault(.truncated, "the gzip stream ends early; the file is truncated")
        }
        return members
    }

    /// The bytes as one gzip member, the same on every call.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/system`` when there is no memory.
    public static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
        var output = Deflater.header
        var deflater = try Deflater()
        let sink = { (piece: Span<UInt8>) in
            unsafe piece.withUnsafeBufferPointer { pieces in unsafe output.append(contentsOf: pieces) }
        }
        try deflater.write(bytes.span, to: sink)
        try deflater.finish(to: sink)
        return output
    }
}
