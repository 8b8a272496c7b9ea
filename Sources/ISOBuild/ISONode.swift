internal import Artefact

/// One entry of the image that is to be written, with its names in every name space and its place.
struct ISONode {
    enum Kind: Hashable {
        case directory
        case file(Content)
        case symlink([UInt8])
    }

    let path: String
    let name: String
    let kind: Kind
    let mode: EntryMode
    let owner: UInt32
    let group: UInt32
    let modified: ISOTime
    let parent: Int
    var children: [Int] = []
    /// How many of its children are directories.
    var subdirectories = 0
    /// Its identifiers in the primary and in the Joliet tree.
    var identifiers: [[UInt8]] = [DirectoryRecord.itself, DirectoryRecord.itself]
    /// The first sector of a file's bytes.
    var extent: UInt32 = 0

    var isDirectory: Bool { kind == .directory }

    var size: UInt64 {
        guard case .file(let content) = kind else { return 0 }
        return content.size
    }
}

/// The nodes of a tree: the root first, each directory before what it holds.
struct ISONodes {
    private(set) var nodes: [ISONode]

    /// The most directories that the 16-bit parent number of a path table can tell apart (ECMA-119 §9.4.4).
    static let maximumDirectories = 65_535
    /// The longest target of a link, in bytes: xorriso refuses an image with a longer one as a whole, although Linux
    /// reads 4095.
    static let longestTarget = 1023

    /// Takes a tree.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` for what no image can hold.
    init(_ tree: FileTree, epoch: ISOTime) throws(ISOError) {
        nodes = [
            ISONode(
                path: "", name: "", kind: .directory, mode: .directory, owner: 0, group: 0, modified: epoch, parent: 0)
        ]
        var ancestors = [0]
        var directories = 1
        for entry in tree.entries {
            let path = entry.path.string
            let depth = path.utf8.count { $0 == UInt8(ascii: "/") } + 1
            guard depth < ISOLimits.standard.depth else {
                throw .refused(path, "lies more than \(ISOLimits.standard.depth - 1) levels deep; flatten the tree")
            }
            ancestors.removeLast(ancestors.count - depth)
            let parent = ancestors[depth - 1]
            guard let modified = entry.modified.map({ ISOTime(seconds: $0) }) ?? epoch else {
                throw .refused(path, "has a time outside the years 1900 to 2155, which ISO 9660 cannot state")
            }
            let index = nodes.count
            nodes.append(
                ISONode(
                    path: path, name: entry.path.name, kind: try Self.kind(of: entry), mode: entry.mode,
                    owner: entry.owner, group: entry.group, modified: modified, parent: parent))
            nodes[parent].children.append(index)
            ancestors.append(index)
            guard entry.isDirectory else { continue }
            nodes[parent].subdirectories += 1
            directories += 1
        }
        guard directories <= Self.maximumDirectories else {
            throw .refused(
                "the tree",
                "has \(directories) directories, and a path table numbers \(Self.maximumDirectories) at most;"
                    + " pack some of them into an archive")
        }
        nameChildren()
    }

    /// Places the bytes of each file.
    subscript(index: Int) -> ISONode {
        get { nodes[index] }
        set { nodes[index] = newValue }
    }

    var indices: Range<Int> { nodes.indices }

    /// The directories in the order of a path table (ECMA-119 §6.9.1): by level, then parent, then identifier.
    func directories(of tree: ISOTreeKind) -> [Int] {
        var order = [0]
        var next = 0
        while next < order.count {
            order += children(of: order[next], in: tree).filter { nodes[$0].isDirectory }
            next += 1
        }
        return order
    }

    /// What a directory holds, in the order of its records (ECMA-119 §9.3).
    ///
    /// Every identifier of one directory is different and its filler sorts before every character, so the order is that
    /// of the names up to `;`, in the primary tree with the full stop before all else.
    func children(of directory: Int, in tree: ISOTreeKind) -> [Int] {
        nodes[directory].children.sorted {
            Self.precedes(nodes[$0].identifiers[tree.rawValue], nodes[$1].identifiers[tree.rawValue], in: tree)
        }
    }

    static func precedes(_ left: [UInt8], _ right: [UInt8], in tree: ISOTreeKind) -> Bool {
        func weight(_ byte: UInt8) -> UInt8 {
            switch byte {
            case UInt8(ascii: ";"): 0
            case UInt8(ascii: "."): 1
            default: byte
            }
        }
        switch tree {
        case .primary: return left.lazy.map(weight).lexicographicallyPrecedes(right.lazy.map(weight))
        case .joliet:
            return name(left).lexicographicallyPrecedes(name(right))
        }
    }

    /// A Joliet identifier without `;` and version: no name holds that character (Joliet §2.2).
    private static func name(_ identifier: [UInt8]) -> ArraySlice<UInt8> {
        let start = stride(from: 0, to: identifier.count - 1, by: 2).first { offset in
            identifier[offset] == 0 && identifier[offset + 1] == UInt8(ascii: ";")
        }
        return identifier.prefix(start ?? identifier.count)
    }

    private mutating func nameChildren() {
        for directory in nodes.indices where nodes[directory].isDirectory {
            let children = nodes[directory].children
            let names = children.map { (name: nodes[$0].name, isDirectory: nodes[$0].isDirectory) }
            let primary = ISOIdentifiers.primary(names)
            let joliet = ISOIdentifiers.joliet(names)
            for (position, child) in children.enumerated() {
                nodes[child].identifiers = [primary[position], joliet[position]]
            }
        }
    }

    private static func kind(of entry: TreeEntry) throws(ISOError) -> ISONode.Kind {
        switch entry.kind {
        case .directory: return .directory
        case .file(let content): return .file(content)
        case .symlink(let target): return .symlink(try checked(target, of: entry))
        }
    }

    /// The bytes of the target of a link.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` for one that no reader takes.
    static func checked(_ target: String, of entry: TreeEntry) throws(ISOError) -> [UInt8] {
        let bytes = Array(target.utf8)
        guard !bytes.isEmpty, !bytes.contains(0), bytes.count <= longestTarget else {
            throw .refused(
                entry.path.string,
                "has a target of \(bytes.count) bytes; give it 1 to \(longestTarget) bytes without NUL")
        }
        return bytes
    }
}

/// The two trees of an image, as the index of their identifiers.
enum ISOTreeKind: Int, CaseIterable {
    case primary
    case joliet
}

extension ISOError {
    static func refused(_ subject: String, _ detail: String) -> ISOError {
        ISOError(.unrepresentable, subject: subject, detail: "cannot be written to an ISO image: it \(detail)")
    }
}
