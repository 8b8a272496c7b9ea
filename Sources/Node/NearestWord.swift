/// Finds the word that somebody may have meant.
package enum NearestWord {
    /// Words longer than this are not searched for, so that the work stays small.
    package static let maximumBytes = 128

    /// Which words count as related where none is near.
    package enum Kin: Sendable {
        /// None.
        case none
        /// The only one that begins with the word, or that the word begins with.
        case prefix
        /// The one nearest in length of those that are longer or shorter by parts behind a hyphen, as package names are.
        case hyphenated
    }

    /// The candidate that needs the fewest edits, the first in byte order among equals; else one that is related.
    ///
    /// An edit is a byte put in, left out, replaced, or swapped with its neighbour, whatever the case of letters; a third
    /// of the longer word, at most three bytes, may differ.
    package static func find(
        _ word: String, among candidates: some Sequence<String>, orKin kin: Kin = .none
    ) -> String? {
        let wanted = Array(word.lowercased().utf8)
        guard !wanted.isEmpty, wanted.count <= maximumBytes else { return nil }
        var best: (edits: Int, word: String)?
        var related: [(excess: Int, word: String)] = []
        for candidate in candidates where candidate != word && candidate.utf8.count <= maximumBytes {
            let bytes = Array(candidate.lowercased().utf8)
            let limit = max(1, min(3, max(wanted.count, bytes.count) / 3))
            if let edits = edits(wanted, bytes, limit) {
                if let best, (best.edits, best.word) <= (edits, candidate) { continue }
                best = (edits, candidate)
            } else if isRelated(wanted, bytes, by: kin) {
                related.append((abs(wanted.count - bytes.count), candidate))
            }
        }
        if let best { return best.word }
        guard kin == .hyphenated || related.count == 1 else { return nil }
        return related.min { ($0.excess, $0.word) < ($1.excess, $1.word) }?.word
    }

    private static func isRelated(_ left: [UInt8], _ right: [UInt8], by kin: Kin) -> Bool {
        let (short, long) = left.count < right.count ? (left, right) : (right, left)
        guard short.count > 2, short.count < long.count, long.starts(with: short) else { return false }
        switch kin {
        case .none: return false
        case .prefix: return true
        case .hyphenated: return long[short.count] == UInt8(ascii: "-")
        }
    }

    /// The optimal string alignment distance, or `nil` above `limit`.
    private static func edits(_ left: [UInt8], _ right: [UInt8], _ limit: Int) -> Int? {
        guard abs(left.count - right.count) <= limit else { return nil }
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(previous[column + 1], current[column]) + 1
                cost = min(cost, previous[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current.append(cost)
            }
            guard (current.min() ?? 0) <= limit else { return nil }
            beforePrevious = previous
            previous = current
        }
        guard let distance = previous.last, distance <= limit else { return nil }
        return distance
    }
}
