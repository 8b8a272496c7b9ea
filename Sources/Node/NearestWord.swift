/// Finds the word that somebody may have meant.
package enum NearestWord {
    /// Words longer than this are not searched for, so that the work stays small.
    package static let maximumBytes = 128

    /// The candidate that needs the fewest edits, the first in byte order among equals.
    ///
    /// An edit is a byte put in, left out, replaced, or swapped with its neighbour; a third of the word, at most three
    /// bytes, may differ.
    package static func find(_ word: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(word.utf8)
        guard !wanted.isEmpty, wanted.count <= maximumBytes else { return nil }
        let limit = max(1, min(3, wanted.count / 3))
        let ranked = candidates.compactMap { candidate -> (edits: Int, word: String)? in
            let bytes = Array(candidate.utf8)
            guard bytes != wanted, abs(bytes.count - wanted.count) <= limit else { return nil }
            let edits = edits(wanted, bytes)
            return edits <= limit ? (edits, candidate) : nil
        }
        return ranked.min { $0.edits == $1.edits ? $0.word < $1.word : $0.edits < $1.edits }?.word
    }

    /// The optimal string alignment distance.
    private static func edits(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var current = [i + 1]
            for (j, b) in right.enumerated() {
                var cost = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { cost = min(cost, beforePrevious[j - 1] + 1) }
                current.append(cost)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}
