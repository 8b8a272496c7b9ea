/// Finds the word that was meant.
enum Suggestion {
    /// The longest word that is compared.
    static let maximumLength = 64

    /// The candidate that is nearest to a word, where one is near enough for a slip: at most a third of its characters
    /// differ, and no more than three; else the only one that the word begins with, or that begins with it.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        guard word.unicodeScalars.count <= maximumLength else { return nil }
        var best: (word: String, distance: Int)?
        var related: [String] = []
        for candidate in candidates where candidate != word {
            let isRelated = min(word.count, candidate.count) > 2
            if isRelated, word.hasPrefix(candidate) || candidate.hasPrefix(word) { related.append(candidate) }
            let allowed = min(3, max(1, max(word.count, candidate.count) / 3))
            let distance = distance(word.lowercased(), candidate.lowercased())
            guard distance <= allowed, distance < best?.distance ?? .max else { continue }
            best = (candidate, distance)
        }
        return best?.word ?? (related.count == 1 ? related.first : nil)
    }

    /// How many insertions, removals, replacements and swaps of neighbours lead from one word to the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.unicodeScalars)
        let b = Array(right.unicodeScalars)
        var before: [Int] = []
        var previous = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var current = [i + 1]
            for (j, y) in b.enumerated() {
                var cost = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1))
                if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { cost = min(cost, before[j - 1] + 1) }
                current.append(cost)
            }
            before = previous
            previous = current
        }
        return previous[b.count]
    }
}
