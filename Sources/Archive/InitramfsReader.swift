/// The names in an initial RAM file system, read as Linux unpacks it: `cpio` archives of the forms `newc` and `crc`, each plain
/// or in a gzip member, one after another, with zeros between them
/// (`Documentation/driver-api/early-userspace/buffer-format.rst`).
///
/// Bytes are handed over in pieces; neither they nor the files are held. What is compressed by anything but gzip is not
/// read, and ``unread`` says so.
public struct InitramfsReader: ~Copyable {
    /// The most bytes that may come out of the decompressor.
    public static let maximumBytes: UInt64 = 1 << 30
    /// The most names.
    public static let maximumNames = 200_000

    /// The paths in the order of the archives, without a leading `/` or `./`; later ones replace earlier ones.
    public var paths: [String] { names.paths }
    /// What compressed the first part that was not read; what follows it is not known either.
    public private(set) var unread: String?

    /// Bytes of a file that is asked for.
    public struct Piece: Hashable, Sendable {
        /// The file's path.
        public let path: String
        /// Whether the file begins here; it replaces an earlier one of that path.
        public let isBeginning: Bool
        /// What it holds here.
        public internal(set) var bytes: [UInt8]
    }

    /// The bytes of the files that are asked for, as far as they came since the last call, in the order of the archives.
    public mutating func drain() -> [Piece] { names.drain() }

    /// The bytes that came out of the decompressor.
    public private(set) var inflated: UInt64 = 0

    private enum Place { case between, inMember, inArchive }

    private let subject: String
    private var inflater: Inflater
    private var names: CPIONames
    private var place = Place.between
    private var window = [UInt8](repeating: 0, count: 64 << 10)
    private var carried: [UInt8] = []
    private var hasMember = false

    /// Begins with an initramfs.
    ///
    /// - Parameters:
    ///   - name: What errors call it.
    ///   - isWanted: Whether ``drain()`` hands over the bytes of the file at a path.
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/system`` when there is no memory.
    public init(
        named name: String, keeping isWanted: @escaping (String) -> Bool = { _ in false }
    ) throws(ArchiveError) {
        subject = name
        inflater = try Inflater(named: name)
        names = CPIONames(subject: name, isWanted: isWanted)
    }

    /// Takes the next bytes.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/malformed``, ``ArchiveError/Code/badChecksum`` or
    ///   ``ArchiveError/Code/limitExceeded``.
    public mutating func take(_ piece: Span<UInt8>) throws(ArchiveError) {
        guard unread == nil else { return }
        var bytes = carried
        unsafe piece.withUnsafeBufferPointer { buffer in unsafe bytes.append(contentsOf: buffer) }
        carried = []
        var position = 0
        while position < bytes.count, unread == nil {
            switch place {
            case .between:
                if bytes[position] == 0 {
                    position += 1
                } else if bytes.count - position < 6 {
                    carried = Array(bytes[position...])
                    return
                } else {
                    try begin(Array(bytes[position..<position + 6]))
                }
            case .inMember: position += try inflate(&bytes, position)
            case .inArchive:
                position += try names.take(bytes[position...])
                if names.isAtEnd { place = .between }
            }
        }
    }

    /// Says that there are no more bytes.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/truncated`` where an archive or a gzip member is not complete.
    public mutating func finish() throws(ArchiveError) {
        guard unread == nil else { return }
        guard place == .between, carried.isEmpty, names.isAtEnd else {
            throw ArchiveError(.truncated, subject: subject, detail: "the initramfs ends in the middle of an archive")
        }
    }

    private mutating func begin(_ head: [UInt8]) throws(ArchiveError) {
        let others: [(name: String, magic: [UInt8])] = [
            ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A]), ("zstd", [0x28, 0xB5, 0x2F, 0xFD]),
            ("lz4", [0x02, 0x21, 0x4C, 0x18]),
            ("bzip2", [0x42, 0x5A, 0x68]), ("lzma", [0x5D, 0x00, 0x00]), ("lzo", [0x89, 0x4C, 0x5A, 0x4F]),
        ]
        if head.starts(with: [0x1F, 0x8B]) {
            if hasMember { inflater.reset() }
            hasMember = true
            names.begin()
            place = .inMember
        } else if head == Array("070701".utf8) || head == Array("070702".utf8) {
            names.begin()
            place = .inArchive
        } else if let other = others.first(where: { head.starts(with: $0.magic) }) {
            unread = other.name
        } else {
            throw ArchiveError(
                .malformed, subject: subject,
                detail: "holds bytes that are neither cpio nor compressed, where either must be")
        }
    }

    private mutating func inflate(_ bytes: inout [UInt8], _ position: Int) throws(ArchiveError) -> Int {
        let step = inflater.step(&bytes, position..<bytes.count, into: &window)
        inflated += UInt64(step.produced)
        guard inflated <= Self.maximumBytes else {
            throw ArchiveError(
                .limitExceeded, subject: subject, detail: "inflates to more than \(Self.maximumBytes) bytes")
        }
        var used = 0
        while used < step.produced {
            // A member may hold several archives, zeros between them.
            if names.isAtEnd {
                if window[used] == 0 {
                    used += 1
                    continue
                }
                names.begin()
            }
            used += try names.take(window[used..<step.produced])
        }
        switch step.outcome {
        case .more: break
        case .end: place = .between
        case .badChecksum(let reason):
            throw ArchiveError(.badChecksum, subject: subject, detail: "the gzip stream is damaged (\(reason))")
        case .malformed(let reason):
            throw ArchiveError(.malformed, subject: subject, detail: "the gzip stream is damaged (\(reason))")
        }
        return step.consumed
    }
}

/// The names of one `cpio` archive after another, `newc` (`cpio(5)`): headers of 110 hexadecimal characters, each followed by
/// the name and the content, both padded to four bytes.
struct CPIONames {
    private enum Part {
        case header
        case name(padding: UInt64, content: UInt64, isFile: Bool)
    }

    private(set) var paths: [String] = []
    private(set) var isAtEnd = true
    private let subject: String
    private var part = Part.header
    private var wanted = 110
    private var held: [UInt8] = []
    private var skip: UInt64 = 0
    private let isWanted: (String) -> Bool
    /// How much of what is skipped is to be kept, behind the padding of the name.
    private var keeping: (padding: UInt64, content: UInt64) = (0, 0)
    private var pieces: [InitramfsReader.Piece] = []

    private static let trailer = "TRAILER!!!"

    init(subject: String, isWanted: @escaping (String) -> Bool) {
        self.subject = subject
        self.isWanted = isWanted
    }

    mutating func drain() -> [InitramfsReader.Piece] {
        defer { pieces = [] }
        return pieces
    }

    mutating func begin() {
        isAtEnd = false
        part = .header
        wanted = 110
        held = []
        skip = 0
    }

    /// Takes bytes up to the end of the archive.
    ///
    /// - Returns: How many were taken, at least one.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(ArchiveError) -> Int {
        var position = bytes.startIndex
        while position < bytes.endIndex, !isAtEnd {
            if skip > 0 {
                let count = Int(min(skip, UInt64(bytes.endIndex - position)))
                keep(bytes[position..<position + count])
                skip -= UInt64(count)
                position += count
                continue
            }
            let count = min(wanted - held.count, bytes.endIndex - position)
            held += bytes[position..<position + count]
            position += count
            if held.count == wanted { try complete() }
        }
        return position - bytes.startIndex
    }

    /// Keeps what of a piece that is skipped belongs to the file that is wanted.
    private mutating func keep(_ piece: ArraySlice<UInt8>) {
        guard keeping.content > 0 else { return }
        let padding = min(keeping.padding, UInt64(piece.count))
        let content = piece.dropFirst(Int(padding)).prefix(Int(clamping: keeping.content))
        keeping = (keeping.padding - padding, keeping.content - UInt64(content.count))
        guard !content.isEmpty, let path = paths.last else { return }
        if pieces.last?.path == path {
            pieces[pieces.count - 1].bytes += content
        } else {
            pieces.append(InitramfsReader.Piece(path: path, isBeginning: false, bytes: Array(content)))
        }
    }

    private mutating func complete() throws(ArchiveError) {
        let whole = held
        held = []
        switch part {
        case .header:
            guard whole.starts(with: "070701".utf8) || whole.starts(with: "070702".utf8),
                let mode = Self.number(whole, field: 1), let content = Self.number(whole, field: 6),
                let name = Self.number(whole, field: 11)
            else { throw fault(.malformed, "holds a cpio header that is none") }
            guard (1...4096).contains(name) else { throw fault(.malformed, "holds a name of \(name) bytes") }
            part = .name(
                padding: (4 - (110 + name) % 4) % 4, content: content, isFile: mode & 0o170000 == 0o100000)
            wanted = Int(name)
        case .name(let padding, let content, let isFile):
            part = .header
            wanted = 110
            let name = String(decoding: whole.prefix { $0 != 0 }, as: UTF8.self)
            guard name != Self.trailer else { return isAtEnd = true }
            skip = padding + (content + 3) / 4 * 4
            guard paths.count < InitramfsReader.maximumNames else {
                throw fault(.limitExceeded, "holds more than \(InitramfsReader.maximumNames) names")
            }
            let path = name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            paths.append(path)
            keeping = (0, 0)
            if isFile, isWanted(path) {
                pieces.append(InitramfsReader.Piece(path: path, isBeginning: true, bytes: []))
                keeping = (padding, content)
            }
        }
    }

    /// One of the thirteen fields of eight hexadecimal digits behind the magic.
    private static func number(_ header: [UInt8], field: Int) -> UInt64? {
        let start = 6 + field * 8
        return UInt64(String(decoding: header[start..<start + 8], as: UTF8.self), radix: 16)
    }

    private func fault(_ code: ArchiveError.Code, _ detail: String) -> ArchiveError {
        ArchiveError(code, subject: subject, detail: "the initramfs \(detail)")
    }
}
