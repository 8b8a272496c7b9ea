/// Which entries of two directory trees are the same: their names differ where a name space cannot hold every name.
///
/// Directories are paired with what they hold when an edit first comes to them. A pair is found by the same name, else
/// by the same bytes in the image (of a directory: of the files below it), else by the name that it would get here, else
/// because nothing else is left. What is hidden from one of the trees has no counterpart.
struct GraftPairing {
    /// The counterparts of the nodes of the main tree.
    private var pairs: [Int: Int] = [:]
    /// The directories of the main tree whose entries were paired.
    private var paired: Set<Int> = []
    /// The directories of the main tree that may be one of those in the other tree that are left, nobody knows which.
    private var uncertain: Set<Int> = []
    private var contents: [[Int: Set<Place>]] = [[:], [:]]

    /// Where bytes stand.
    private struct Place: Hashable {
        let sector: UInt32
        let length: UInt32
    }

    /// What becomes of an entry in the other tree.
    enum Counterpart {
        case node(Int)
        case none
        case uncertain
    }

    init() { pairs[0] = 0 }

    /// Notes that two new nodes are the same.
    mutating func join(_ main: Int, _ other: Int) { pairs[main] = other }

    /// The counterpart of an entry of the main tree, which lies in a directory with the counterpart `parent`.
    ///
    /// - Parameters:
    ///   - entry: What is looked for.
    ///   - directory: The directory of the main tree in which it is seen.
    ///   - main: The main tree.
    ///   - other: The tree in which the counterpart is.
    ///   - parent: The counterpart of that directory.
    /// - Returns: What is known of it.
    mutating func counterpart(
        of entry: GraftTree.Entry, in directory: Int, _ main: GraftTree, _ other: GraftTree, below parent: Int
    ) -> Counterpart {
        if paired.insert(directory).inserted { pair(directory, main, other, parent) }
        if let found = pairs[entry.target] { return .node(found) }
        return uncertain.contains(entry.target) ? .uncertain : .none
    }

    private mutating func pair(_ directory: Int, _ main: GraftTree, _ other: GraftTree, _ parent: Int) {
        var left = main.visible(in: directory).map(\.target).filter {
            pairs[$0] == nil && !main.nodes[$0].isNew
        }
        var right = Set(other.visible(in: parent).map(\.target).filter { !other.nodes[$0].isNew })
        // One that keeps its order in both trees.
        left.sort { main.nodes[$0].name.lexicographicallyPrecedes(main.nodes[$1].name) }
        func join(_ matches: [(Int, Int)]) {
            for (mine, theirs) in matches where right.remove(theirs) != nil { pairs[mine] = theirs }
            left.removeAll { pairs[$0] != nil }
        }
        join(
            matches(left, right, main, other, { [main.encoded(main.text(main.nodes[$0].name))] }) {
                [main.encoded(other.text(other.nodes[$0].name))]
            })
        let files = left.filter { !main.nodes[$0].isDirectory && main.nodes[$0].records.first?.length ?? 0 > 0 }
        join(
            inOrder(files, right.filter { !other.nodes[$0].isDirectory }, other) { index, isMain in
                (isMain ? main : other).nodes[index].records.first.map { Place(sector: $0.extent, length: $0.length) }
            })
        var known = contents
        join(
            inOrder(left.filter { main.nodes[$0].isDirectory }, right.filter { other.nodes[$0].isDirectory }, other) {
                index, isMain in
                let found = Self.content(of: index, isMain ? main : other, &known[isMain ? 0 : 1])
                return found.isEmpty ? nil : found
            })
        contents = known
        join(
            matches(
                left, right, main, other,
                { index in
                    let name = main.text(main.nodes[index].name)
                    let names = [(name: name, isDirectory: main.nodes[index].isDirectory)]
                    return [other.kind == .joliet ? ISOIdentifiers.joliet(names)[0] : ISOIdentifiers.primary(names)[0]]
                }
            ) { [other.identifier($0)] })
        joinRest(left, right, main, other)
    }

    /// Pairs what is left and has no bytes by which it could be known: the n-th with the n-th where there are as many.
    private mutating func joinRest(_ left: [Int], _ right: Set<Int>, _ main: GraftTree, _ other: GraftTree) {
        for isDirectory in [false, true] {
            let mine = left.filter { index in
                main.nodes[index].isDirectory == isDirectory
                    && (isDirectory || main.nodes[index].records.first?.length == 0)
                    && !(main.nodes[index].records.first?.has("SL") ?? false)
            }
            let theirs = right.filter { index in
                other.nodes[index].isDirectory == isDirectory
                    && (isDirectory || other.nodes[index].records.first?.length == 0)
            }.sorted { other.nodes[$0].name.lexicographicallyPrecedes(other.nodes[$1].name) }
            guard !theirs.isEmpty else { continue }
            if mine.count == theirs.count {
                for (mine, theirs) in zip(mine, theirs) { pairs[mine] = theirs }
            } else {
                uncertain.formUnion(mine)
            }
        }
    }

    /// Pairs of the same kind with the same key, where no other has it.
    private func matches(
        _ left: [Int], _ right: Set<Int>, _ main: GraftTree, _ other: GraftTree,
        _ mine: (Int) -> [[UInt8]], _ theirs: (Int) -> [[UInt8]]
    ) -> [(Int, Int)] {
        var found: [[UInt8]: Int] = [:]
        for index in right.sorted() {
            for key in theirs(index) where found[key + [other.nodes[index].isDirectory ? 1 : 0]] == nil {
                found[key + [other.nodes[index].isDirectory ? 1 : 0]] = index
            }
        }
        return left.compactMap { index in
            mine(index).lazy.compactMap { found[$0 + [main.nodes[index].isDirectory ? 1 : 0]] }.first.map {
                (index, $0)
            }
        }
    }

    /// Pairs with the same key; those that several have in the order of their names.
    private func inOrder<Key: Hashable>(
        _ left: [Int], _ right: some Collection<Int>, _ other: GraftTree, _ key: (Int, Bool) -> Key?
    ) -> [(Int, Int)] {
        var found: [Key: [Int]] = [:]
        let sorted = right.sorted { other.nodes[$0].name.lexicographicallyPrecedes(other.nodes[$1].name) }
        for index in sorted { if let key = key(index, false) { found[key, default: []].append(index) } }
        var used: [Key: Int] = [:]
        return left.compactMap { index in
            guard let key = key(index, true), let candidates = found[key] else { return nil }
            let next = used[key, default: 0]
            used[key] = next + 1
            return next < candidates.count ? (index, candidates[next]) : nil
        }
    }

    /// Where the bytes of all files below a directory stand.
    private static func content(
        of directory: Int, _ tree: GraftTree, _ known: inout [Int: Set<Place>]
    ) -> Set<Place> {
        if let known = known[directory] { return known }
        var found: Set<Place> = []
        var pending = [directory]
        var seen: Set<Int> = []
        while let next = pending.popLast() {
            guard seen.insert(next).inserted else { continue }
            for entry in tree.visible(in: next) {
                let node = tree.nodes[entry.target]
                if node.isDirectory {
                    pending.append(entry.target)
                } else if let record = node.records.first, record.length > 0, !node.isNew {
                    found.insert(Place(sector: record.extent, length: record.length))
                }
            }
        }
        known[directory] = found
        return found
    }
}
