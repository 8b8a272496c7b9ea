/// Reads a cpio archive of the form `newc` that comes in pieces, and keeps the files that are asked for.
///
/// The form of initramfs images (`initramfs-buffer-format` of the Linux kernel): headers of 110 bytes, all numbers as
/// eight hexadecimal digits, names and contents padded to four bytes; several archives may follow each other, with zeros
/// between them.
public struct CPIOStream {
    /// A file that was asked for.
    public struct File: Hashable, Sendable {
        /// The name as stored, without a leading `/` or `./`.
        public let name: String
        /// What it holds.
        public let bytes: [UInt8]
    }

    private enum State {
        case header
        case name(length: Int, fileSize: Int, isFile: Bool)
        case content(size: Int, name: String?)
        case skip(Int)
    }

    private static let headerSize = 110
    private static let maximumNameBytes = 4096

    private let subject: String
    private let maximumFileBytes: Int
    private let maximumFiles: Int
    private let isWanted: (String) -> Bool
    private var state = State.header
    private var pending: [UInt8] = []
    private var entries = 0
    /// The files that were asked for, in the order of the archive.
    public private(set) var files: [File] = []

    /// Begins an archive.
    ///
    /// - Parameters:
    ///   - subject: What errors call it.
    ///   - maximumFileBytes: How large a file that is asked for may be.
    ///   - maximumFiles: How many files may be asked for.
    ///   - isWanted: Whether the regular file of a name is kept.
    public init(
        named subject: String, maximumFileBytes: Int, maximumFiles: Int, keeping isWanted: @escaping (String) -> Bool
    ) {
        self.subject = subject
        self.maximumFileBytes = maximumFileBytes
        self.maximumFiles = maximumFiles
        self.isWanted = isWanted
    }

    /// Takes the next bytes.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/malformed``, ``ArchiveError/Code/notAnArchive`` or
    ///   ``ArchiveError/Code/limitExceeded``.
    public mutating func read(_ bytes: Span<UInt8>) throws(ArchiveError) {
        var position = 0
        while position < bytes.count {
            if case .skip(let count) = state {
                let step = min(count, bytes.count - position)
                position += step
                state = step == count ? .header : .skip(count - step)
                continue
            }
            if case .header = state, pending.isEmpty, bytes[position] == 0, entries > 0 {
                position += 1
                continue
            }
            let missing = wanted - pending.count
            for _ in 0..<min(missing, bytes.count - position) {
                pending.append(bytes[position])
                position += 1
            }
            if pending.count == wanted { try advance() }
        }
    }

    /// Ends the archive.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/truncated`` where an entry is not complete.
    public func finish() throws(ArchiveError) {
        guard case .header = state, pending.isEmpty, entries > 0 else {
            throw ArchiveError(.truncated, subject: subject, detail: "the cpio archive ends early")
        }
    }

    /// How many bytes the state is made of.
    private var wanted: Int {
        switch state {
        case .header: Self.headerSize
        case .name(let length, _, _): length
        case .content(let size, _): size
        case .skip: 0
        }
    }

    private mutating func advance() throws(ArchiveError) {
        let bytes = pending
        pending = []
        switch state {
        case .header: try readHeader(bytes)
        case .name(_, let size, let isFile): try readName(bytes, size, isFile)
        case .content(let size, let name):
            if let name { files.append(File(name: name, bytes: Array(bytes.prefix(size)))) }
            let padding = Self.padding(size)
            state = padding > 0 ? .skip(padding) : .header
        case .skip: break
        }
    }

    private mutating func readHeader(_ bytes: [UInt8]) throws(ArchiveError) {
        guard bytes.starts(with: "070701".utf8) || bytes.starts(with: "070702".utf8) else {
            throw ArchiveError(
                entries == 0 ? .notAnArchive : .malformed, subject: subject,
                detail: entries == 0 ? "holds no cpio archive" : "has something else where a cpio header should be")
        }
        func field(_ number: Int) -> Int? {
            var value = 0
            for byte in bytes[(6 + number * 8)..<(14 + number * 8)] {
                guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
                value = value << 4 | digit
            }
            return value
        }
        guard let mode = field(1), let size = field(6), let length = field(11) else {
            throw ArchiveError(.malformed, subject: subject, detail: "has a cpio header with a number that is none")
        }
        entries += 1
        guard (1...Self.maximumNameBytes).contains(length), entries <= 1 << 20 else {
            throw ArchiveError(.malformed, subject: subject, detail: "has a cpio entry with a name of \(length) bytes")
        }
        // Header and name together are padded.
        let padding = Self.padding(Self.headerSize + length)
        state = .name(length: length + padding, fileSize: size, isFile: mode & 0o170000 == 0o100000)
    }

    private mutating func readName(_ bytes: [UInt8], _ size: Int, _ isFile: Bool) throws(ArchiveError) {
        var name = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        while name.hasPrefix("./") || name.hasPrefix("/") { name.removeFirst(name.hasPrefix("/") ? 1 : 2) }
        guard isFile, size > 0, isWanted(name) else {
            let rest = size + Self.padding(size)
            state = rest > 0 ? .skip(rest) : .header
            return
        }
        guard size <= maximumFileBytes, files.count < maximumFiles else {
            throw ArchiveError(
                .limitExceeded, subject: subject,
                detail: "has \(name) of \(size) bytes as file \(files.count + 1) of its kind, which is too much")
        }
        state = .content(size: size, name: name)
    }

    private static func padding(_ count: Int) -> Int { (4 - count % 4) % 4 }
}
