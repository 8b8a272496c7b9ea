/// The head of an answer, read line by line; what it may hold is bounded.
struct ResponseHead: Sendable {
    /// The most bytes of heads that are read for one answer, those of interim answers and of trailers included.
    static let maximumBytes = 256 << 10
    /// The longest value that is kept.
    static let maximumValueBytes = 8192

    private(set) var status = 0
    private(set) var isComplete = false
    private(set) var bytes = 0
    private(set) var entityTag: String?
    private(set) var lastModified: String?
    private(set) var location: String?
    private(set) var contentLength: UInt64?
    private(set) var contentRange: ContentRange?
    /// In seconds; an answer that gives a date instead counts as none.
    private(set) var retryAfter: Int?
    private(set) var isEncoded = false
    /// Every field that is not too long, in the order in which they came; names in lower case.
    private(set) var fields: [(name: String, value: String)] = []

    /// `Content-Range: bytes FIRST-LAST/TOTAL`.
    struct ContentRange: Hashable, Sendable {
        let first: UInt64
        let last: UInt64
        let total: UInt64?
    }

    /// Takes the next line.
    ///
    /// - Returns: Whether it is within the limits.
    mutating func take(_ line: [UInt8]) -> Bool {
        bytes += line.count
        guard bytes <= Self.maximumBytes else { return false }
        guard !isComplete else { return true }
        let text = line.last == 0x0a ? line.dropLast(line.dropLast().last == 0x0d ? 2 : 1) : line[...]
        if text.starts(with: "HTTP/".utf8) {
            let bytes = bytes
            self = ResponseHead()
            self.bytes = bytes
            let word = text.split(separator: 0x20, maxSplits: 2).dropFirst().first ?? []
            status = Int(String(decoding: word, as: UTF8.self)) ?? 0
        } else if text.isEmpty {
            // An interim answer (1xx) is followed by another.
            isComplete = status >= 200
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
            let blanks: Set<UInt8> = [0x20, 0x09]
            let value = text[text.index(after: colon)...].drop { blanks.contains($0) }
            let end = value.lastIndex { !blanks.contains($0) }.map { value.index(after: $0) } ?? value.startIndex
            take(name, Array(value[..<end]))
        }
        return true
    }

    private mutating func take(_ name: String, _ value: [UInt8]) {
        guard value.count <= Self.maximumValueBytes, value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return }
        let text = String(decoding: value, as: UTF8.self)
        fields.append((name, text))
        switch name {
        case "etag": entityTag = text
        case "last-modified": lastModified = text
        case "location": location = text
        case "content-length": contentLength = UInt64(text)
        case "content-range": contentRange = Self.range(text)
        case "retry-after": retryAfter = Int(text).flatMap { $0 >= 0 ? $0 : nil }
        case "content-encoding": isEncoded = text.lowercased() != "identity"
        default: break
        }
    }

    /// What tells whether a later answer is of the same file: a strong entity tag, else the date of the last change.
    var validator: Validator? {
        // What is compressed on the way may differ from answer to answer.
        guard !isEncoded else { return nil }
        if let entityTag { return Validator(entityTag: entityTag) }
        return lastModified.flatMap(Validator.init(date:))
    }

    private static func range(_ text: String) -> ContentRange? {
        guard text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = UInt64(ends[0]), let last = UInt64(ends[1]), first <= last else {
            return nil
        }
        if parts[1] == "*" { return ContentRange(first: first, last: last, total: nil) }
        guard let total = UInt64(parts[1]), last < total else { return nil }
        return ContentRange(first: first, last: last, total: total)
    }
}

/// What a server says of a file that changes when the file does, as it goes into `If-Range`.
struct Validator: Hashable, Sendable {
    static let maximumBytes = 1024

    let text: String
    let isEntityTag: Bool

    /// Takes a strong entity tag; a weak one does not promise the same bytes.
    init?(entityTag: String) {
        let bytes = Array(entityTag.utf8)
        guard bytes.count >= 2, bytes.count <= Self.maximumBytes, bytes.first == 0x22, bytes.last == 0x22,
            bytes.dropFirst().dropLast().allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x22 })
        else { return nil }
        text = entityTag
        isEntityTag = true
    }

    /// Takes the date of the last change.
    init?(date: String) {
        let bytes = date.utf8
        guard !bytes.isEmpty, bytes.count <= 64, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 }) else {
            return nil
        }
        text = date
        isEntityTag = false
    }
}
