internal import Artefact
internal import Glibc
internal import SystemPackage

/// The compressed bytes: from a file in pieces, or all at hand.
struct RawInput: ~Copyable {
    let name: String
    private let file: FileDescriptor?
    var buffer: [UInt8]
    var start = 0
    var end: Int
    private(set) var isAtEnd: Bool
    private(set) var total: UInt64

    init(file: FileDescriptor, named name: String) {
        self.name = name
        self.file = file
        buffer = [UInt8](repeating: 0, count: HostFile.chunkSize)
        end = 0
        isAtEnd = false
        total = 0
    }

    init(bytes: [UInt8], named name: String) {
        self.name = name
        file = nil
        buffer = bytes
        end = bytes.count
        isAtEnd = true
        total = UInt64(bytes.count)
    }

    deinit { try? file?.close() }

    var count: Int { end - start }

    /// Reads on until `wanted` bytes are at hand or the file ends.
    mutating func fill(_ wanted: Int) throws(ArchiveError) {
        guard let file else { return }
        while count < wanted, !isAtEnd {
            if start > 0 {
                buffer.replaceSubrange(0..<count, with: buffer[start..<end])
                (start, end) = (0, count)
            }
            let read: Int
            let (filled, path) = (end, FilePath(name))
            do {
                read = unsafe try buffer.withUnsafeMutableBytes { bytes in
                    unsafe try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]))
                }
            } catch {
                throw .system(.system("read", path, error as? Errno ?? .ioError))
            }
            end += read
            total += UInt64(read)
            isAtEnd = read == 0
        }
    }
}

/// The bytes of the tar archive inside a file, whether it is compressed or not, within the limits.
struct ArchiveInput: ~Copyable {
    /// The bytes at hand: `window[start..<end]`.
    private(set) var window: [UInt8]
    private(set) var start = 0
    private(set) var end = 0
    private(set) var summary = ArchiveSummary()
    let limits: ArchiveLimits
    private var raw: RawInput
    private var inflater: Inflater
    private let isCompressed: Bool
    private var isBetweenMembers = true
    private var isAtEnd = false

    var name: String { raw.name }
    var count: Int { end - start }

    init(_ source: consuming RawInput, limits: ArchiveLimits) throws(ArchiveError) {
        var raw = source
        try raw.fill(512)
        let head = Array(raw.buffer[raw.start..<raw.end].prefix(512))
        guard !head.isEmpty else {
            throw ArchiveError(.notAnArchive, subject: raw.name, detail: "is empty; expected a tar archive")
        }
        // A tar archive begins with a name, which may begin with any bytes.
        if !TarHeader.hasValidChecksum(head), let other = Self.otherCompression(head) {
            throw ArchiveError(
                .unsupportedCompression, subject: raw.name,
                detail: "is compressed with \(other); only gzip and plain tar are read")
        }
        let isCompressed = head.starts(with: [0x1f, 0x8b])
        guard isCompressed || head.count == 512 else {
            throw ArchiveError(
                .notAnArchive, subject: raw.name, detail: "is neither gzip nor tar (\(head.count) bytes)")
        }
        if isCompressed, head.count > 2, head[2] != 8 {
            throw ArchiveError(
                .unsupportedCompression, subject: raw.name,
                detail: "is gzip with compression method \(head[2]); only method 8, deflate, is defined")
        }
        let inflater = try Inflater(named: raw.name)
        self.isCompressed = isCompressed
        self.inflater = inflater
        self.limits = limits
        self.window = [UInt8](repeating: 0, count: HostFile.chunkSize)
        self.raw = raw
    }

    private static let otherCompressions: [(name: String, magic: [UInt8])] = [
        ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), ("zstd", [0x28, 0xb5, 0x2f, 0xfd]),
        ("lz4", [0x04, 0x22, 0x4d, 0x18]), ("compress", [0x1f, 0x9d]),
        ("lzip", [0x4c, 0x5a, 0x49, 0x50]), ("ZIP", [0x50, 0x4b, 0x03, 0x04]),
    ]

    /// What compressed the bytes, where neither gzip nor tar begins like them.
    private static func otherCompression(_ head: [UInt8]) -> String? {
        let levels = UInt8(ascii: "1")...UInt8(ascii: "9")
        if head.starts(with: "BZh".utf8), head.count > 3, levels.contains(head[3]) { return "bzip2" }
        return otherCompressions.first { head.starts(with: $0.magic) }?.name
    }

    mutating func advance(_ count: Int) { start += count }

    /// Whether the bytes at hand are all zero: each equals the next one, and the first is 0.
    var isZero: Bool {
        guard count > 0 else { return true }
        return unsafe window.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return true }
            let first = unsafe base + start
            return unsafe bytes[start] == 0 && memcmp(first, first + 1, count - 1) == 0
        }
    }

    /// Brings the next bytes into the window, which must be used up.
    ///
    /// - Returns: `false` at the end.
    mutating func refill() throws(ArchiveError) -> Bool {
        (start, end) = (0, 0)
        while !isAtEnd, end == 0 {
            if isCompressed { try inflateMore() } else { try copyMore() }
        }
        summary.inflatedBytes += UInt64(end)
        guard summary.inflatedBytes <= limits.totalBytes, raw.total <= limits.totalBytes || raw.isAtEnd else {
            throw exceeded("holds more than \(limits.totalBytes) bytes")
        }
        let used = max(1, raw.total - UInt64(raw.count))
        let isBomb =
            isCompressed && summary.inflatedBytes > ArchiveLimits.ratioFloor
            && summary.inflatedBytes / used > limits.ratio
        guard !isBomb else { throw exceeded("inflates to more than \(limits.ratio) times its size") }
        return end > 0
    }

    private func exceeded(_ what: String) -> ArchiveError {
        ArchiveError(.limitExceeded, subject: name, detail: "\(what), which is refused as a decompression bomb")
    }

    private mutating func copyMore() throws(ArchiveError) {
        try raw.fill(1)
        let count = min(raw.count, window.count)
        guard count > 0 else { return isAtEnd = true }
        window.replaceSubrange(0..<count, with: raw.buffer[raw.start..<raw.start + count])
        raw.start += count
        end = count
    }

    private mutating func inflateMore() throws(ArchiveError) {
        if isBetweenMembers, try !beginMember() { return isAtEnd = true }
        try raw.fill(1)
        guard raw.count > 0 else {
            throw ArchiveError(.truncated, subject: name, detail: "the gzip stream ends early; the file is truncated")
        }
        let step = inflater.step(&raw.buffer, raw.start..<raw.end, into: &window)
        raw.start += step.consumed
        end = step.produced
        switch step.outcome {
        case .more: break
        case .end:
            summary.gzipMembers += 1
            isBetweenMembers = true
        case .badChecksum(let reason):
            throw ArchiveError(
                .badChecksum, subject: name, detail: "the gzip stream is damaged (\(reason)); copy or fetch it again")
        case .malformed(let reason):
            throw ArchiveError(
                .malformed, subject: name, detail: "the gzip stream is damaged (\(reason)); copy or fetch it again")
        }
    }

    /// Finds the next gzip member; zeros after a member are padding up to ``maximumPadding``, anything else is ignored,
    /// as gzip and busybox do.
    private mutating func beginMember() throws(ArchiveError) -> Bool {
        for _ in 0...Self.maximumPadding {
            try raw.fill(2)
            guard raw.count > 0 else { return false }
            if raw.count >= 2, raw.buffer[raw.start] == 0x1f, raw.buffer[raw.start + 1] == 0x8b {
                if summary.gzipMembers > 0 { inflater.reset() }
                isBetweenMembers = false
                return true
            }
            guard raw.buffer[raw.start] == 0 else {
                summary.hasBytesAfterGzip = true
                return false
            }
            raw.start += 1
        }
        summary.hasBytesAfterGzip = true
        return false
    }

    /// How many zeros after a gzip member are taken as the padding of a tape or a disk, in bytes.
    private static let maximumPadding = 1 << 20
}
