internal import Artefact
internal import SystemPackage

/// An image that is to be grafted: what was read of it and found to agree.
struct GraftSource {
    let path: FilePath
    /// The bytes of the file.
    let size: UInt64
    var descriptors: GraftDescriptors
    /// The primary tree, and the Joliet tree where there is one.
    var trees: [GraftTree]
    /// The bytes of the volume, as its descriptors have them.
    let volumeSize: UInt64
    /// The sectors that firmware reads by their number: the boot catalogue and every boot image.
    let bootSectors: Set<UInt32>

    /// What a graft reads of an image at most: all directories of both trees are held in memory at once.
    static let limits: ISOLimits = {
        var limits = ISOLimits()
        limits.entries = 200_000
        limits.structureBytes = 32 << 20
        return limits
    }()

    /// Reads an image.
    ///
    /// - Throws: ``ISOError`` for what is no image, is damaged, or is of a kind that cannot be grafted.
    init(_ image: borrowing ImageFile) throws {
        let set = try VolumeSet(image, limits: Self.limits)
        path = image.path
        size = image.size
        volumeSize = UInt64(set.volume.sectors) * UInt64(ISOFormat.sectorSize)
        descriptors = try GraftDescriptors(image, set, limits: Self.limits)
        if let joliet = set.joliet, joliet.extent == set.primary.extent {
            throw ISOError(
                .damaged, subject: path.string, detail: "its two trees of names begin in one place",
                sector: joliet.extent)
        }
        let hasRockRidge = set.rockRidgeSkip != nil
        trees = [
            try GraftTreeReader.read(
                set.primary, nameSpace: hasRockRidge ? .rockRidge : .plain, skip: set.rockRidgeSkip ?? 0, in: image,
                limits: Self.limits)
        ]
        if let joliet = set.joliet {
            trees.append(
                try GraftTreeReader.read(joliet, nameSpace: .joliet, skip: 0, in: image, limits: Self.limits))
        }
        for (tree, descriptor) in zip(trees, try Self.tableDescriptors(image, set)) {
            try PathTableCheck.check(tree, descriptor, in: image, limits: Self.limits)
        }
        var boot: Set<UInt32> = []
        if let catalog = set.volume.bootCatalog {
            boot.insert(catalog)
            for entry in try BootCatalog.entries(at: catalog, in: image, limits: Self.limits) {
                guard UInt64(entry.location) * UInt64(ISOFormat.sectorSize) < image.size else {
                    throw ISOError(
                        .damaged, subject: image.path.string,
                        detail: "its boot catalogue names a boot image at sector \(entry.location), outside of the"
                            + " image",
                        sector: catalog)
                }
                boot.insert(entry.location)
            }
        }
        bootSectors = boot
    }

    /// Whether a file of either tree has bytes in a range of the image.
    func holdsFile(in range: Range<UInt64>) -> Bool {
        trees.contains { tree in
            tree.nodes.contains { node in
                node.records.contains { record in
                    let start = UInt64(record.extent) * UInt64(ISOFormat.sectorSize)
                    return !record.isDirectory && record.length > 0
                        && range.overlaps(start..<start + UInt64(record.length))
                }
            }
        }
    }

    /// The descriptors of the trees, in their order.
    private static func tableDescriptors(_ image: borrowing ImageFile, _ set: VolumeSet) throws -> [Fields] {
        var found: [UInt32: Fields] = [:]
        var sector = ISOFormat.firstDescriptor
        while true {
            let fields = try image.descriptor(sector)
            if fields.byte(0) == 255 { break }
            let root = fields.little32(158)
            if fields.byte(0) == 1 || fields.byte(0) == 2, found[root] == nil { found[root] = fields }
            sector += 1
        }
        return [set.primary.extent, set.joliet?.extent].compactMap { root in root.flatMap { found[$0] } }
    }
}

/// Requires that a path table tells the directories that the tree has (ECMA-119 §6.9, §9.4).
enum PathTableCheck {
    static func check(
        _ tree: GraftTree, _ descriptor: Fields, in image: borrowing ImageFile, limits: ISOLimits
    ) throws {
        let size = Int(descriptor.little32(132))
        guard size <= limits.structureBytes else { throw ISOWalk.tooMuch(image.path, limits) }
        var wanted: Set<UInt32> = []
        for node in tree.nodes where node.isDirectory { wanted.insert(node.source?.sector ?? 0) }
        for (sector, isBig) in [(descriptor.little32(140), false), (descriptor.big32(148), true)] {
            let table = Fields(
                bytes: try image.read(
                    at: UInt64(sector) * UInt64(ISOFormat.sectorSize), count: size, what: "a path table"))
            var told: Set<UInt32> = []
            var offset = 0
            while offset + 8 < table.bytes.count {
                let length = Int(table.byte(offset))
                guard length > 0 else { break }
                told.insert(isBig ? table.big32(offset + 2) : table.little32(offset + 2))
                offset += 8 + length + length % 2
            }
            guard told == wanted else {
                throw ISOError(
                    .damaged, subject: image.path.string,
                    detail: "a path table tells \(told.count) directories and the tree holds \(wanted.count), or in"
                        + " other places", sector: sector)
            }
        }
    }
}
