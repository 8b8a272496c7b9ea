internal import Artefact
public import SystemPackage

/// A list of digests as upstreams publish it: `NAME.sha256`, `NAME.sha512`, `SHA256SUMS`.
///
/// Two line forms are read: `HEX  NAME` of coreutils, where the second blank may be `*`, and `SHA256 (NAME) = HEX` of the
/// BSDs. A directory before the name is kept but plays no part in look-ups, for the digest was made elsewhere. Empty
/// lines and lines that begin with `#` are skipped; any other line is an error, as is a name that is listed twice.
public struct ChecksumFile: Hashable, Sendable {
    /// The digests that are accepted.
    public enum Algorithm: String, Hashable, Sendable, CaseIterable {
        /// SHA-256, 64 digits.
        case sha256
        /// SHA-512, 128 digits.
        case sha512

        /// How many hexadecimal digits a digest has.
        public var digits: Int { self == .sha256 ? 64 : 128 }

        /// The name that people write: `SHA-256`.
        public var title: String { self == .sha256 ? "SHA-256" : "SHA-512" }

        /// The tag of the BSD form: `SHA256`.
        fileprivate var tag: String { rawValue.uppercased() }
    }

    /// One line of the list.
    public struct Entry: Hashable, Sendable {
        /// The name as it is written, perhaps with directories before it.
        public let name: String
        /// Which digest it is.
        public let algorithm: Algorithm
        /// The digest in lower-case hexadecimal digits.
        public let hex: String
        /// The line it stands on, counted from 1.
        public let line: Int

        /// The name without directories.
        public var baseName: String { ChecksumFile.baseName(name) }
    }

    /// The largest list that is read, in bytes.
    public static let maximumBytes = 1 << 20
    /// The most lines that a list may have.
    public static let maximumLines = 10_000
    /// The longest name in bytes.
    public static let maximumNameBytes = 4095

    /// What the list was read from, for messages.
    public let source: String
    /// The lines in the order of the list.
    public let entries: [Entry]
    private let indexByKey: [Key: Int]

    private struct Key: Hashable {
        let baseName: [UInt8]
        let algorithm: Algorithm
    }

    /// Reads a list from a file.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` and the place, or `ArtefactError` when the file
    ///   cannot be read or is larger than ``maximumBytes``.
    public init(_ path: FilePath) throws {
        try self.init(bytes: HostFile.read(path, limit: Self.maximumBytes), named: path.string)
    }

    /// Reads a list from bytes at hand.
    ///
    /// - Parameters:
    ///   - bytes: The whole list.
    ///   - named: What to call it in messages.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` and the place.
    public init(bytes: [UInt8], named: String) throws(UpstreamError) {
        guard bytes.count <= Self.maximumBytes else {
            throw UpstreamError(
                .malformed, subject: named, detail: "is no checksum file (more than \(Self.maximumBytes) bytes)")
        }
        var entries: [Entry] = []
        var indexByKey: [Key: Int] = [:]
        var number = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            number += 1
            guard number <= Self.maximumLines else {
                throw UpstreamError(
                    .malformed, subject: named, line: number, detail: "more than \(Self.maximumLines) lines")
            }
            let line = rest.prefix { $0 != 0x0a }
            rest = rest.dropFirst(line.count + 1)
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            let entry = try LineReader(line: Array(line), number: number, source: named).entry()
            let key = Key(baseName: Array(entry.baseName.utf8), algorithm: entry.algorithm)
            if let earlier = indexByKey[key].map({ entries[$0] }) {
                let how = earlier.hex == entry.hex ? "again" : "with another digest"
                throw UpstreamError(
                    .malformed, subject: named, line: number,
                    detail:
                        "lists \(entry.baseName) \(how) (first on line \(earlier.line)); take the list from upstream")
            }
            indexByKey[key] = entries.count
            entries.append(entry)
        }
        guard !entries.isEmpty else {
            throw UpstreamError(.malformed, subject: named, detail: "lists no file; take the list from upstream again")
        }
        self.source = named
        self.entries = entries
        self.indexByKey = indexByKey
    }

    /// The line about a file, whatever directories either name has.
    ///
    /// - Returns: `nil` when the list says nothing about it.
    public func entry(for name: String, _ algorithm: Algorithm = .sha256) -> Entry? {
        indexByKey[Key(baseName: Array(Self.baseName(name).utf8), algorithm: algorithm)].map { entries[$0] }
    }

    /// The line about a file.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notListed``.
    public func requiredEntry(
        for name: String, _ algorithm: Algorithm = .sha256
    ) throws(UpstreamError) -> Entry {
        if let entry = entry(for: name, algorithm) { return entry }
        let names = entries.lazy.map(\.baseName).listed(most: 3)
        throw UpstreamError(
            .notListed, subject: source,
            detail: "does not list \(Self.baseName(name)) with a \(algorithm.title) digest (it lists \(names)); "
                + "take the checksum file of the same release, or pin the digest in the recipe")
    }

    /// What follows the last `/`.
    fileprivate static func baseName(_ name: String) -> String {
        guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { return name }
        return String(name[name.utf8.index(after: slash)...])
    }
}

/// Reads one line of a list, telling the column of what is wrong.
private struct LineReader {
    let line: [UInt8]
    let number: Int
    let source: String

    func entry() throws(UpstreamError) -> ChecksumFile.Entry {
        if line.last == 0x0d {
            throw fault(line.count, "ends with a carriage return; take the file as upstream has it")
        }
        if let index = line.firstIndex(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw fault(index + 1, "holds a control character")
        }
        for algorithm in ChecksumFile.Algorithm.allCases
        where line[start...].starts(with: "\(algorithm.tag) (".utf8) {
            return try taggedEntry(algorithm)
        }
        return try plainEntry()
    }

    /// A leading backslash says that backslashes in the name are doubled, as coreutils writes them.
    private var isEscaped: Bool { line.first == UInt8(ascii: "\\") }

    /// Where the line begins, counted from 0.
    private var start: Int { isEscaped ? 1 : 0 }

    /// `HEX  NAME`.
    private func plainEntry() throws(UpstreamError) -> ChecksumFile.Entry {
        let digits = line[start...].prefix { isHexadecimal($0) }
        let algorithm = try algorithm(digits: digits.count, column: start + 1)
        let separator = start + digits.count
        guard separator + 2 <= line.count, line[separator] == 0x20,
            line[separator + 1] == 0x20 || line[separator + 1] == UInt8(ascii: "*")
        else {
            let why = separator < line.count ? "two blanks, or a blank and '*'" : "a file name"
            throw fault(separator + 1, "expected \(why) after the digest")
        }
        return try entry(name: line[(separator + 2)...], column: separator + 3, algorithm, digits)
    }

    /// `SHA256 (NAME) = HEX`.
    private func taggedEntry(_ algorithm: ChecksumFile.Algorithm) throws(UpstreamError) -> ChecksumFile.Entry {
        let start = start + algorithm.tag.utf8.count + 2
        let digits = line[(line.count - trailingDigits())...]
        let name = line[start..<max(start, digits.startIndex)]
        guard name.suffix(4).elementsEqual(") = ".utf8) else {
            throw fault(max(start, digits.startIndex) + 1, "expected ') = ' and the digest after the file name")
        }
        guard digits.count == algorithm.digits else {
            throw fault(
                digits.startIndex + 1, "has \(digits.count) digits where \(algorithm.title) has \(algorithm.digits)")
        }
        return try entry(name: name.dropLast(4), column: start + 1, algorithm, digits)
    }

    private func trailingDigits() -> Int { line.reversed().prefix { isHexadecimal($0) }.count }

    private func algorithm(digits: Int, column: Int) throws(UpstreamError) -> ChecksumFile.Algorithm {
        for algorithm in ChecksumFile.Algorithm.allCases where algorithm.digits == digits { return algorithm }
        switch digits {
        case 0: throw fault(column, "expected a SHA-256 or SHA-512 digest")
        case 32: throw fault(column, "has an MD5 digest; only SHA-256 and SHA-512 are accepted")
        case 40: throw fault(column, "has a SHA-1 digest; only SHA-256 and SHA-512 are accepted")
        default:
            throw fault(
                column, "has a digest of \(digits) hexadecimal digits; SHA-256 has 64 and SHA-512 has 128")
        }
    }

    private func entry(
        name: ArraySlice<UInt8>, column: Int, _ algorithm: ChecksumFile.Algorithm, _ digits: ArraySlice<UInt8>
    ) throws(UpstreamError) -> ChecksumFile.Entry {
        let name = isEscaped ? try unescaped(Array(name), column: column) : Array(name)
        guard name.count <= ChecksumFile.maximumNameBytes else {
            throw fault(column, "has a name of more than \(ChecksumFile.maximumNameBytes) bytes")
        }
        guard let text = String(validating: name, as: UTF8.self) else {
            throw fault(column, "has a name that is not UTF-8")
        }
        guard let last = name.last, last != UInt8(ascii: "/") else { throw fault(column, "expected a file name") }
        let hex = String(decoding: digits, as: UTF8.self).lowercased()
        return ChecksumFile.Entry(name: text, algorithm: algorithm, hex: hex, line: number)
    }

    /// Undoes what coreutils does to a backslash; names with line breaks are refused.
    private func unescaped(_ name: [UInt8], column: Int) throws(UpstreamError) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < name.count {
            if name[index] == UInt8(ascii: "\\") {
                guard index + 1 < name.count, name[index + 1] == UInt8(ascii: "\\") else {
                    throw fault(column + index, "has a file name with a line break")
                }
                index += 1
            }
            result.append(name[index])
            index += 1
        }
        return result
    }

    private func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private func fault(_ column: Int, _ detail: String) -> UpstreamError {
        let nature = number == 1 ? FileNature.name(of: Array(line.prefix(FileNature.headBytes))) : nil
        let guess = nature.map { $0 == "a text file" ? "" : " (the file looks like \($0))" } ?? ""
        return UpstreamError(.malformed, subject: source, line: number, column: column, detail: detail + guess)
    }
}
