internal import Artefact
internal import SystemPackage

/// What a graft does to the trees of an image: it adds, replaces and removes entries in all of them alike.
struct GraftEdit {
    /// The trees, of which the first is the one whose names the paths are.
    private(set) var trees: [GraftTree]
    /// The bytes of the new files, in the order in which they are appended.
    private(set) var files: [Content] = []
    private let path: String
    private let bootSectors: Set<UInt32>
    private let epoch: ISOTime
    private var nextSerial: UInt32?
    private var pairing = GraftPairing()

    /// The name space in which paths are looked up: Rock Ridge, else Joliet, else the plain names.
    private let main: Int

    init(_ source: GraftSource, epoch: ISOTime) {
        trees = source.trees
        path = source.path.string
        bootSectors = source.bootSectors
        self.epoch = epoch
        main = source.trees[0].nameSpace == .rockRidge || source.trees.count == 1 ? 0 : 1
        // A serial number for each entry is told by `PX` of 44 bytes (RRIP 1.12) and by none of 36 (RRIP 1.10).
        let serials = source.trees[0].nodes.compactMap { ($0.records.first ?? $0.itself)?.number("PX", at: 36) }
        nextSerial = serials.max().map { $0 &+ 1 }
    }

    /// Removes a file, or a directory with all that it holds; its bytes stay in the image.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/notFound`` where there is none.
    mutating func remove(_ path: EntryPath) throws(ISOError) {
        let place = try place(of: path)
        guard let entry = present(place) else {
            throw ISOError(.notFound, subject: self.path, detail: "has no \(String(reflecting: path.string)) to remove")
        }
        try refuseBoot(entry, path.string)
        for tree in trees.indices where tree != main {
            if let other = try counterpart(of: entry, at: place, in: tree) { trees[tree].remove([other]) }
        }
        trees[main].remove([entry.record])
    }

    /// Adds an entry, or puts it in the place of the file or link that is there; a directory that is there stays.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` for what the image cannot hold.
    mutating func put(_ entry: TreeEntry) throws(ISOError) {
        let place = try place(of: entry.path)
        let present = present(place)
        if let present {
            guard trees[main].nodes[present.target].isDirectory == entry.isDirectory else {
                throw .refused(
                    entry.path.string,
                    "is a \(entry.isDirectory ? "directory" : "file") here and a"
                        + " \(entry.isDirectory ? "file" : "directory") there")
            }
            if entry.isDirectory { return }
            try refuseBoot(present, entry.path.string)
        }
        var added: Int?
        if case .file(let content) = entry.kind {
            added = files.count
            files.append(content)
        }
        // All counterparts are looked up before a tree changes.
        var counterparts: [Int?] = trees.map { _ in nil }
        var isLink = false
        if let present {
            isLink = trees[main].nodes[present.target].records.first?.has("SL") ?? false
            for tree in trees.indices {
                counterparts[tree] =
                    tree == main ? present.record : try counterpart(of: present, at: place, in: tree)
            }
        }
        var made: [Int?] = trees.map { _ in nil }
        for tree in trees.indices {
            guard let parent = place.directories[tree] else { continue }
            let replaced = counterparts[tree]
            // What the source hides from one of its trees stays hidden there; a link is in Rock Ridge alone.
            if present != nil, replaced == nil, !isLink { continue }
            if case .symlink = entry.kind, !trees[tree].hasRockRidge {
                if tree == main { throw .refused(entry.path.string, "is a link, and the image has no Rock Ridge") }
                if let replaced { trees[tree].remove([replaced]) }
                continue
            }
            made[tree] = try insert(entry, added, into: tree, below: parent, replacing: replaced)
        }
        for tree in trees.indices where tree != main {
            if let mine = made[main], let other = made[tree] { pairing.join(mine, other) }
        }
        if let serial = nextSerial { nextSerial = serial &+ 1 }
    }

    // MARK: - Places

    /// The directories that hold an entry, one for each tree that has it, and the entry's name.
    private struct Place {
        var directories: [Int?]
        var name: String
        /// The directory of the main tree.
        var mainDirectory: Int
    }

    private mutating func place(of path: EntryPath) throws(ISOError) -> Place {
        var components = path.components
        let name = components.removeLast()
        var place = Place(directories: trees.map { _ in 0 }, name: "", mainDirectory: 0)
        for component in components {
            place.name = component
            guard let next = present(place), trees[main].nodes[next.target].isDirectory else {
                throw ISOError(
                    .notFound, subject: self.path,
                    detail: "has no directory \(String(reflecting: component)) on the way to"
                        + " \(String(reflecting: path.string))")
            }
            for tree in trees.indices where tree != main {
                place.directories[tree] = try counterpart(of: next, at: place, in: tree)
            }
            place.directories[main] = next.target
            place.mainDirectory = next.target
        }
        place.name = name
        return place
    }

    /// What stands at a place: the entry of that name, or where names are shortened the one with what it is shortened to.
    private mutating func present(_ place: Place) -> GraftTree.Entry? {
        let directory = place.mainDirectory
        if let exact = trees[main].entry(trees[main].encoded(place.name), in: directory) { return exact }
        guard !trees[main].hasRockRidge else { return nil }
        for isDirectory in [true, false] {
            let names = [(name: place.name, isDirectory: isDirectory)]
            let kind = trees[main].kind
            let short = kind == .joliet ? ISOIdentifiers.joliet(names)[0] : ISOIdentifiers.primary(names)[0]
            let name = GraftTreeReader.name(ofIdentifier: short, isDirectory: isDirectory, in: trees[main].nameSpace)
            guard let found = trees[main].entry(name, in: directory) else { continue }
            let node = trees[main].nodes[found.target]
            if !node.isNew, node.isDirectory == isDirectory { return found }
        }
        return nil
    }

    /// The entry of another tree that is the same one, or `nil` for one that is hidden there.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unsupported`` where nothing tells which of several it is.
    private mutating func counterpart(
        of entry: GraftTree.Entry, at place: Place, in tree: Int
    ) throws(ISOError) -> Int? {
        guard let parent = place.directories[tree] else { return nil }
        switch pairing.counterpart(of: entry, in: place.mainDirectory, trees[main], trees[tree], below: parent) {
        case .node(let index): return index
        case .none: return nil
        case .uncertain:
            throw ISOError(
                .unsupported, subject: path,
                detail: "has \(String(reflecting: place.name)) under an unknown other name in one of its two trees, so"
                    + " they cannot be kept in step")
        }
    }

    private func refuseBoot(_ entry: GraftTree.Entry, _ name: String) throws(ISOError) {
        var below = [entry.record, entry.target]
        var seen: Set<Int> = []
        while let next = below.popLast() {
            guard seen.insert(next).inserted else { continue }
            let node = trees[main].nodes[next]
            if node.isDirectory {
                guard !trees[main].holdsMoved(next) else {
                    throw .refused(name, "holds directories that are seen elsewhere, because they lie too deep there")
                }
                below += node.children
                continue
            }
            if let moved = trees[main].link(of: next) { below.append(moved) }
            guard let sector = node.records.first?.extent, bootSectors.contains(sector),
                node.records.first?.length ?? 0 > 0, !node.isNew
            else { continue }
            throw .refused(
                name,
                "\(next == entry.record ? "is" : "holds") what firmware boots by its place in the image (El Torito),"
                    + " which a graft leaves as it is")
        }
    }

    // MARK: - New records

    private mutating func insert(
        _ entry: TreeEntry, _ added: Int?, into tree: Int, below parent: Int, replacing replaced: Int?
    ) throws(ISOError) -> Int {
        guard let modified = entry.modified.map({ ISOTime(seconds: $0) }) ?? epoch else {
            throw .refused(entry.path.string, "has a time outside the years 1900 to 2155, which ISO 9660 cannot state")
        }
        let name = entry.path.name
        let identifier =
            replaced.map { trees[tree].identifier($0) }
            ?? trees[tree].newIdentifier(name, isDirectory: entry.isDirectory, in: parent)
        let use = trees[tree].hasRockRidge ? try rockRidge(entry, modified) : []
        var records: [GraftRecord] = []
        var left = entry.size
        repeat {
            let length = left > ISOFormat.largestSingleExtent ? Swift.min(left, ISOFormat.longestExtent) : left
            left -= length
            let flags = entry.isDirectory ? ISOFormat.Flag.directory : left > 0 ? ISOFormat.Flag.multiExtent : 0
            let record = DirectoryRecord(
                extent: ISOFormat.emptyExtent, length: UInt32(truncatingIfNeeded: length), recorded: modified,
                flags: flags, identifier: identifier)
            records.append(GraftRecord(record, systemUse: use))
        } while left > 0
        var node = GraftTree.Node(
            name: trees[tree].encoded(name), records: records, isDirectory: entry.isDirectory, parent: parent)
        node.added = added
        node.isNew = true
        if entry.isDirectory {
            node.itself = own(DirectoryRecord.itself, modified, use.filter { !$0.starts(with: "NM".utf8) })
            node.above = own(
                DirectoryRecord.above, modified,
                trees[tree].leading(isDirectory: true)
                    + (trees[tree].nodes[parent].itself?.systemUse ?? []).filter {
                        $0.starts(with: "PX".utf8) || $0.starts(with: "TF".utf8)
                    })
        }
        if let replaced { trees[tree].remove([replaced]) }
        return trees[tree].append(node)
    }

    private func own(_ identifier: [UInt8], _ time: ISOTime, _ use: [[UInt8]]) -> GraftRecord {
        let record = DirectoryRecord(
            extent: 0, length: 0, recorded: time, flags: ISOFormat.Flag.directory, identifier: identifier)
        return GraftRecord(record, systemUse: use)
    }

    private func rockRidge(_ entry: TreeEntry, _ modified: ISOTime) throws(ISOError) -> [[UInt8]] {
        let kind: ISONode.Kind
        switch entry.kind {
        case .directory: kind = .directory
        case .file(let content): kind = .file(content)
        case .symlink(let target): kind = .symlink(try ISONodes.checked(target, of: entry))
        }
        var attributes = RockRidgeWriter.attributes(
            kind, mode: entry.mode, links: entry.isDirectory ? 2 : 1, owner: entry.owner, group: entry.group,
            serial: nextSerial ?? 0)
        if nextSerial == nil {
            attributes.removeLast(8)
            attributes[2] = UInt8(attributes.count)
        }
        var entries = trees[0].leading(isDirectory: entry.isDirectory) + [attributes, RockRidgeWriter.times(modified)]
        entries += RockRidgeWriter.name(Array(entry.path.name.utf8))
        if case .symlink(let target) = kind { entries += RockRidgeWriter.link(target) }
        return entries
    }
}
