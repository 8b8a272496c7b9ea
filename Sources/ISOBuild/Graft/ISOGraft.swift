public import Artefact
public import SystemPackage

/// Adds files to an ISO image without unpacking it, so that it goes on booting as it did.
///
/// The bytes of the source stay where they are: new files, and behind them new path tables and directories of every
/// tree, are appended, and the volume descriptors point at those. El Torito catalogue, boot images and boot-info tables
/// are untouched. The partition tables of a hybrid image grow to its new end. What is replaced or removed is no longer in
/// any directory, and its bytes stay.
///
/// ```
/// sector 0…15      system area; the partition tables grow         (UEFI 2.10 §5, ECMA-119 §6.2.1)
///        16…       the source, its volume descriptors pointed at what is new
///        size…     path tables and directories, first primary, then Joliet
///                  the new files, and the old ones whose names are too long for their records
///                  150 sectors of zeros, and what the partition tables want behind the volume
/// ```
///
/// The bytes depend on the source, the tree, the removals and the epoch alone.
public struct ISOGraft: Sendable {
    /// The image to which files are added; it is only read.
    public let source: FilePath
    /// Seconds since 1970-01-01 for every entry that states no time.
    public let epoch: Int64
    /// Told of what does not grow with the image, one line each.
    private let note: @Sendable (String) -> Void

    /// Sets what is grafted.
    public init(_ source: FilePath, epoch: Int64, note: @escaping @Sendable (String) -> Void = { _ in }) {
        self.source = source
        self.epoch = epoch
        self.note = note
    }

    /// Writes the grafted image, durably.
    ///
    /// - Parameters:
    ///   - tree: What is added. A file or link takes the place of one that is there, a directory that is there keeps its
    ///     attributes and what it holds.
    ///   - removed: What is taken out first; a directory goes with all that it holds.
    ///   - target: Where the image will stand; never the source.
    ///   - mode: The permission bits of the image.
    ///   - check: Reads the finished image before it appears.
    /// - Returns: What stands at the target; without a digest.
    /// - Throws: ``ISOError`` for a source that is no image, is damaged or of a kind that cannot be grafted, or for what
    ///   the image cannot hold; `ArtefactError` when a file cannot be read or written; or what `check` throws. What
    ///   stood at the target is then still there.
    @discardableResult
    public func write(
        _ tree: FileTree, removing removed: [EntryPath] = [], to target: FilePath, mode: EntryMode = .file,
        check: (FilePath) throws -> Void = { _ in }
    ) throws -> WrittenFile {
        var output = try stage(tree, removing: removed, for: target)
        try output.readBack(check)
        return try output.commit(mode: mode)
    }

    /// Writes the grafted image without giving it its name yet; dropped, it leaves nothing.
    ///
    /// - Parameters:
    ///   - tree: What is added.
    ///   - removed: What is taken out first.
    ///   - target: Where the image would stand; never the source.
    /// - Returns: The image, which can be read back and committed.
    /// - Throws: As ``write(_:removing:to:mode:check:)``.
    public func stage(
        _ tree: FileTree, removing removed: [EntryPath] = [], for target: FilePath
    ) throws -> StagedFile {
        guard let time = ISOTime(seconds: epoch) else {
            throw ISOError.refused("\(epoch)", "is a time outside the years 1900 to 2155, which ISO 9660 cannot state")
        }
        let image = try ImageFile(source)
        var source = try GraftSource(image)
        var edit = GraftEdit(source, epoch: time)
        for path in removed { try edit.remove(path) }
        for entry in tree.entries { try edit.put(entry) }
        let tables = try HybridTables(image)
        if let offset = tables.offsetVolume {
            throw ISOError(
                .unsupported, subject: self.source.string,
                detail: "has a second set of directories for a partition at byte \(offset), which would not hold the"
                    + " new files; make the image without a partition offset")
        }
        let start = ISOFormat.sectors(tables.contentStart)
        let layout = try GraftLayout(edit.trees, files: edit.files.map(\.size), from: start)
        let end = layout.end + UInt32(ISOWriter.paddingSectors)
        let growth = try tables.growth(from: source.volumeSize, to: UInt64(end) * UInt64(ISOFormat.sectorSize))
        for line in growth.notes { note(line) }
        source.descriptors.point(to: layout.trees, volumeSectors: end)

        var output = try StagedFile(target)
        try output.copy(source.path, size: source.size)
        try Self.fill(from: source.size, to: start * UInt64(ISOFormat.sectorSize), &output)
        for tree in layout.trees { try layout.forEachPart(of: tree) { part in try output.write(part) } }
        for content in edit.files {
            try content.forEachChunk { chunk in try output.write(chunk) }
            try output.write(Self.filler(after: content.size))
        }
        for extent in layout.repeated {
            try image.forEachChunk(
                at: UInt64(extent.sector) * UInt64(ISOFormat.sectorSize), count: UInt64(extent.length)
            ) { chunk in try output.write(chunk) }
            try output.write(Self.filler(after: UInt64(extent.length)))
        }
        try Self.fill(from: UInt64(layout.end) * UInt64(ISOFormat.sectorSize), to: growth.imageSize, &output)
        for copy in source.descriptors.copies {
            for (index, sector) in copy.sectors.enumerated() {
                try output.overwrite(at: (UInt64(copy.start) + UInt64(index)) * UInt64(ISOFormat.sectorSize), sector)
            }
        }
        for range in growth.obsolete where !source.holdsFile(in: range) {
            try output.overwrite(at: range.lowerBound, [UInt8](repeating: 0, count: range.count))
        }
        for patch in growth.patches { try output.overwrite(at: patch.offset, patch.bytes) }
        return output
    }

    /// Appends zeros up to a place that may be far away.
    private static func fill(from start: UInt64, to end: UInt64, _ output: inout StagedFile) throws {
        let zeros = [UInt8](repeating: 0, count: 64 * ISOFormat.sectorSize)
        var position = start
        while position < end {
            let count = Int(Swift.min(end - position, UInt64(zeros.count)))
            try output.write(zeros.span.extracting(first: count))
            position += UInt64(count)
        }
    }

    private static func filler(after size: UInt64) -> [UInt8] {
        let rest = Int(size % UInt64(ISOFormat.sectorSize))
        return [UInt8](repeating: 0, count: rest == 0 ? 0 : ISOFormat.sectorSize - rest)
    }
}
