internal import Artefact
internal import SystemPackage

/// The volume descriptors of an image that is grafted (ECMA-119 §8), kept as they stand but for what a graft moves.
struct GraftDescriptors {
    /// A set of descriptors: at sector 16, and in some images a second one with the same contents.
    struct Copy {
        /// The sector of its first descriptor.
        let start: UInt32
        /// The sectors from the first one to the terminator.
        var sectors: [[UInt8]]
    }

    private(set) var copies: [Copy]
    private let primaryRoot: UInt32
    private let jolietRoot: UInt32?

    /// The sectors after the first set at which a second one tells of another session or of a partition: the emulated
    /// table of contents of xorriso (32), a partition that begins at sector 16.
    private static let secondSets: [UInt32] = [32, 48]

    /// Reads the descriptors and refuses images that more than these describe.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/unsupported`` for sessions, other file systems and other trees,
    ///   ``ISOError/Code/damaged`` for a second set that contradicts the first.
    init(_ image: borrowing ImageFile, _ set: VolumeSet, limits: ISOLimits) throws {
        let subject = image.path.string
        let first = try Self.sectors(image, from: ISOFormat.firstDescriptor, limits: limits)
        copies = [Copy(start: ISOFormat.firstDescriptor, sectors: first)]
        primaryRoot = set.primary.extent
        jolietRoot = set.joliet?.extent
        let main = Fields(bytes: first.first { $0[0] == 1 } ?? [])
        for bytes in first where bytes[0] == 1 || bytes[0] == 2 {
            let fields = Fields(bytes: bytes)
            guard fields.little32(80) == fields.big32(84), fields.little32(132) == fields.big32(136),
                fields.little32(80) == main.little32(80)
            else {
                throw ISOError(
                    .damaged, subject: subject, detail: "its volume descriptors tell several sizes of volume or table")
            }
            guard fields.little16(120) <= 1 else {
                throw ISOError(.unsupported, subject: subject, detail: "is one of a set of several volumes")
            }
            let root = fields.little32(158)
            guard root == primaryRoot || root == jolietRoot else {
                throw ISOError(
                    .unsupported, subject: subject,
                    detail: "has a third directory tree besides those of ISO 9660 and Joliet, which would not hold the"
                        + " new files")
            }
        }
        try Self.refuseUDF(image, after: ISOFormat.firstDescriptor + UInt32(first.count))
        for start in Self.secondSets where start >= ISOFormat.firstDescriptor + UInt32(first.count) {
            guard let second = try Self.primary(image, at: start),
                second.slice(40, 32) == main.slice(40, 32), second.slice(813, 17) == main.slice(813, 17)
            else { continue }
            guard second.little32(158) == primaryRoot else {
                throw ISOError(
                    .unsupported, subject: subject,
                    detail: start == 32
                        ? "has a second set of directories for a partition at sector 16, which would not hold the new"
                            + " files; make the image without a partition offset"
                        : "has several sessions; write the last of them to an image of its own",
                    sector: start)
            }
            copies.append(Copy(start: start, sectors: try Self.sectors(image, from: start, limits: limits)))
        }
        try Self.refuseLaterSession(image, main)
    }

    /// Points each descriptor at the new trees and tables.
    mutating func point(to trees: [GraftLayout.Tree], volumeSectors: UInt32) {
        for copy in copies.indices {
            for index in copies[copy].sectors.indices {
                let kind = copies[copy].sectors[index][0]
                guard kind == 1 || kind == 2 else { continue }
                let root = Fields(bytes: copies[copy].sectors[index]).little32(158)
                guard let tree = trees.first(where: { $0.sourceRoot == root }) else { continue }
                patch(&copies[copy].sectors[index], tree, volumeSectors)
            }
        }
    }

    /// The text with which `implantisomd5` vouches for the old bytes, in the field for applications.
    private static let impliedChecksum = Array("ISO MD5SUM = ".utf8)

    private func patch(_ descriptor: inout [UInt8], _ tree: GraftLayout.Tree, _ volumeSectors: UInt32) {
        descriptor.replaceBoth32(at: 80, volumeSectors)
        descriptor.replaceBoth32(at: 132, tree.tableSize)
        var tables: [UInt8] = []
        tables.appendLittle32(tree.littleTable)
        tables.appendLittle32(0)
        tables.appendBig32(tree.bigTable)
        tables.appendBig32(0)
        descriptor.replace(at: 140, tables)
        descriptor.replaceBoth32(at: 158, tree.root.sector)
        descriptor.replaceBoth32(at: 166, tree.root.length)
        let application = Fields(bytes: descriptor).slice(883, 512)
        if application.starts(with: Self.impliedChecksum) {
            descriptor.replace(at: 883, [UInt8](repeating: 0x20, count: 512))
        }
    }

    private static func sectors(
        _ image: borrowing ImageFile, from start: UInt32, limits: ISOLimits
    ) throws -> [[UInt8]] {
        var sectors: [[UInt8]] = []
        while sectors.last?.first != 255 {
            let sector = start + UInt32(sectors.count)
            guard sectors.count < limits.descriptors else {
                throw ISOError(
                    .limitExceeded, subject: image.path.string,
                    detail: "more than \(limits.descriptors) volume descriptors and no terminator", sector: sector)
            }
            let bytes = try image.descriptor(sector).bytes
            guard bytes[1...5].elementsEqual(ISOFormat.standardIdentifier) else {
                throw ISOError(
                    .damaged, subject: image.path.string,
                    detail: "no volume descriptor and none before it ends the set", sector: sector)
            }
            sectors.append(bytes)
        }
        return sectors
    }

    /// The primary descriptor at a sector, or `nil` where there is none.
    private static func primary(_ image: borrowing ImageFile, at sector: UInt32) throws -> Fields? {
        let start = UInt64(sector) * UInt64(ISOFormat.sectorSize)
        guard start + UInt64(ISOFormat.sectorSize) <= image.size else { return nil }
        let fields = try image.sector(sector, what: "a volume descriptor")
        return fields.byte(0) == 1 && fields.slice(1, 5) == ISOFormat.standardIdentifier ? fields : nil
    }

    /// The volume recognition sequence of UDF (ECMA-167 2/9.1) follows the descriptors of ISO 9660; between them may
    /// stand what a program tells of itself.
    private static func refuseUDF(_ image: borrowing ImageFile, after sector: UInt32) throws {
        for next in sector..<sector + 16 {
            let start = UInt64(next) * UInt64(ISOFormat.sectorSize)
            guard start + UInt64(ISOFormat.sectorSize) <= image.size else { return }
            let fields = try image.sector(next, what: "what follows the volume descriptors")
            guard ["BEA01", "NSR02", "NSR03"].contains(fields.text(1, 5)) else { continue }
            throw ISOError(
                .unsupported, subject: image.path.string,
                detail: "holds a UDF file system beside ISO 9660, which would not hold the new files", sector: next)
        }
    }

    /// A session behind the volume begins on a multiple of 32 sectors, its descriptors 16 sectors later.
    private static func refuseLaterSession(_ image: borrowing ImageFile, _ main: Fields) throws {
        let end = main.little32(80)
        for gap: UInt32 in [0, 150, 182] {
            let (sector, overflow) = (end &+ gap &+ 31).subtractingReportingOverflow((end &+ gap &+ 31) % 32)
            guard !overflow, sector < UInt32.max - 16 else { continue }
            for start in [end &+ gap &+ 16, sector + 16] where start > end {
                guard try primary(image, at: start) != nil else { continue }
                throw ISOError(
                    .unsupported, subject: image.path.string,
                    detail: "has several sessions; write the last of them to an image of its own", sector: start)
            }
        }
    }
}
