/// A regular language as a value: the decoder matches with it and the JSON Schema prints it, so they cannot differ.
indirect enum TextPattern: Hashable, Sendable {
    /// These bytes.
    case literal(String)
    /// A number of ASCII characters out of a set.
    case characters(ASCIISet, ClosedRange<Int>)
    /// A number of characters other than controls, whatever the script.
    case printable(ClosedRange<Int>)
    /// One after the other.
    case sequence([TextPattern])
    /// One of them.
    case either([TextPattern])
    /// A number of repetitions.
    case repeated(TextPattern, ClosedRange<Int>)

    /// No upper bound, for the ranges above.
    static let unbounded = 1 << 20

    /// Whether all of a text is in the language.
    func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return ends(in: bytes, from: [0]).last == bytes.count
    }

    /// The pattern for ECMA-262 §22.2, as JSON Schema takes it, without anchors.
    var expression: String {
        switch self {
        case .literal(let text): text.map { Self.escaped($0) }.joined()
        case .characters(let set, let count): "[\(set.expression)]\(Self.quantifier(count))"
        case .printable(let count): "[^\\u0000-\\u001f\\u007f]\(Self.quantifier(count))"
        case .sequence(let parts): parts.map(\.expression).joined()
        case .either(let parts): "(?:\(parts.map(\.expression).joined(separator: "|")))"
        case .repeated(let part, let count): "(?:\(part.expression))\(Self.quantifier(count))"
        }
    }

    /// Where matches can end that begin at one of `starts`; both are in ascending order.
    private func ends(in bytes: [UInt8], from starts: [Int]) -> [Int] {
        switch self {
        case .literal(let text):
            return starts.compactMap { start in
                bytes[start...].starts(with: text.utf8) ? start + text.utf8.count : nil
            }
        case .characters(let set, let count):
            return Self.runs(in: bytes, from: starts, count) { set.contains($0) ? 1 : 0 }
        case .printable(let count):
            return Self.runs(in: bytes, from: starts, count) { byte in
                switch byte {
                case 0..<0x20, 0x7f: 0
                case 0x20..<0x80: 1
                case 0xc0..<0xe0: 2
                case 0xe0..<0xf0: 3
                default: 4
                }
            }
        case .sequence(let parts):
            var reached = starts
            for part in parts where !reached.isEmpty { reached = part.ends(in: bytes, from: reached) }
            return reached
        case .either(let parts):
            return Self.united(parts.map { $0.ends(in: bytes, from: starts) })
        case .repeated(let part, let count):
            var reached = count.lowerBound == 0 ? [starts] : []
            var current = starts
            var round = 0
            // Each round that matters ends later than the one before, so that there are no more than bytes.
            while round < min(count.upperBound, bytes.count + 1) {
                let next = part.ends(in: bytes, from: current)
                round += 1
                if next.isEmpty { break }
                if round >= count.lowerBound { reached.append(next) }
                if next == current { break }
                current = next
            }
            return Self.united(reached)
        }
    }

    /// The ends of runs of characters whose width `width` tells; 0 ends the run.
    private static func runs(
        in bytes: [UInt8], from starts: [Int], _ count: ClosedRange<Int>, _ width: (UInt8) -> Int
    ) -> [Int] {
        var all: [[Int]] = []
        for start in starts {
            var ends: [Int] = count.lowerBound == 0 ? [start] : []
            var index = start
            var taken = 0
            while taken < count.upperBound, index < bytes.count {
                let step = width(bytes[index])
                guard step > 0 else { break }
                index = min(bytes.count, index + step)
                taken += 1
                if taken >= count.lowerBound { ends.append(index) }
            }
            all.append(ends)
        }
        return united(all)
    }

    /// The numbers of all lists, each once, in ascending order.
    private static func united(_ lists: [[Int]]) -> [Int] {
        let filled = lists.filter { !$0.isEmpty }
        guard filled.count > 1 else { return filled.first ?? [] }
        return Set(filled.joined()).sorted()
    }

    private static func escaped(_ character: Character) -> String {
        "\\^$.|?*+()[]{}/".contains(character) ? "\\\(character)" : String(character)
    }

    private static func quantifier(_ count: ClosedRange<Int>) -> String {
        switch (count.lowerBound, count.upperBound) {
        case (1, 1): ""
        case (0, 1): "?"
        case (0, unbounded): "*"
        case (1, unbounded): "+"
        case (let low, unbounded): "{\(low),}"
        case (let low, let high) where low == high: "{\(low)}"
        case (let low, let high): "{\(low),\(high)}"
        }
    }
}

/// A set of ASCII characters, written as in brackets of a regular expression: `a-z0-9_.-`.
struct ASCIISet: Hashable, Sendable, ExpressibleByStringLiteral {
    private let text: String
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(stringLiteral text: String) {
        self.text = text
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let isRange = index + 2 < bytes.count && bytes[index + 1] == UInt8(ascii: "-")
            let last = isRange ? bytes[index + 2] : bytes[index]
            for byte in min(bytes[index], last)...last {
                if byte < 64 { low |= 1 << UInt64(byte) } else if byte < 128 { high |= 1 << UInt64(byte - 64) }
            }
            index += isRange ? 3 : 1
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        if byte < 64 { return low & (1 << UInt64(byte)) != 0 }
        return byte < 128 && high & (1 << UInt64(byte - 64)) != 0
    }

    /// What stands between the brackets.
    var expression: String {
        text.map { $0 == "\\" || $0 == "]" || $0 == "^" || $0 == "[" ? "\\\($0)" : String($0) }.joined()
    }
}
