internal import Artefact

/// One of the directory trees of an image, with every record as the source has it, and with what a graft changed.
struct GraftTree {
    /// A file, directory or link of the tree.
    struct Node {
        /// The name in this tree's name space, as bytes.
        var name: [UInt8]
        /// The records in the directory above: one, or several for a file of several extents; none for the root.
        var records: [GraftRecord]
        let isDirectory: Bool
        let parent: Int
        var children: [Int] = []
        /// The first two records of a directory: itself and the one above.
        var itself: GraftRecord?
        var above: GraftRecord?
        /// Where the records of a directory stood in the source; `nil` for one that is new.
        var source: ISOExtent?
        /// The file in the list of those that the graft brings.
        var added: Int?
        /// Whether the graft made it.
        var isNew = false
    }

    /// What a name leads to: a record of the directory, and what it stands for.
    struct Entry: Hashable {
        /// The node whose record is in the directory.
        let record: Int
        /// The same, or the directory that was moved elsewhere (`CL`, RRIP §4.1.5.1).
        let target: Int
    }

    let nameSpace: ISONameSpace
    /// The bytes before the system use entries of each record (SUSP §5.3).
    let skip: Int
    var nodes: [Node]
    /// The directories by the sector at which their records stood in the source.
    private(set) var bySector: [UInt32: Int] = [:]
    private var entries: [Int: [[UInt8]: Entry]] = [:]
    private var taken: [Int: Set<[UInt16]>] = [:]

    /// Whether each record has Rock Ridge entries.
    var hasRockRidge: Bool { nameSpace == .rockRidge }

    /// The rules of its identifiers.
    var kind: ISOTreeKind { nameSpace == .joliet ? .joliet : .primary }

    init(nameSpace: ISONameSpace, skip: Int, nodes: [Node]) {
        self.nameSpace = nameSpace
        self.skip = skip
        self.nodes = nodes
    }

    /// Makes the directories known by their sectors; once, when all are read.
    mutating func indexSectors() {
        for index in nodes.indices {
            if let sector = nodes[index].source?.sector { bySector[sector] = index }
        }
    }

    /// What stands before the system use entries of a new record: like in the root's own one, the attributes of CD-ROM XA
    /// (System Description CD-ROM XA §2.7), or whatever else it has.
    func leading(isDirectory: Bool) -> [[UInt8]] {
        guard skip > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: skip)
        if let present = nodes[0].itself?.systemUse.first, present.count == skip { bytes = present }
        if skip == 14, bytes[6...7].elementsEqual("XA".utf8) {
            bytes[4] = bytes[4] & 0x7F | (isDirectory ? 0x80 : 0)
        }
        return [bytes]
    }

    /// What a directory holds by the names that a reader sees: a directory that was moved is seen where its link is.
    func visible(in directory: Int) -> [Entry] {
        nodes[directory].children.compactMap { child in
            guard let record = nodes[child].records.first, !record.has("RE"), !record.isAssociated else { return nil }
            guard let moved = link(of: child) else { return Entry(record: child, target: child) }
            return Entry(record: child, target: moved)
        }
    }

    /// The entry that a name leads to from a directory.
    mutating func entry(_ name: [UInt8], in directory: Int) -> Entry? {
        if let known = entries[directory] { return known[name] }
        var known: [[UInt8]: Entry] = [:]
        for entry in visible(in: directory) where known[nodes[entry.record].name] == nil {
            known[nodes[entry.record].name] = entry
        }
        entries[directory] = known
        return known[name]
    }

    /// The directory to which a record leads that stands for one moved elsewhere.
    func link(of index: Int) -> Int? {
        guard hasRockRidge else { return nil }
        return nodes[index].records.first?.number("CL", at: 4).flatMap { bySector[$0] }
    }

    /// An identifier for a new entry, which nothing in the directory has.
    mutating func newIdentifier(_ name: String, isDirectory: Bool, in directory: Int) -> [UInt8] {
        var present =
            taken.removeValue(forKey: directory)
            ?? Set(nodes[directory].children.map { ISOIdentifiers.significant(identifier($0), in: kind) })
        defer { taken[directory] = present }
        let names = [(name: name, isDirectory: isDirectory)]
        return kind == .joliet
            ? ISOIdentifiers.joliet(names, besides: &present)[0] : ISOIdentifiers.primary(names, besides: &present)[0]
    }

    /// Adds a node to its parent.
    @discardableResult
    mutating func append(_ node: Node) -> Int {
        nodes.append(node)
        let index = nodes.count - 1
        nodes[node.parent].children.append(index)
        entries[node.parent]?[node.name] = Entry(record: index, target: index)
        if node.isDirectory { changeLinks(of: node.parent, by: 1) }
        return index
    }

    /// Takes entries, and all that they hold, out of the tree; directories that were moved out of them as well.
    mutating func remove(_ gone: [Int]) {
        var pending = gone
        var roots = gone
        var seen: Set<Int> = []
        while let next = pending.popLast() {
            guard seen.insert(next).inserted else { continue }
            if let moved = link(of: next) {
                pending.append(moved)
                roots.append(moved)
            }
            pending += nodes[next].children
        }
        for (parent, leaving) in Dictionary(grouping: Set(roots), by: { nodes[$0].parent }) {
            let leaving = Set(leaving)
            nodes[parent].children.removeAll(where: leaving.contains)
            entries[parent] = nil
            taken[parent] = nil
            changeLinks(of: parent, by: -leaving.count { nodes[$0].isDirectory })
        }
    }

    /// Whether a directory that was moved there, and is seen elsewhere, lies in a directory.
    func holdsMoved(_ directory: Int) -> Bool {
        hasRockRidge && nodes[directory].children.contains { nodes[$0].records.first?.has("RE") ?? false }
    }

    /// The directories in the order of a path table (ECMA-119 §6.9.1): by level, then parent, then identifier.
    var directories: [Int] {
        var order = [0]
        var next = 0
        while next < order.count {
            order += sortedChildren(of: order[next]).filter { nodes[$0].isDirectory }
            next += 1
        }
        return order
    }

    /// What a directory holds, in the order of its records (ECMA-119 §9.3); an associated file before its main one.
    func sortedChildren(of directory: Int) -> [Int] {
        nodes[directory].children.enumerated().sorted { left, right in
            let (a, b) = (identifier(left.element), identifier(right.element))
            if ISONodes.precedes(a, b, in: kind) { return true }
            if ISONodes.precedes(b, a, in: kind) { return false }
            return left.offset < right.offset
        }.map(\.element)
    }

    /// The identifier of a node; the root's is that of a directory itself.
    func identifier(_ index: Int) -> [UInt8] { nodes[index].records.first?.identifier ?? DirectoryRecord.itself }

    /// The path of a node, for messages.
    func path(of index: Int) -> String {
        var names: [String] = []
        var current = index
        while current != 0 {
            names.append(text(nodes[current].name))
            current = nodes[current].parent
        }
        return names.reversed().joined(separator: "/")
    }

    /// A name as text.
    func text(_ name: [UInt8]) -> String {
        nameSpace == .joliet ? Fields(bytes: name).wideText : String(decoding: name, as: UTF8.self)
    }

    /// A name in the bytes of the name space.
    func encoded(_ name: String) -> [UInt8] {
        guard nameSpace == .joliet else { return Array(name.utf8) }
        var bytes: [UInt8] = []
        for unit in name.utf16 { bytes.appendBig16(unit) }
        return bytes
    }

    /// The number of links that `PX` tells of a directory (RRIP §4.1.1) stands in its record, in its own first one, and
    /// in the second one of each directory below it, which the layout takes from the first.
    private mutating func changeLinks(of directory: Int, by change: Int) {
        guard change != 0, hasRockRidge else { return }
        func apply(_ record: inout GraftRecord) {
            guard let links = record.number("PX", at: 12), links > 1 else { return }
            record.setNumber("PX", at: 12, UInt32(clamping: Int64(links) + Int64(change)))
        }
        for index in nodes[directory].records.indices { apply(&nodes[directory].records[index]) }
        guard var itself = nodes[directory].itself else { return }
        apply(&itself)
        nodes[directory].itself = itself
    }
}
