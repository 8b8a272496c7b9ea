/// The pax records before a member: `LENGTH KEY=VALUE\n`, where the length counts the whole record (POSIX.1-2001).
struct PaxRecords {
    /// Why records cannot be taken apart.
    enum Fault: Error {
        /// A length is missing, absurd or not that of its record, or a key is empty.
        case malformed
        /// There are more than the limit.
        case tooMany
    }

    /// Each key once, in the order of its first record.
    private(set) var keys: [String] = []
    private var values: [String: [UInt8]] = [:]

    /// Takes at most `limit` records apart; of two with one key the later one counts.
    init(_ bytes: [UInt8], limit: Int) throws(Fault) {
        var rest = bytes[...]
        var count = 0
        while !rest.isEmpty {
            count += 1
            guard count <= limit else { throw .tooMany }
            guard let space = rest.prefix(8).firstIndex(of: UInt8(ascii: " ")), space > rest.startIndex else {
                throw .malformed
            }
            let digits = rest[..<space]
            guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { throw .malformed }
            let length = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            guard length > digits.count + 1, length <= rest.count else { throw .malformed }
            let record = rest.prefix(length)[(space + 1)...]
            guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "=")),
                equals > record.startIndex
            else { throw .malformed }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            if values[key] == nil { keys.append(key) }
            values[key] = Array(record[(equals + 1)...].dropLast())
            rest = rest.dropFirst(length)
        }
    }

    /// The value of a key as stored, even where it is empty.
    func stored(_ key: String) -> [UInt8]? { values[key] }

    /// The value of a key; an empty one takes the field back to what the header says.
    subscript(key: String) -> [UInt8]? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    /// The whole part of a decimal number, rounded down; `nil` where there is no such key.
    ///
    /// - Throws: ``TarHeader/Fault/number(_:)`` for anything that is no number.
    func number(_ key: String) throws(TarHeader.Fault) -> Int64? {
        guard let value = self[key] else { return nil }
        let parts = value.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let isFraction = parts.count == 2
        let fraction = isFraction ? parts[1] : []
        guard let whole = Int64(String(decoding: parts[0], as: UTF8.self)),
            fraction.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw .number(key) }
        let isBelow = parts[0].first == UInt8(ascii: "-") && fraction.contains { $0 != UInt8(ascii: "0") }
        return isBelow ? whole &- 1 : whole
    }

    /// The bytes of one record.
    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = body.count
        while true {
            let total = body.count + String(length).utf8.count
            if total == length { return Array(String(length).utf8) + body }
            length = total
        }
    }
}
