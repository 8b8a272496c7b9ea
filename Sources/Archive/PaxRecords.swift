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

    /// A decimal number of digits alone; `nil` where there is no such key.
    ///
    /// - Throws: ``TarHeader/Fault/number(_:)`` for anything that is no such number.
    func number(_ key: String) throws(TarHeader.Fault) -> Int64? {
        guard let value = self[key] else { return nil }
        guard Self.areDigits(value[...]), let number = Int64(String(decoding: value, as: UTF8.self)) else {
            throw .number(key)
        }
        return number
    }

    /// The seconds of a time, rounded down: times alone may have a fraction and be negative.
    ///
    /// - Throws: ``TarHeader/Fault/number(_:)`` for anything that is no time.
    func time(_ key: String) throws(TarHeader.Fault) -> Int64? {
        guard let value = self[key] else { return nil }
        let isNegative = value.first == UInt8(ascii: "-")
        let parts = value.dropFirst(isNegative ? 1 : 0)
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : []
        guard let digits = parts.first, Self.areDigits(digits), fraction.isEmpty || Self.areDigits(fraction),
            let whole = Int64(String(decoding: digits, as: UTF8.self))
        else { throw .number(key) }
        guard isNegative else { return whole }
        return fraction.contains { $0 != UInt8(ascii: "0") } ? -whole - 1 : -whole
    }

    private static func areDigits(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
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
