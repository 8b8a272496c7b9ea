internal import Artefact

extension InputLock {
    /// Reads a lock.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - named: What to call it in messages.
    /// - Throws: ``LockError`` with the place of the first byte that is not as ``encoded()`` writes it.
    public init(decoding bytes: [UInt8], named: String = InputLock.fileName) throws(LockError) {
        guard bytes.count <= Self.maximumBytes else {
            throw LockError(
                .tooLarge, subject: named, detail: "is larger than \(Self.maximumBytes) bytes, as no lock is")
        }
        var reader = LockReader(source: named, rest: bytes[...])
        let entries = try reader.entries()
        let lock: InputLock
        do {
            lock = try InputLock(entries)
        } catch {
            throw LockError(error.code, subject: named, detail: "\(error.subject): \(error.detail)")
        }
        // What was read line by line is the one text of its content; this holds it to that whatever the reader overlooks.
        guard try lock.encoded() == bytes else {
            throw LockError(.notCanonical, subject: named, detail: "is not as ksbuild writes it; \(LockReader.remedy)")
        }
        self = lock
    }
}

/// Reads the text of a lock line by line.
private struct LockReader {
    static let remedy = "run 'ksbuild fetch --update-lock'"

    let source: String
    var rest: ArraySlice<UInt8>
    /// The number of the line that was read last, from 1.
    var number = 0

    mutating func entries() throws(LockError) -> [InputLock.Entry] {
        try literal(InputLock.head[0])
        let version = try value(after: "version: ", until: "")
        guard version == "\(InputLock.version)" else {
            let isNumber = (1...6).contains(version.utf8.count) && version.utf8.allSatisfy { (48...57).contains($0) }
            guard isNumber, version.first != "0" else { throw fault(10, "is no version of a lock") }
            throw LockError(
                .unknownVersion, subject: source, line: number, column: 10,
                detail: "follows version \(version) of the format, and this ksbuild knows \(InputLock.version); use a "
                    + "newer ksbuild")
        }
        let start = try line()
        guard start.elementsEqual("inputs:".utf8) else {
            guard start.elementsEqual("inputs: []".utf8) else { throw differs(start, from: "inputs:") }
            guard rest.isEmpty else {
                _ = try line()
                throw fault(1, "follows a list that is empty")
            }
            return []
        }
        var entries: [InputLock.Entry] = []
        repeat {
            guard entries.count < InputLock.maximumEntries else {
                throw LockError(
                    .tooLarge, subject: source, line: number + 1,
                    detail: "is one input too many (the most is \(InputLock.maximumEntries))")
            }
            let entry = try self.entry()
            if let last = entries.last, !last.name.utf8.lexicographicallyPrecedes(entry.name.utf8) {
                let place = number - InputLock.linesPerEntry + 1
                guard last.name != entry.name else {
                    throw LockError(
                        .ambiguous, subject: source, line: place, column: 11,
                        detail: "\(entry.name) is locked twice; \(Self.remedy)")
                }
                throw LockError(
                    .notCanonical, subject: source, line: place, column: 11,
                    detail: "\(entry.name) stands after \(last.name), and entries are sorted; \(Self.remedy)")
            }
            entries.append(entry)
        } while !rest.isEmpty
        return entries
    }

    private mutating func entry() throws(LockError) -> InputLock.Entry {
        let name = try value(after: "  - name: ", until: "")
        if let problem = InputLock.Entry.problem(withName: name) { throw fault(11, "the name \(problem)") }
        let url = try value(after: "    url: \"", until: "\"")
        if let problem = InputLock.Entry.problem(withURL: url) { throw fault(11, "the address \(problem)") }
        let digits = try value(after: "    size: ", until: "")
        guard (1...19).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            digits.utf8.first != UInt8(ascii: "0"), let size = UInt64(digits)
        else { throw fault(11, "the size is no number") }
        if let problem = InputLock.Entry.problem(withSize: size) { throw fault(11, "the size \(problem)") }
        let hex = try value(after: "    sha256: \"", until: "\"")
        guard let sha256 = try? Digest(hex: hex), sha256.hex == hex else {
            throw fault(14, "is no SHA-256 digest of 64 lower-case digits")
        }
        let word = try value(after: "    trust: ", until: "")
        guard let trust = LockTrust(word) else { throw fault(12, "is no kind of trust") }
        let time = try value(after: "    date: \"", until: "\"")
        guard let date = LockDate(time) else { throw fault(12, "is no time such as 2026-01-31T12:00:00Z") }
        return try InputLock.Entry(name: name, url: url, size: size, sha256: sha256, trust: trust, date: date)
    }

    /// The next line without its end.
    private mutating func line() throws(LockError) -> ArraySlice<UInt8> {
        number += 1
        let line = rest.prefix { $0 != 0x0a }
        guard line.endIndex < rest.endIndex else {
            throw fault(line.count + 1, "is the end of the file, where more is expected")
        }
        rest = rest[(line.endIndex + 1)...]
        return line
    }

    private mutating func literal(_ text: String) throws(LockError) {
        let line = try line()
        guard line.elementsEqual(text.utf8) else { throw differs(line, from: text) }
    }

    /// What stands between two fixed texts on the next line.
    private mutating func value(after start: String, until end: String) throws(LockError) -> String {
        let line = try line()
        guard line.starts(with: start.utf8) else { throw differs(line, from: start) }
        let body = line.dropFirst(start.utf8.count)
        guard body.count > end.utf8.count, body.suffix(end.utf8.count).elementsEqual(end.utf8) else {
            throw fault(line.count + 1, "ends where more is expected")
        }
        let value = body.dropLast(end.utf8.count)
        if let index = value.firstIndex(where: { $0 < 0x20 || $0 > 0x7e }) {
            throw fault(index - line.startIndex + 1, "is no printable character of ASCII")
        }
        return String(decoding: value, as: UTF8.self)
    }

    private func differs(_ line: ArraySlice<UInt8>, from text: String) -> LockError {
        if ["<<<<<<< ", "=======", ">>>>>>> ", "||||||| "].contains(where: { line.starts(with: $0.utf8) }) {
            return fault(1, "is a conflict that version control left")
        }
        let column = zip(line, text.utf8).prefix { $0 == $1 }.count + 1
        return fault(column, "'\(text.prefix(24))\(text.utf8.count > 24 ? "…" : "")' is expected on this line")
    }

    private func fault(_ column: Int, _ what: String) -> LockError {
        LockError(.notCanonical, subject: source, line: number, column: column, detail: "\(what); \(Self.remedy)")
    }
}
