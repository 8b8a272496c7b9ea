internal import Artefact
public import SystemPackage

/// Reads a tar archive, compressed with gzip or not, one member after the other.
///
/// The reader is strict and states what is stored: names keep their `./` and their trailing `/`, owners their names. It
/// understands what the tar program of Alpine's initramfs understands (v7, ustar, GNU long names, pax), takes the size of
/// anything but a regular file as 0 as that program does, and refuses sparse files and pax records for a whole archive
/// that rename or resize. Content is streamed; memory is bounded by ``ArchiveLimits``.
///
/// It depends on no locale: names are bytes. After an error every further call throws the same error.
public struct ArchiveReader: ~Copyable {
    private var input: ArchiveInput
    private var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
    private var remaining: UInt64 = 0
    private var padding: UInt64 = 0
    private var headers = 0
    private var extendedBytes = 0
    private var isFinished = false
    private var failure: ArchiveError?
    private var hasEndMark = false
    private var remainder = ArchiveSummary.Remainder.nothing

    /// Opens a file.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/system``, ``ArchiveError/Code/notAnArchive`` or
    ///   ``ArchiveError/Code/unsupportedCompression``.
    public init(_ path: FilePath, limits: ArchiveLimits = .standard) throws(ArchiveError) {
        let file: FileDescriptor
        do {
            guard try HostFile.status(of: path).kind != .special else {
                throw ArchiveError(.notAnArchive, subject: path.string, detail: "is no regular file")
            }
            file = try HostFile.open(path)
        } catch let error as ArtefactError {
            throw .system(error)
        } catch {
            throw ArchiveError(.notAnArchive, subject: path.string, detail: "is no regular file")
        }
        input = try ArchiveInput(RawInput(file: file, named: path.string), limits: limits)
    }

    /// Reads bytes at hand; `name` is what errors call them.
    ///
    /// - Throws: ``ArchiveError`` as for a file.
    public init(bytes: [UInt8], named name: String, limits: ArchiveLimits = .standard) throws(ArchiveError) {
        input = try ArchiveInput(RawInput(bytes: bytes, named: name), limits: limits)
    }

    /// What is known of the archive as a whole; complete once ``next()`` has returned `nil`.
    public var summary: ArchiveSummary {
        var summary = input.summary
        summary.hasEndMark = hasEndMark
        summary.remainder = remainder
        return summary
    }

    /// Goes to the next member; what was not read of the last one's content is skipped.
    ///
    /// - Returns: `nil` at the end, once everything that follows has been checked too.
    /// - Throws: ``ArchiveError``.
    public mutating func next() throws(ArchiveError) -> ArchiveMember? {
        if let failure { throw failure }
        guard !isFinished else { return nil }
        do {
            return try advance()
        } catch {
            failure = error
            throw error
        }
    }

    /// Hands the content of the current member to `body` in pieces of at most 256 KiB; a second call gives nothing.
    ///
    /// - Throws: ``ArchiveError``, or what `body` throws.
    public mutating func forEachChunk(_ body: (Span<UInt8>) throws -> Void) throws {
        if let failure { throw failure }
        while remaining > 0 {
            let count = Int(min(remaining, UInt64(try availableContent())))
            try body(input.window.span.extracting(input.start..<input.start + count))
            input.advance(count)
            remaining -= UInt64(count)
        }
    }

    /// Reads the content of the current member.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/limitExceeded`` where it has more than `limit` bytes.
    public mutating func read(limit: Int) throws -> [UInt8] {
        if let failure { throw failure }
        guard remaining <= UInt64(max(0, limit)) else {
            let error = fault(.limitExceeded, "a member holds \(remaining) bytes where at most \(limit) are read")
            failure = error
            throw error
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(remaining))
        try forEachChunk { chunk in
            unsafe chunk.withUnsafeBufferPointer { pieces in unsafe bytes.append(contentsOf: pieces) }
        }
        return bytes
    }

    private mutating func advance() throws(ArchiveError) -> ArchiveMember? {
        try skip(remaining)
        remaining = 0
        try skip(padding)
        padding = 0
        var extended = ExtendedHeaders()
        var isAfterZeros = false
        while try readBlock() {
            headers += 1
            guard headers <= input.limits.headers else {
                throw fault(.limitExceeded, "has more than \(input.limits.headers) headers")
            }
            if block[0] == 0, block.allSatisfy({ $0 == 0 }) {
                guard extended.isEmpty else {
                    throw fault(.malformed, "has zeros between an extended header and the member it belongs to")
                }
                guard isAfterZeros else {
                    isAfterZeros = true
                    continue
                }
                hasEndMark = true
                try inspectRemainder()
                break
            }
            isAfterZeros = false
            let header = try parse()
            guard Self.extensions.contains(header.type) else { return try member(header, extended) }
            try read(header, into: &extended)
        }
        guard extended.isEmpty else {
            throw fault(.truncated, "ends after an extended header, before the member it belongs to")
        }
        isFinished = true
        return nil
    }

    /// The types of headers that say something of what follows them.
    private static let extensions = Array("xgLK".utf8)

    /// Reads one extended header, which must have a name: busybox takes a header without one for a block of zeros.
    private mutating func read(_ header: TarHeader, into extended: inout ExtendedHeaders) throws(ArchiveError) {
        guard !header.name.isEmpty else {
            throw fault(.malformed, "tar header \(headers), an extended one, has no name")
        }
        switch header.type {
        case UInt8(ascii: "x"):
            guard extended.records == nil else { throw ambiguous("a second header of pax records before one member") }
            extended.records = try readRecords(header)
        case UInt8(ascii: "L"):
            guard extended.longName == nil else { throw ambiguous("a second long name before one member") }
            extended.longName = try readName(header)
        case UInt8(ascii: "K"):
            guard extended.longLink == nil else { throw ambiguous("a second long target before one member") }
            extended.longLink = try readName(header)
        default:
            try checkGlobal(readRecords(header))
        }
        if let ambiguity = extended.ambiguity { throw ambiguous(ambiguity) }
    }

    private func ambiguous(_ what: String) -> ArchiveError {
        fault(.malformed, "has \(what) (tar header \(headers)), which readers understand differently")
    }

    private func fault(_ code: ArchiveError.Code, _ detail: String) -> ArchiveError {
        ArchiveError(code, subject: input.name, detail: detail)
    }

    /// How many bytes are at hand, at least one.
    private mutating func available() throws(ArchiveError) -> Int {
        if input.count > 0 { return input.count }
        guard try input.refill() else { throw fault(.truncated, "ends in the middle of a member; it is truncated") }
        return input.count
    }

    /// How many bytes of the current content are at hand, at least one.
    private mutating func availableContent() throws(ArchiveError) -> Int {
        do {
            return try available()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func skip(_ amount: UInt64) throws(ArchiveError) {
        var left = amount
        while left > 0 {
            let count = min(left, UInt64(try available()))
            input.advance(Int(count))
            left -= count
        }
    }

    /// Reads one block.
    ///
    /// - Returns: `false` at the end of the file.
    private mutating func readBlock() throws(ArchiveError) -> Bool {
        var filled = 0
        while filled < block.count {
            if input.count == 0, try !input.refill() {
                guard filled == 0 else { throw fault(.truncated, "ends in the middle of a header; it is truncated") }
                return false
            }
            let count = min(block.count - filled, input.count)
            block.replaceSubrange(filled..<filled + count, with: input.window[input.start..<input.start + count])
            input.advance(count)
            filled += count
        }
        return true
    }

    private func parse() throws(ArchiveError) -> TarHeader {
        do {
            return try TarHeader(block)
        } catch {
            switch error {
            case .checksum where headers == 1:
                throw fault(.notAnArchive, "holds no tar archive (its first 512 bytes are no tar header)")
            case .checksum:
                throw fault(.badChecksum, "the checksum of tar header \(headers) does not match; it is damaged")
            case .number(let field):
                throw fault(.malformed, "the field \(field) of tar header \(headers) holds no number")
            case .magic:
                throw fault(.malformed, "tar header \(headers) has the magic of no tar format")
            case .prefix:
                throw fault(
                    .malformed, "tar header \(headers) continues its name as ustar does, but has not the magic of ustar"
                )
            }
        }
    }

    private mutating func readData(_ header: TarHeader, limit: Int) throws(ArchiveError) -> [UInt8] {
        guard header.size >= 0, header.size <= Int64(limit) else {
            throw fault(
                header.size < 0 ? .malformed : .limitExceeded,
                "an extended header says it holds \(header.size) bytes; at most \(limit) are read")
        }
        extendedBytes += Int(header.size)
        guard extendedBytes <= input.limits.extendedBytes else {
            throw fault(
                .limitExceeded, "has more than \(input.limits.extendedBytes) bytes of pax records and long names")
        }
        var bytes: [UInt8] = []
        while bytes.count < Int(header.size) {
            let count = min(try available(), Int(header.size) - bytes.count)
            bytes += input.window[input.start..<input.start + count]
            input.advance(count)
        }
        try skip(Self.padding(UInt64(header.size)))
        return bytes
    }

    private mutating func readName(_ header: TarHeader) throws(ArchiveError) -> [UInt8] {
        Array(try readData(header, limit: input.limits.nameBytes + 1).prefix { $0 != 0 })
    }

    private mutating func readRecords(_ header: TarHeader) throws(ArchiveError) -> PaxRecords {
        let bytes = try readData(header, limit: input.limits.recordBytes)
        do {
            return try PaxRecords(bytes, limit: input.limits.records)
        } catch .tooMany {
            throw fault(.limitExceeded, "tar header \(headers) has more than \(input.limits.records) pax records")
        } catch {
            throw fault(.malformed, "the pax records of tar header \(headers) are malformed")
        }
    }

    /// Records for all that follows are harmless comments, or an attempt to mean different things to different readers.
    private func checkGlobal(_ records: PaxRecords) throws(ArchiveError) {
        let dangerous = ["path", "linkpath", "size"]
        guard let key = records.keys.first(where: { dangerous.contains($0) }) else { return }
        throw fault(.unsupportedMember, "has a global pax record '\(key)', which readers understand differently")
    }

    private mutating func member(
        _ header: TarHeader, _ extended: ExtendedHeaders
    ) throws(ArchiveError) -> ArchiveMember {
        let assembly: MemberAssembly
        do {
            assembly = try MemberAssembly(header, extended)
        } catch {
            guard case .number(let field) = error else { throw fault(.malformed, "tar header \(headers) is damaged") }
            throw fault(.malformed, "the pax record '\(field)' before tar header \(headers) holds no number")
        }
        if let complaint = assembly.complaint(input.limits) { throw fault(complaint.code, complaint.detail) }
        let member = assembly.member
        remaining = member.size
        padding = Self.padding(member.size)
        return member
    }

    private static func padding(_ size: UInt64) -> UInt64 {
        (UInt64(TarHeader.blockSize) - size % UInt64(TarHeader.blockSize)) % UInt64(TarHeader.blockSize)
    }

    /// Reads all that follows the end mark: the gzip checksum stands at the very end.
    ///
    /// The first block that is not zero, counted from the mark, decides what it is; it may come in pieces.
    private mutating func inspectRemainder() throws(ArchiveError) {
        var position = 0
        var first: [UInt8] = []
        repeat {
            if first.isEmpty, !input.isZero {
                let start = input.window[input.start..<input.end].firstIndex { $0 != 0 } ?? input.end
                let zeros = (position + start - input.start) % block.count
                first =
                    [UInt8](repeating: 0, count: zeros) + input.window[start..<input.end].prefix(block.count - zeros)
            } else if !first.isEmpty, first.count < block.count {
                first += input.window[input.start..<input.end].prefix(block.count - first.count)
            }
            position += input.count
            input.advance(input.count)
        } while try input.refill()
        guard !first.isEmpty else { return }
        remainder = TarHeader.hasValidChecksum(first) ? .archive : .bytes
    }
}
