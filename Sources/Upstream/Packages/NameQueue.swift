/// The names that still have to be decided, in the order in which apk decides them.
///
/// First those for which there is nothing to choose, in the order in which that became known; then those of which
/// something may be taken without being asked for by its own name; then the rest. Within the latter two the highest rank
/// comes first.
struct NameQueue {
    /// Where a name waits.
    private enum Place { case nowhere, settled, selectable, other }

    private var places: [Place]
    private var settled: [Int] = []
    private var nextSettled = 0
    private var selectable: [Ranked] = []
    private var others: [Ranked] = []

    /// A name and its rank; the lists ascend, so that the next one stands at the end.
    private struct Ranked {
        let rank: Int
        let name: Int
    }

    init(count: Int) { places = [Place](repeating: .nowhere, count: count) }

    func holds(_ name: Int) -> Bool { places[name] != .nowhere }

    func isSettled(_ name: Int) -> Bool { places[name] == .settled }

    mutating func insertSettled(_ name: Int) {
        places[name] = .settled
        settled.append(name)
    }

    mutating func insert(_ name: Int, rank: Int, isSelectable: Bool) {
        places[name] = isSelectable ? .selectable : .other
        let entry = Ranked(rank: rank, name: name)
        if isSelectable {
            selectable.insert(entry, at: Self.place(of: rank, in: selectable))
        } else {
            others.insert(entry, at: Self.place(of: rank, in: others))
        }
    }

    mutating func remove(_ name: Int, rank: Int) {
        switch places[name] {
        // A settled name is passed over when its turn comes.
        case .nowhere, .settled: break
        case .selectable: selectable.remove(at: Self.place(of: rank, in: selectable))
        case .other: others.remove(at: Self.place(of: rank, in: others))
        }
        places[name] = .nowhere
    }

    mutating func next() -> Int? {
        while nextSettled < settled.count {
            let name = settled[nextSettled]
            nextSettled += 1
            guard places[name] == .settled else { continue }
            places[name] = .nowhere
            return name
        }
        guard let next = selectable.popLast() ?? others.popLast() else { return nil }
        places[next.name] = .nowhere
        return next.name
    }

    /// Where a rank stands or would stand; no two names have the same.
    private static func place(of rank: Int, in list: [Ranked]) -> Int {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].rank < rank { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
