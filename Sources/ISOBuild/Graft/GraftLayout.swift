internal import Artefact

/// Where the appended parts of a graft stand: the files it brings, then each tree's path tables and directories.
struct GraftLayout {
    /// One of the trees with its tables.
    struct Tree {
        let tree: GraftTree
        /// The sector of its root in the source.
        let sourceRoot: UInt32
        /// Its directories in path table order.
        let directories: [Int]
        /// The directories by the sector at which their records stood in the source.
        let bySource: [UInt32: Int]
        /// Where each directory's records stand.
        var extents: [Int: (sector: UInt32, length: UInt32)] = [:]
        var tableSize: UInt32 = 0
        var littleTable: UInt32 = 0
        var bigTable: UInt32 = 0

        /// The extent of the root directory.
        var root: (sector: UInt32, length: UInt32) { extents[0] ?? (0, 0) }
    }

    private(set) var trees: [Tree]
    /// The first sector of each file that the graft brings.
    let files: [UInt32]
    /// The sector behind the last appended one.
    let end: UInt32

    /// The last sector numbers are left for what follows the volume: padding and partition tables.
    private static let reserve: UInt64 = 4096

    /// Lays the appended parts out from `start` on.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` where sector or directory numbers do not suffice.
    init(_ source: [GraftTree], files sizes: [UInt64], from start: UInt64) throws(ISOError) {
        var next = start
        var files: [UInt32] = []
        for size in sizes {
            files.append(UInt32(truncatingIfNeeded: next))
            next += ISOFormat.sectors(size)
            try Self.check(next)
        }
        var trees: [Tree] = []
        for source in source {
            let directories = source.directories
            guard directories.count <= ISONodes.maximumDirectories else {
                throw .refused("the tree", "has \(directories.count) directories, more than a path table numbers")
            }
            var bySource: [UInt32: Int] = [:]
            for index in directories {
                if let sector = source.nodes[index].source?.sector { bySource[sector] = index }
            }
            var tree = Tree(
                tree: source, sourceRoot: source.nodes[0].source?.sector ?? 0, directories: directories,
                bySource: bySource)
            let size = Self.tableBytes(of: tree, bigEndian: false).count
            tree.tableSize = UInt32(size)
            tree.littleTable = UInt32(truncatingIfNeeded: next)
            tree.bigTable = UInt32(truncatingIfNeeded: next + ISOFormat.sectors(UInt64(size)))
            next += 2 * ISOFormat.sectors(UInt64(size))
            for directory in directories {
                let bytes = Self.directoryBytes(directory, of: tree, files: files)
                try Self.check(next + UInt64(bytes.all.count / ISOFormat.sectorSize))
                tree.extents[directory] = (UInt32(next), UInt32(bytes.records))
                next += UInt64(bytes.all.count / ISOFormat.sectorSize)
            }
            trees.append(tree)
        }
        self.trees = trees
        self.files = files
        end = UInt32(next)
    }

    private static func check(_ sector: UInt64) throws(ISOError) {
        guard sector < UInt64(UInt32.max) - reserve else {
            throw .refused("the image", "would be larger than the 8 TiB that 32-bit sector numbers reach")
        }
    }

    /// The bytes of a tree's tables and directories in their order, in whole sectors.
    func forEachPart(of tree: Tree, _ body: ([UInt8]) throws -> Void) rethrows {
        for bigEndian in [false, true] {
            var table = Self.tableBytes(of: tree, bigEndian: bigEndian)
            table.padToSector()
            try body(table)
        }
        for directory in tree.directories {
            try body(Self.directoryBytes(directory, of: tree, files: files).all)
        }
    }

    /// A path table, ECMA-119 §9.4.
    private static func tableBytes(of tree: Tree, bigEndian: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var numbers: [Int: UInt16] = [:]
        for (index, directory) in tree.directories.enumerated() {
            numbers[directory] = UInt16(truncatingIfNeeded: index + 1)
            let identifier = tree.tree.identifier(directory)
            let extent = tree.extents[directory]?.sector ?? 0
            let parent = numbers[tree.tree.nodes[directory].parent, default: 1]
            bytes += [UInt8(truncatingIfNeeded: identifier.count), 0]
            if bigEndian {
                bytes.appendBig32(extent)
                bytes.appendBig16(parent)
            } else {
                bytes.appendLittle32(extent)
                bytes.appendLittle16(parent)
            }
            bytes += identifier
            if identifier.count % 2 != 0 { bytes.append(0) }
        }
        return bytes
    }

    /// The whole sectors of one directory: its records, and behind them its continuation areas.
    private static func directoryBytes(
        _ directory: Int, of tree: Tree, files: [UInt32]
    ) -> (all: [UInt8], records: Int) {
        let extent = tree.extents[directory] ?? (0, 0)
        var areas = ContinuationPool(start: extent.sector &+ extent.length / UInt32(ISOFormat.sectorSize))
        var bytes: [UInt8] = []
        func add(_ record: GraftRecord) {
            let next = record.bytes(&areas)
            if bytes.count % ISOFormat.sectorSize + next.count > ISOFormat.sectorSize { bytes.padToSector() }
            bytes += next
        }
        func place(_ record: GraftRecord?, at index: Int) -> GraftRecord? {
            guard var record else { return nil }
            let extent = tree.extents[index] ?? (0, 0)
            record.extent = extent.sector
            record.length = extent.length
            return record
        }
        let node = tree.tree.nodes[directory]
        if let itself = place(node.itself, at: directory) { add(itself) }
        if var above = place(node.above, at: node.parent) {
            if let parent = above.number("PL", at: 4), let moved = tree.extent(replacing: parent) {
                above.setNumber("PL", at: 4, moved)
            } else if let links = tree.tree.nodes[node.parent].itself?.number("PX", at: 12) {
                above.setNumber("PX", at: 12, links)
            }
            add(above)
        }
        for child in tree.tree.sortedChildren(of: directory) {
            let node = tree.tree.nodes[child]
            if node.isDirectory {
                for record in node.records { place(record, at: child).map(add) }
            } else if let file = node.added {
                for record in placed(node.records, at: files[file]) { add(record) }
            } else {
                for var record in node.records {
                    if let moved = record.number("CL", at: 4).flatMap(tree.extent(replacing:)) {
                        record.setNumber("CL", at: 4, moved)
                    }
                    add(record)
                }
            }
        }
        bytes.padToSector()
        return (bytes + areas.sectors, bytes.count)
    }

    /// The records of a new file, one behind the other from its first sector on; empty ones stand nowhere.
    private static func placed(_ records: [GraftRecord], at start: UInt32) -> [GraftRecord] {
        var sector = start
        return records.map { record in
            var record = record
            record.extent = record.length == 0 ? ISOFormat.emptyExtent : sector
            sector &+= UInt32(truncatingIfNeeded: ISOFormat.sectors(UInt64(record.length)))
            return record
        }
    }
}

extension GraftLayout.Tree {
    /// Where the directory stands now that the source had at a sector.
    fileprivate func extent(replacing sector: UInt32) -> UInt32? {
        bySource[sector].flatMap { extents[$0]?.sector }
    }
}
