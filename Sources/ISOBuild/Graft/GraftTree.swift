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
    }

    let nameSpace: ISONameSpace
    var nodes: [Node]
    /// Whether each record has Rock Ridge entries.
    var hasRockRidge: Bool { nameSpace == .rockRidge }

    /// The node that a name leads to from a directory: a directory that was moved is found where its link is.
    func child(_ name: [UInt8], of directory: Int) -> Int? {
        for child in nodes[directory].children where nodes[child].name == name {
            guard let record = nodes[child].records.first else { continue }
            if record.has("RE") || record.isAssociated { continue }
            guard let moved = record.number("CL", at: 4) else { return child }
            return nodes.firstIndex { $0.isDirectory && $0.source?.sector == moved }
        }
        return nil
    }

    /// The node at a path, the root for none.
    func node(at path: [[UInt8]]) -> Int? {
        var current = 0
        for name in path {
            guard nodes[current].isDirectory, let next = child(name, of: current) else { return nil }
            current = next
        }
        return current
    }

    /// Adds a node to its parent.
    @discardableResult
    mutating func append(_ node: Node) -> Int {
        nodes.append(node)
        let index = nodes.count - 1
        nodes[node.parent].children.append(index)
        if node.isDirectory { changeLinks(of: node.parent, by: 1) }
        return index
    }

    /// Takes a node, and all that it holds, out of the tree.
    mutating func remove(_ index: Int) {
        let parent = nodes[index].parent
        nodes[parent].children.removeAll { $0 == index }
        if nodes[index].isDirectory { changeLinks(of: parent, by: -1) }
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
        let kind: ISOTreeKind = nameSpace == .joliet ? .joliet : .primary
        return nodes[directory].children.enumerated().sorted { left, right in
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

    /// The number of links that `PX` tells of a directory (RRIP §4.1.1) stands in its record, in its own first one, and
    /// in the second one of each directory below it, which the layout takes from the first.
    private mutating func changeLinks(of directory: Int, by change: Int) {
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
