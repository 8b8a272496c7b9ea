internal import Artefact

/// Where the appended parts of a graft stand: each tree's path tables and directories, then files.
///
/// Files come last because libarchive, which reads from front to back, refuses an image in which the continuation area
/// of a file's record lies behind the bytes of the file. For the same reason a file that was there and whose record needs
/// such an area is appended once more, and its records point there.
struct GraftLayout {
    /// One of the trees with its tables.
    struct Tree {
        let tree: GraftTree
        /// The sector of its root in the source.
        let sourceRoot: UInt32
        /// Its directories in path table order.
        let directories: [Int]
        /// Where each directory's records stand.
        var extents: [Int: (sector: UInt32, length: UInt32)] = [:]
        var tableSize: UInt32 = 0
        var littleTable: UInt32 = 0
        var bigTable: UInt32 = 0

        /// The extent of the root directory.
        var root: (sector: UInt32, length: UInt32) { extents[0] ?? (0, 0) }
    }

    private(set) var trees: [Tree] = []
    /// The first sector of each file that the graft brings.
    private(set) var files: [UInt32] = []
    /// The files of the source that are appended once more, in their order.
    let repeated: [ISOExtent]
    private var places: [ISOExtent: UInt32] = [:]
    /// The sector behind the last appended one.
    private(set) var end: UInt32 = 0

    /// The last sector numbers are left for what follows the volume: padding and partition tables.
    private static let reserve: UInt64 = 4096

    /// Lays the appended parts out from `start` on.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` where sector or directory numbers do not suffice.
    init(_ source: [GraftTree], files sizes: [UInt64], from start: UInt64) throws(ISOError) {
        var next = start
        repeated = Self.repeated(in: source)
        for source in source {
            let directories = source.directories
            guard directories.count <= ISONodes.maximumDirectories else {
                throw .refused("the tree", "has \(directories.count) directories, more than a path table numbers")
            }
            var tree = Tree(
                tree: source, sourceRoot: source.nodes[0].source?.sector ?? 0, directories: directories)
            let size = Self.tableBytes(of: tree, bigEndian: false).count
            tree.tableSize = UInt32(size)
            tree.littleTable = UInt32(truncatingIfNeeded: next)
            tree.bigTable = UInt32(truncatingIfNeeded: next + ISOFormat.sectors(UInt64(size)))
            next += 2 * ISOFormat.sectors(UInt64(size))
            for directory in tree.directories {
                let bytes = try directoryBytes(directory, of: tree)
                try Self.check(next + UInt64(bytes.all.count / ISOFormat.sectorSize))
                tree.extents[directory] = (UInt32(next), UInt32(bytes.records))
                next += UInt64(bytes.all.count / ISOFormat.sectorSize)
            }
            trees.append(tree)
        }
        for size in sizes {
            files.append(UInt32(truncatingIfNeeded: next))
            next += ISOFormat.sectors(size)
            try Self.check(next)
        }
        for extent in repeated {
            places[extent] = UInt32(truncatingIfNeeded: next)
            next += ISOFormat.sectors(UInt64(extent.length))
            try Self.check(next)
        }
        end = UInt32(truncatingIfNeeded: next)
    }

    /// The extents of files whose records need a continuation area, and of those below directories that were moved
    /// (`RE`): the path of these libarchive knows only when it has read all directories.
    private static func repeated(in trees: [GraftTree]) -> [ISOExtent] {
        var found: Set<ISOExtent> = []
        for tree in trees where tree.hasRockRidge {
            var moved: Set<Int> = []
            for directory in tree.directories {
                let node = tree.nodes[directory]
                if moved.contains(node.parent) || node.records.first?.has("RE") ?? false { moved.insert(directory) }
                let wasMoved = moved.contains(directory)
                for child in tree.nodes[directory].children where !tree.nodes[child].isDirectory {
                    guard !tree.nodes[child].isNew else { continue }
                    for record in tree.nodes[child].records
                    where record.length > 0 && (wasMoved || record.needsContinuation) {
                        found.insert(ISOExtent(sector: record.extent, length: record.length))
                    }
                }
            }
        }
        return found.sorted { ($0.sector, $0.length) < ($1.sector, $1.length) }
    }

    private static func check(_ sector: UInt64) throws(ISOError) {
        guard sector < UInt64(UInt32.max) - reserve else {
            throw .refused("the image", "would be larger than the 8 TiB that 32-bit sector numbers reach")
        }
    }

    /// The bytes of a tree's tables and directories in their order, in whole sectors.
    func forEachPart(of tree: Tree, _ body: ([UInt8]) throws -> Void) throws {
        for bigEndian in [false, true] {
            var table = Self.tableBytes(of: tree, bigEndian: bigEndian)
            table.padToSector()
            try body(table)
        }
        for directory in tree.directories {
            try body(try directoryBytes(directory, of: tree).all)
        }
    }

    /// A path table, ECMA-119 §9.4.
    private static func tableBytes(of tree: Tree, bigEndian: Bool) -> [UInt8] {
        PathTable.bytes(tree.directories, bigEndian: bigEndian) { directory in
            PathTable.Entry(
                identifier: tree.tree.identifier(directory), extent: tree.extents[directory]?.sector ?? 0,
                parent: tree.tree.nodes[directory].parent)
        }
    }

    /// The whole sectors of one directory: its records, and behind them its continuation areas.
    private func directoryBytes(
        _ directory: Int, of tree: Tree
    ) throws(ISOError) -> (all: [UInt8], records: Int) {
        let extent = tree.extents[directory] ?? (0, 0)
        var areas = ContinuationPool(start: extent.sector &+ extent.length / UInt32(ISOFormat.sectorSize))
        var bytes: [UInt8] = []
        func add(_ record: GraftRecord) throws(ISOError) {
            let next = record.bytes(&areas)
            guard next.count <= ISOFormat.longestRecord, tree.tree.hasRockRidge || areas.isEmpty else {
                throw .refused(
                    tree.tree.path(of: directory),
                    "has no room for what belongs to one of its entries; shorten its name")
            }
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
        if let itself = place(node.itself, at: directory) { try add(itself) }
        if var above = place(node.above, at: node.parent) {
            if let parent = above.number("PL", at: 4), let moved = tree.extent(replacing: parent) {
                above.setNumber("PL", at: 4, moved)
            } else if let links = tree.tree.nodes[node.parent].itself?.number("PX", at: 12) {
                above.setNumber("PX", at: 12, links)
            }
            try add(above)
        }
        for child in tree.tree.sortedChildren(of: directory) {
            let node = tree.tree.nodes[child]
            if node.isDirectory {
                for record in node.records { if let placed = place(record, at: child) { try add(placed) } }
            } else if let file = node.added {
                for record in Self.placed(node.records, at: files.isEmpty ? 0 : files[file]) { try add(record) }
            } else {
                for var record in node.records {
                    if let moved = record.number("CL", at: 4).flatMap(tree.extent(replacing:)) {
                        record.setNumber("CL", at: 4, moved)
                    }
                    if let place = places[ISOExtent(sector: record.extent, length: record.length)] {
                        record.extent = place
                    }
                    try add(record)
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
        tree.bySector[sector].flatMap { extents[$0]?.sector }
    }
}
