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
        let (directories, name) = try place(of: path)
        guard let index = trees[main].child(encoded(name, in: main), of: directories[main] ?? 0) else {
            throw ISOError(.notFound, subject: self.path, detail: "has no \(String(reflecting: path.string)) to remove")
        }
        try refuseBoot(index, path.string)
        for tree in trees.indices where tree != main {
            guard let parent = directories[tree] else { continue }
            if let other = try counterpart(of: index, in: tree, below: parent) { trees[tree].remove(other) }
        }
        trees[main].remove(index)
    }

    /// Adds an entry, or puts it in the place of the file or link that is there; a directory that is there stays.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` for what the image cannot hold.
    mutating func put(_ entry: TreeEntry) throws(ISOError) {
        let (directories, name) = try place(of: entry.path)
        let present = trees[main].child(encoded(name, in: main), of: directories[main] ?? 0)
        if let present {
            guard trees[main].nodes[present].isDirectory == entry.isDirectory else {
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
        for tree in trees.indices {
            guard let parent = directories[tree] else { continue }
            var replaced: Int?
            if let present {
                replaced = tree == main ? present : try counterpart(of: present, in: tree, below: parent)
                // What the source hides from one of its trees stays hidden there.
                if replaced == nil { continue }
            }
            if case .symlink = entry.kind, tree != 0 || !trees[0].hasRockRidge {
                if tree == main { throw .refused(entry.path.string, "is a link, and the image has no Rock Ridge") }
                if let replaced { trees[tree].remove(replaced) }
                continue
            }
            try insert(entry, added, into: tree, below: parent, replacing: replaced)
        }
        if let serial = nextSerial { nextSerial = serial &+ 1 }
    }

    // MARK: - Places

    /// The directories that hold an entry, one for each tree that has it, and the entry's name.
    private func place(of path: EntryPath) throws(ISOError) -> (directories: [Int?], name: String) {
        var current: [Int?] = trees.map { _ in 0 }
        var components = path.components
        let name = components.removeLast()
        for component in components {
            guard let parent = current[main],
                let next = trees[main].child(encoded(component, in: main), of: parent),
                trees[main].nodes[next].isDirectory
            else {
                throw ISOError(
                    .notFound, subject: self.path,
                    detail: "has no directory \(String(reflecting: component)) on the way to"
                        + " \(String(reflecting: path.string))")
            }
            for tree in trees.indices where tree != main {
                guard let parent = current[tree] else { continue }
                current[tree] = try counterpart(of: next, in: tree, below: parent)
            }
            current[main] = next
        }
        return (current, name)
    }

    /// The entry of another tree that is the same one: by its name, by its bytes, or by the name that it gets there.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unsupported`` for a directory that the other tree lacks.
    private func counterpart(of index: Int, in tree: Int, below parent: Int) throws(ISOError) -> Int? {
        let node = trees[main].nodes[index]
        let name = trees[main].text(node.name)
        let candidates = trees[tree].nodes[parent].children.filter {
            trees[tree].nodes[$0].isDirectory == node.isDirectory
        }
        let wanted = encoded(name, in: tree)
        if let exact = candidates.first(where: { trees[tree].nodes[$0].name == wanted }) { return exact }
        if !node.isDirectory {
            guard let record = node.records.first, record.length > 0 else { return nil }
            return candidates.first {
                guard let other = trees[tree].nodes[$0].records.first else { return false }
                return other.extent == record.extent && other.length == record.length
            }
        }
        let kind: ISOTreeKind = trees[tree].nameSpace == .joliet ? .joliet : .primary
        let names = [(name: name, isDirectory: true)]
        let short = kind == .joliet ? ISOIdentifiers.joliet(names)[0] : ISOIdentifiers.primary(names)[0]
        if let shortened = candidates.first(where: { trees[tree].identifier($0) == short }) { return shortened }
        throw ISOError(
            .unsupported, subject: path,
            detail: "has the directory \(String(reflecting: name)) in one of its trees and not in the other, so they"
                + " cannot be kept in step")
    }

    private func refuseBoot(_ index: Int, _ name: String) throws(ISOError) {
        var below = [index]
        while let next = below.popLast() {
            let node = trees[main].nodes[next]
            below += node.children
            guard !node.isDirectory, let sector = node.records.first?.extent, bootSectors.contains(sector),
                node.records.first?.length ?? 0 > 0, node.added == nil
            else { continue }
            throw .refused(
                name,
                "\(next == index ? "is" : "holds") what firmware boots by its place in the image (El Torito), which a"
                    + " graft leaves as it is")
        }
    }

    // MARK: - New records

    private mutating func insert(
        _ entry: TreeEntry, _ added: Int?, into tree: Int, below parent: Int, replacing replaced: Int?
    ) throws(ISOError) {
        guard let modified = entry.modified.map({ ISOTime(seconds: $0) }) ?? epoch else {
            throw .refused(entry.path.string, "has a time outside the years 1900 to 2155, which ISO 9660 cannot state")
        }
        let name = entry.path.name
        let identifier = replaced.map { trees[tree].identifier($0) } ?? newIdentifier(entry, tree, parent)
        let use = tree == 0 && trees[0].hasRockRidge ? try rockRidge(entry, modified) : []
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
            name: encoded(name, in: tree), records: records, isDirectory: entry.isDirectory, parent: parent)
        node.added = added
        if entry.isDirectory {
            node.itself = own(DirectoryRecord.itself, modified, use.filter { !$0.starts(with: "NM".utf8) })
            node.above = own(
                DirectoryRecord.above, modified,
                (trees[tree].nodes[parent].itself?.systemUse ?? []).filter {
                    $0.starts(with: "PX".utf8) || $0.starts(with: "TF".utf8)
                })
        }
        if let replaced { trees[tree].remove(replaced) }
        trees[tree].append(node)
    }

    private func own(_ identifier: [UInt8], _ time: ISOTime, _ use: [[UInt8]]) -> GraftRecord {
        let record = DirectoryRecord(
            extent: 0, length: 0, recorded: time, flags: ISOFormat.Flag.directory, identifier: identifier)
        return GraftRecord(record, systemUse: use)
    }

    private func newIdentifier(_ entry: TreeEntry, _ tree: Int, _ parent: Int) -> [UInt8] {
        let present = trees[tree].nodes[parent].children.map { trees[tree].identifier($0) }
        let names = [(name: entry.path.name, isDirectory: entry.isDirectory)]
        return trees[tree].nameSpace == .joliet
            ? ISOIdentifiers.joliet(names, besides: present)[0]
            : ISOIdentifiers.primary(names, besides: present)[0]
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
        var entries = [attributes, RockRidgeWriter.times(modified)]
        entries += RockRidgeWriter.name(Array(entry.path.name.utf8))
        if case .symlink(let target) = kind { entries += RockRidgeWriter.link(target) }
        return entries
    }

    /// A name in the bytes of a tree's name space.
    private func encoded(_ name: String, in tree: Int) -> [UInt8] {
        guard trees[tree].nameSpace == .joliet else { return Array(name.utf8) }
        var bytes: [UInt8] = []
        for unit in name.utf16 { bytes.appendBig16(unit) }
        return bytes
    }
}
