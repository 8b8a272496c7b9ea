internal import Artefact

/// Where everything stands in an image: computed before the first byte is written, so that writing is one pass.
struct ISOLayout {
    /// One of the two trees: its directories in path table order, and where its tables stand.
    struct Tree {
        let kind: ISOTreeKind
        let directories: [Int]
        var tableSize: UInt32 = 0
        var littleTable: UInt32 = 0
        var bigTable: UInt32 = 0
    }

    private(set) var nodes: ISONodes
    private(set) var trees: [Tree]
    /// The files in the order of their bytes.
    private(set) var files: [Int] = []
    /// The sectors of the image without padding.
    private(set) var sectors: UInt32 = 0
    private var extents: [[(sector: UInt32, length: UInt32)]]

    /// Computes the layout of a tree.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` for what no image can hold.
    init(_ tree: FileTree, epoch: ISOTime) throws(ISOError) {
        nodes = try ISONodes(tree, epoch: epoch)
        let known = nodes
        trees = ISOTreeKind.allCases.map { Tree(kind: $0, directories: known.directories(of: $0)) }
        extents = Array(repeating: Array(repeating: (0, 0), count: nodes.indices.count), count: 2)
        var next = UInt64(ISOFormat.firstDescriptor) + 3
        for index in trees.indices {
            let size = tableBytes(of: trees[index], bigEndian: false).count
            trees[index].tableSize = UInt32(size)
            trees[index].littleTable = UInt32(next)
            trees[index].bigTable = UInt32(next + ISOFormat.sectors(UInt64(size)))
            next += 2 * ISOFormat.sectors(UInt64(size))
        }
        for tree in trees {
            for directory in tree.directories {
                let bytes = directoryBytes(directory, of: tree.kind)
                try Self.check(next, UInt64(bytes.all.count))
                extents[tree.kind.rawValue][directory] = (UInt32(next), UInt32(bytes.records))
                next += UInt64(bytes.all.count / ISOFormat.sectorSize)
            }
        }
        for index in nodes.indices {
            guard case .file(let content) = nodes[index].kind else { continue }
            let size = content.size
            nodes[index].extent = size == 0 ? ISOFormat.emptyExtent : UInt32(next)
            files.append(index)
            try Self.check(next, size)
            next += ISOFormat.sectors(size)
        }
        sectors = UInt32(next)
    }

    private static func check(_ sector: UInt64, _ length: UInt64) throws(ISOError) {
        // The last sectors are left for the padding.
        guard sector + ISOFormat.sectors(length) < UInt64(UInt32.max) - UInt64(ISOWriter.paddingSectors) else {
            throw .refused("the tree", "is larger than the 8 TiB that 32-bit sector numbers reach")
        }
    }

    /// The record of the root directory that a volume descriptor holds.
    func rootRecord(of tree: ISOTreeKind) -> DirectoryRecord {
        record(0, of: tree, identifier: DirectoryRecord.itself)
    }

    /// A path table, ECMA-119 §9.4.
    func tableBytes(of tree: Tree, bigEndian: Bool) -> [UInt8] {
        PathTable.bytes(tree.directories, bigEndian: bigEndian) { directory in
            PathTable.Entry(
                identifier: nodes[directory].identifiers[tree.kind.rawValue],
                extent: extents[tree.kind.rawValue][directory].sector, parent: nodes[directory].parent)
        }
    }

    /// The whole sectors of one directory: its records, and behind them its continuation areas.
    ///
    /// Areas elsewhere would be as valid, but libarchive reads an image from front to back and knows the long name of a
    /// directory in time only when it stands directly behind the directory above.
    ///
    /// - Returns: All bytes, and how many of them are records.
    func directoryBytes(_ directory: Int, of tree: ISOTreeKind) -> (all: [UInt8], records: Int) {
        let extent = extents[tree.rawValue][directory]
        var areas = ContinuationPool(start: extent.sector + extent.length / UInt32(ISOFormat.sectorSize))
        var bytes: [UInt8] = []
        func add(_ record: DirectoryRecord) {
            let next = record.bytes
            if bytes.count % ISOFormat.sectorSize + next.count > ISOFormat.sectorSize { bytes.padToSector() }
            bytes += next
        }
        var itself = record(directory, of: tree, identifier: DirectoryRecord.itself)
        var above = record(nodes[directory].parent, of: tree, identifier: DirectoryRecord.above)
        if tree == .primary {
            itself.systemUse = areas.pack(entries(directory, isRoot: directory == 0), identifier: itself.identifier)
            above.systemUse = areas.pack(entries(nodes[directory].parent), identifier: above.identifier)
        }
        add(itself)
        add(above)
        for child in nodes.children(of: directory, in: tree) {
            var record = record(child, of: tree, identifier: nodes[child].identifiers[tree.rawValue])
            if tree == .primary {
                record.systemUse = areas.pack(entries(child, isNamed: true), identifier: record.identifier)
            }
            guard case .file(let content) = nodes[child].kind, content.size > ISOFormat.largestSingleExtent else {
                add(record)
                continue
            }
            var left = content.size
            while left > 0 {
                let length = min(left, ISOFormat.longestExtent)
                record.length = UInt32(truncatingIfNeeded: length)
                record.flags = left > length ? ISOFormat.Flag.multiExtent : 0
                add(record)
                left -= length
                record.extent &+= UInt32(truncatingIfNeeded: ISOFormat.sectors(length))
            }
        }
        bytes.padToSector()
        return (bytes + areas.sectors, bytes.count)
    }

    private func record(_ index: Int, of tree: ISOTreeKind, identifier: [UInt8]) -> DirectoryRecord {
        let node = nodes[index]
        switch node.kind {
        case .directory:
            let extent = extents[tree.rawValue][index]
            return DirectoryRecord(
                extent: extent.sector, length: extent.length, recorded: node.modified, flags: ISOFormat.Flag.directory,
                identifier: identifier)
        case .file(let content):
            return DirectoryRecord(
                extent: node.extent, length: UInt32(truncatingIfNeeded: content.size), recorded: node.modified,
                flags: 0, identifier: identifier)
        case .symlink:
            return DirectoryRecord(
                extent: ISOFormat.emptyExtent, length: 0, recorded: node.modified, flags: 0, identifier: identifier)
        }
    }

    /// The system use entries of one record.
    private func entries(_ index: Int, isRoot: Bool = false, isNamed: Bool = false) -> [[UInt8]] {
        let node = nodes[index]
        let links = node.isDirectory ? 2 + node.subdirectories : 1
        var entries = [
            RockRidgeWriter.attributes(
                node.kind, mode: node.mode, links: UInt32(truncatingIfNeeded: links), owner: node.owner,
                group: node.group, serial: UInt32(truncatingIfNeeded: index + 1)),
            RockRidgeWriter.times(node.modified),
        ]
        if isRoot {
            let (first, last) = RockRidgeWriter.rootEntries()
            entries = [first] + entries + [last]
        }
        if isNamed { entries += RockRidgeWriter.name(Array(node.name.utf8)) }
        if isNamed, case .symlink(let target) = node.kind { entries += RockRidgeWriter.link(target) }
        return entries
    }
}
