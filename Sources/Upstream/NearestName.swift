/// The name that somebody may have meant, found among names that exist.
enum NearestName {
    /// Names longer than this are not searched for, so that the work stays small.
    static let maximumBytes = 128

    /// The candidate that needs the fewest edits, else one that begins the name or that the name begins, cut at a hyphen.
    ///
    /// An edit is a byte put in, left out, replaced, or swapped with its neighbour; a third of the name, at most three
    /// bytes, may differ. Of equals the first in byte order is taken.
    static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.utf8)
        guard !wanted.isEmpty, wanted.count <= maximumBytes else { return nil }
        let limit = max(1, min(3, wanted.count / 3))
        var best: (distance: Int, name: [UInt8])?
        for candidate in candidates {
            let bytes = Array(candidate.utf8)
            guard bytes.count <= maximumBytes, bytes != wanted, let distance = rank(wanted, bytes, limit) else {
                continue
            }
            if let present = best {
                guard
                    distance < present.distance
                        || distance == present.distance && bytes.lexicographicallyPrecedes(present.name)
                else { continue }
            }
            best = (distance, bytes)
        }
        return best.map { String(decoding: $0.name, as: UTF8.self) }
    }

    /// The number of edits, or beyond every such number the bytes that one name has more than the other.
    private static func rank(_ wanted: [UInt8], _ candidate: [UInt8], _ limit: Int) -> Int? {
        if abs(wanted.count - candidate.count) <= limit, let edits = edits(wanted, candidate, limit) { return edits }
        let (short, long) = wanted.count < candidate.count ? (wanted, candidate) : (candidate, wanted)
        guard short.count > 2, long.starts(with: short), long[short.count] == UInt8(ascii: "-") else { return nil }
        return limit + long.count - short.count
    }

    /// The optimal string alignment distance, or `nil` above `limit`.
    private static func edits(_ left: [UInt8], _ right: [UInt8], _ limit: Int) -> Int? {
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
