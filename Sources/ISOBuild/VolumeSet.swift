internal import SystemPackage

/// The volume descriptors of an image that is read (ECMA-119 §8), checked against the size of the file.
struct VolumeSet {
    let volume: ISOVolume
    /// The roots of the primary and of the Joliet tree.
    let primary: DirectoryRecord
    let joliet: DirectoryRecord?
    /// The bytes before the system use entries of each record, where the image has Rock Ridge (SUSP §5.3).
    let rockRidgeSkip: Int?

    /// Reads the descriptors from sector 16 up to the terminator.
    init(_ image: borrowing ImageFile, limits: ISOLimits) throws {
        let subject = image.path.string
        guard let first = try Self.firstDescriptor(image) else {
            throw ISOError(
                .notISO9660, subject: subject, detail: "no volume descriptor at byte 32768 of \(image.size)")
        }
        var descriptors: [Fields] = [first]
        while let last = descriptors.last, last.byte(0) != 255 {
            let sector = ISOFormat.firstDescriptor + UInt32(descriptors.count)
            guard descriptors.count < limits.descriptors else {
                throw ISOError(
                    .limitExceeded, subject: subject,
                    detail: "more than \(limits.descriptors) volume descriptors and no terminator", sector: sector)
            }
            let next = try image.descriptor(sector)
            guard next.slice(1, 5) == ISOFormat.standardIdentifier else {
                throw ISOError(
                    .damaged, subject: subject, detail: "no volume descriptor and none before it ends the set",
                    sector: sector)
            }
            descriptors.append(next)
        }
        guard let index = descriptors.firstIndex(where: { $0.byte(0) == 1 }) else {
            throw ISOError(
                .damaged, subject: subject, detail: "no primary volume descriptor before the terminator",
                sector: ISOFormat.firstDescriptor)
        }
        let main = descriptors[index]
        let sectors = main.little32(80)
        guard UInt64(sectors) * UInt64(ISOFormat.sectorSize) <= image.size else {
            throw ISOError(
                .truncated, subject: subject,
                detail: "its descriptor promises \(UInt64(sectors) * UInt64(ISOFormat.sectorSize)) bytes,"
                    + " the file has \(image.size)")
        }
        primary = try Self.root(of: main, at: index, in: image)
        let second = descriptors.firstIndex { Self.isJoliet($0) }
        joliet = try second.map { try Self.root(of: descriptors[$0], at: $0, in: image) }
        rockRidgeSkip = try Self.rockRidgeSkip(image, root: primary)
        let boot = descriptors.first { $0.byte(0) == 0 && $0.text(7, 32) == "EL TORITO SPECIFICATION" }
        volume = ISOVolume(
            volumeIdentifier: main.text(40, 32),
            jolietVolumeIdentifier: second.map { descriptors[$0].wideText(40, 32) },
            systemIdentifier: main.text(8, 32), volumeSetIdentifier: main.text(190, 128),
            publisherIdentifier: main.text(318, 128), preparerIdentifier: main.text(446, 128),
            applicationIdentifier: main.text(574, 128), sectors: sectors, imageSize: image.size,
            created: ISOTime(long: main, at: 813)?.seconds, modified: ISOTime(long: main, at: 830)?.seconds,
            nameSpaces: (rockRidgeSkip == nil ? [] : [.rockRidge]) + (joliet == nil ? [] : [.joliet]) + [.plain],
            bootCatalog: boot?.little32(71))
    }

    /// Sector 16, or `nil` where it is no descriptor; one that the file cuts short tells a truncated image.
    private static func firstDescriptor(_ image: borrowing ImageFile) throws -> Fields? {
        let start = UInt64(ISOFormat.firstDescriptor) * UInt64(ISOFormat.sectorSize)
        let available = image.size > start ? Swift.min(image.size - start, UInt64(ISOFormat.sectorSize)) : 0
        let fields = Fields(bytes: try image.read(at: start, count: Int(available), what: "the first descriptor"))
        guard available >= 6, fields.slice(1, 5) == ISOFormat.standardIdentifier else { return nil }
        guard available == UInt64(ISOFormat.sectorSize) else {
            return try image.descriptor(ISOFormat.firstDescriptor)
        }
        return fields
    }

    /// A supplementary descriptor with one of the three escape sequences of Joliet.
    private static func isJoliet(_ descriptor: Fields) -> Bool {
        descriptor.byte(0) == 2 && descriptor.byte(88) == 0x25 && descriptor.byte(89) == 0x2F
            && [0x40, 0x43, 0x45].contains(descriptor.byte(90))
    }

    private static func root(
        of descriptor: Fields, at index: Int, in image: borrowing ImageFile
    ) throws -> DirectoryRecord {
        let sector = ISOFormat.firstDescriptor + UInt32(index)
        guard descriptor.little16(128) == UInt16(ISOFormat.sectorSize) else {
            throw ISOError(
                .unsupported, subject: image.path.string,
                detail: "has logical blocks of \(descriptor.little16(128)) bytes; only 2048 are read", sector: sector)
        }
        guard let record = DirectoryRecord(descriptor, at: 156), record.isDirectory else {
            throw ISOError(
                .damaged, subject: image.path.string, detail: "the root directory's record is no directory record",
                sector: sector)
        }
        return record
    }

    /// Looks for `SP` in the root's own record, also behind the 14 bytes of CD-ROM XA.
    private static func rockRidgeSkip(_ image: borrowing ImageFile, root: DirectoryRecord) throws -> Int? {
        let sector = try image.sector(root.extent, what: "the root directory")
        guard let record = DirectoryRecord(sector, at: 0) else { return nil }
        let use = Fields(bytes: record.systemUse)
        for start in [0, 14] where use.slice(start, 3) == Array("SP".utf8) + [7] {
            if use.slice(start + 4, 2) == [0xBE, 0xEF] { return Int(use.byte(start + 6)) }
        }
        return nil
    }
}
