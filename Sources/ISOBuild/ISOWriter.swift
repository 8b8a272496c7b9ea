public import Artefact
public import SystemPackage

/// Writes a tree as an ISO 9660 image with Rock Ridge and Joliet.
///
/// The bytes depend on the tree, the label, the epoch and the padding alone. Files are streamed, so memory does not
/// grow with their size. Specifications: ECMA-119 level 3, SUSP 1.12, RRIP 1.12, Joliet level 3.
///
/// Directories may lie deeper than the eight levels of ECMA-119 §6.8.2.1: Linux, libarchive, xorriso, isoinfo, 7-Zip and
/// pycdlib all read such trees as they are, whereas relocated directories show up in the Joliet and plain trees as
/// clutter.
public struct ISOWriter: Sendable {
    /// The label, such as `cidata`.
    public let volumeIdentifier: String
    /// Seconds since 1970-01-01 for every time stamp that no entry states.
    public let epoch: Int64
    /// Whether 150 empty sectors follow, which some optical drives need to read ahead; files and virtual drives do not.
    public let padding: Bool

    /// The sectors of padding that other writers append, too.
    static let paddingSectors = 150

    /// Sets what an image is written with.
    public init(volumeIdentifier: String, epoch: Int64, padding: Bool = false) {
        self.volumeIdentifier = volumeIdentifier
        self.epoch = epoch
        self.padding = padding
    }

    /// Writes the image of `tree`, durably, and gives it exactly `mode`; an image with secrets wants `0600`.
    ///
    /// - Parameters:
    ///   - tree: What the image holds.
    ///   - target: Where it will stand; its directory must be there.
    ///   - mode: The permission bits of the image.
    ///   - digesting: Whether the SHA-256 of the image is computed.
    ///   - durability: When it lasts through a power failure.
    ///   - check: Reads the finished image before it appears.
    /// - Returns: What stands at the target.
    /// - Throws: ``ISOError`` with ``ISOError/Code/unrepresentable`` for a label or a tree that no image can hold, or
    ///   `ArtefactError` when a file cannot be read or written, or what `check` throws; what stood at the target is
    ///   then still there.
    @discardableResult
    public func write(
        _ tree: FileTree, to target: FilePath, mode: EntryMode, digesting: Bool,
        durability: StagedFile.Durability = .immediate, check: (FilePath) throws -> Void = { _ in }
    ) throws -> WrittenFile {
        let label = Array(volumeIdentifier.utf8)
        guard (1...32).contains(label.count), label.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw ISOError(
                .unrepresentable, subject: String(reflecting: volumeIdentifier),
                detail: "is no label for an image; give 1 to 32 ASCII characters")
        }
        guard let time = ISOTime(seconds: epoch) else {
            throw ISOError.refused("\(epoch)", "is a time outside the years 1900 to 2155, which ISO 9660 cannot state")
        }
        let layout = try ISOLayout(tree, epoch: time)
        let padded = layout.sectors + UInt32(padding ? Self.paddingSectors : 0)
        var image = try StagedFile(target, digesting: digesting)
        try image.write([UInt8](repeating: 0, count: Int(ISOFormat.firstDescriptor) * ISOFormat.sectorSize))
        for tree in layout.trees {
            let descriptor = VolumeDescriptor(
                label: volumeIdentifier, sectors: padded, tree: tree, root: layout.rootRecord(of: tree.kind), time: time
            )
            try image.write(descriptor.bytes)
        }
        try image.write(VolumeDescriptor.terminator)
        for tree in layout.trees {
            for bigEndian in [false, true] {
                var table = layout.tableBytes(of: tree, bigEndian: bigEndian)
                table.padToSector()
                try image.write(table)
            }
        }
        for tree in layout.trees {
            for directory in tree.directories {
                try image.write(layout.directoryBytes(directory, of: tree.kind).all)
            }
        }
        for file in layout.files {
            guard case .file(let content) = layout.nodes[file].kind else { continue }
            try content.forEachChunk { chunk in try image.write(chunk) }
            try image.write(Self.filler(after: content.size))
        }
        for _ in layout.sectors..<padded { try image.write([UInt8](repeating: 0, count: ISOFormat.sectorSize)) }
        try image.readBack(check)
        return try image.commit(mode: mode, durability: durability)
    }

    private static func filler(after size: UInt64) -> [UInt8] {
        let rest = Int(size % UInt64(ISOFormat.sectorSize))
        return [UInt8](repeating: 0, count: rest == 0 ? 0 : ISOFormat.sectorSize - rest)
    }
}
