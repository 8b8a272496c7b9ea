internal import SystemPackage

/// The boot catalogue of El Torito 1.0: entries of 32 bytes.
enum BootCatalog {
    private static let entrySize = 32

    /// Reads the validation entry, the initial entry and the sections after it.
    static func entries(
        at sector: UInt32, in image: borrowing ImageFile, limits: ISOLimits
    ) throws -> [BootEntry] {
        let start = UInt64(sector) * UInt64(ISOFormat.sectorSize)
        func damaged(_ detail: String) -> ISOError {
            ISOError(.damaged, subject: image.path.string, detail: detail, sector: sector)
        }
        func entry(_ index: Int) throws -> Fields {
            guard index < limits.bootEntries else {
                throw ISOError(
                    .limitExceeded, subject: image.path.string,
                    detail: "more than \(limits.bootEntries) entries in the boot catalogue", sector: sector)
            }
            return Fields(
                bytes: try image.read(
                    at: start + UInt64(index * entrySize), count: entrySize, what: "the boot catalogue"))
        }
        let validation = try entry(0)
        var sum: UInt16 = 0
        for offset in stride(from: 0, to: entrySize, by: 2) { sum &+= validation.little16(offset) }
        guard validation.byte(0) == 1, validation.slice(30, 2) == [0x55, 0xAA], sum == 0 else {
            throw damaged("the boot catalogue's validation entry is wrong")
        }
        var found = [
            boot(try entry(1), platform: validation.byte(1), identifier: validation.text(4, 24))
        ]
        var index = 2
        while true {
            let header = try entry(index)
            guard header.byte(0) == 0x90 || header.byte(0) == 0x91 else { return found }
            index += 1
            for _ in 0..<header.little16(2) {
                found.append(boot(try entry(index), platform: header.byte(1), identifier: header.text(4, 28)))
                index += 1
                while try index < limits.bootEntries && entry(index).byte(0) == 0x44 { index += 1 }
            }
            if header.byte(0) == 0x91 { return found }
        }
    }

    private static func boot(_ fields: Fields, platform: UInt8, identifier: String) -> BootEntry {
        BootEntry(
            platform: platform == 0 ? .bios : platform == 0xEF ? .efi : .other(platform),
            isBootable: fields.byte(0) == 0x88, emulation: fields.byte(1) & 0x0F, loadSegment: fields.little16(2),
            sectors: fields.little16(6), location: fields.little32(8), identifier: identifier)
    }
}
