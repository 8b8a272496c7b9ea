internal import Artefact
public import SystemPackage

/// Reads an ISO 9660 image without trusting it.
///
/// Every number is checked against the size of the file before it is used, and ``ISOLimits`` bounds what one call
/// costs. Specifications: ECMA-119, SUSP and RRIP 1.12, Joliet, El Torito 1.0.
public struct ISOReader: ~Copyable {
    /// What the descriptors say of the whole.
    public let volume: ISOVolume
    /// The name space in which this reader tells the entries.
    public let nameSpace: ISONameSpace
    private let image: ImageFile
    private let root: DirectoryRecord
    private let skip: Int
    private let limits: ISOLimits

    /// Opens an image and reads its descriptors.
    ///
    /// - Parameters:
    ///   - path: The image.
    ///   - nameSpace: The name space to read; by default Rock Ridge, else Joliet, else the plain one.
    ///   - limits: What the reader refuses.
    /// - Throws: ``ISOError`` that tells a file that is no image from a truncated and a damaged one, or `ArtefactError`
    ///   when the file cannot be read.
    public init(_ path: FilePath, nameSpace: ISONameSpace? = nil, limits: ISOLimits = .standard) throws {
        let image = try ImageFile(path)
        let set = try VolumeSet(image, limits: limits)
        let chosen = nameSpace ?? set.volume.nameSpaces.first ?? .plain
        guard set.volume.nameSpaces.contains(chosen) else {
            throw ISOError(
                .unsupported, subject: path.string,
                detail: "has no \(chosen == .joliet ? "Joliet" : "Rock Ridge") names")
        }
        self.volume = set.volume
        self.nameSpace = chosen
        self.root = chosen == .joliet ? set.joliet ?? set.primary : set.primary
        self.skip = set.rockRidgeSkip ?? 0
        self.limits = limits
        self.image = image
    }

    /// Every entry but the root, each directory directly before what it holds, names in byte order.
    ///
    /// - Throws: ``ISOError`` where a structure is damaged or exceeds a limit, or a file's bytes lie outside of the
    ///   image.
    public func entries() throws -> [ISOEntry] {
        var walk = ISOWalk(nameSpace: nameSpace, skip: skip, limits: limits)
        var found: [ISOEntry] = []
        var pending: [(entry: ISOEntry, depth: Int)] = [(rootEntry, 1)]
        while let (entry, depth) = pending.popLast() {
            if depth > 1 { found.append(entry) }
            guard entry.isDirectory else { continue }
            guard depth <= limits.depth else {
                throw ISOError(
                    .limitExceeded, subject: image.path.string,
                    detail: "the tree has more than \(limits.depth) levels of directories")
            }
            for child in try walk.children(of: entry, in: image).reversed() { pending.append((child, depth + 1)) }
        }
        return found
    }

    /// The entry at a path, or `nil` where there is none; names are compared by bytes, and `""` is the root.
    ///
    /// Only the directories on the way are read; links are not followed.
    ///
    /// - Throws: ``ISOError`` where a structure is damaged or exceeds a limit.
    public func entry(at path: String) throws -> ISOEntry? {
        var walk = ISOWalk(nameSpace: nameSpace, skip: skip, limits: limits)
        var current = rootEntry
        for component in path.utf8.split(separator: UInt8(ascii: "/")) {
            guard current.isDirectory else { return nil }
            let match = try walk.children(of: current, in: image).first { $0.name.utf8.elementsEqual(component) }
            guard let match else { return nil }
            current = match
        }
        return current
    }

    /// What the root holds in the order of its records, in which a system that mounts the image lists it.
    ///
    /// - Throws: ``ISOError`` where a structure is damaged or exceeds a limit.
    public func rootListing() throws -> [ISOEntry] {
        var walk = ISOWalk(nameSpace: nameSpace, skip: skip, limits: limits)
        return try walk.recorded(below: rootEntry, in: image)
    }

    /// The bytes of a file of at most `limit` bytes.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/limitExceeded`` for a larger one, or as
    ///   ``forEachChunk(of:_:)``.
    public func read(_ entry: ISOEntry, limit: Int) throws -> [UInt8] {
        guard entry.size <= UInt64(max(0, limit)) else {
            throw ISOError(
                .limitExceeded, subject: image.path.string,
                detail: "\(ISOWalk.shown(entry.path)) has \(entry.size) bytes, more than \(limit)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(entry.size))
        try forEachChunk(of: entry) { chunk in
            unsafe chunk.withUnsafeBufferPointer { buffer in unsafe bytes.append(contentsOf: buffer) }
        }
        return bytes
    }

    /// At most `count` bytes of a file from `offset` on; fewer where it ends.
    ///
    /// - Throws: ``ISOError`` where the image has become shorter.
    public func bytes(of entry: ISOEntry, at offset: UInt64, count: Int) throws -> [UInt8] {
        var (bytes, start): ([UInt8], UInt64) = ([], 0)
        for extent in entry.kind == .file ? entry.extents : [] {
            let place = offset + UInt64(bytes.count)
            let end = start + UInt64(extent.length)
            if bytes.count < count, place >= start, place < end {
                let piece = Int(clamping: Swift.min(UInt64(count - bytes.count), end - place))
                bytes += try image.read(
                    at: UInt64(extent.sector) * UInt64(ISOFormat.sectorSize) + place - start, count: piece,
                    what: "a file")
            }
            start = end
        }
        return bytes
    }

    /// Hands the bytes of a file to `body` in pieces of at most 256 KiB.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/notFound`` for what is no file, with ``ISOError/Code/truncated`` where
    ///   the image has become shorter; or what `body` throws.
    public func forEachChunk(of entry: ISOEntry, _ body: (Span<UInt8>) throws -> Void) throws {
        guard entry.kind == .file else {
            throw ISOError(.notFound, subject: image.path.string, detail: "\(ISOWalk.shown(entry.path)) is no file")
        }
        for extent in entry.extents where extent.length > 0 {
            try image.forEachChunk(
                at: UInt64(extent.sector) * UInt64(ISOFormat.sectorSize), count: UInt64(extent.length), body)
        }
    }

    /// What firmware can boot from the image, in the order of the El Torito catalogue; empty without one.
    ///
    /// - Throws: ``ISOError`` where the catalogue is damaged.
    public func bootEntries() throws -> [BootEntry] {
        guard let sector = volume.bootCatalog else { return [] }
        return try BootCatalog.entries(at: sector, in: image, limits: limits)
    }

    private var rootEntry: ISOEntry {
        ISOEntry(
            path: "", kind: .directory, mode: .directory, owner: 0, group: 0, size: 0, modified: root.recorded?.seconds,
            extents: [ISOExtent(sector: root.extent, length: root.length)])
    }
}
