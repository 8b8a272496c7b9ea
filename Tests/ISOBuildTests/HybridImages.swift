import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import ISOBuild

/// Bootable images by xorriso and GRUB, one for each kind of partition table that such images have.
struct HybridImages {
    /// How an image is made, and what its tables are.
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: [String]

        var testDescription: String { name }

        private static let isolinux = [
            "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
        ]
        private static let mbr = ["-isohybrid-mbr", "/usr/lib/ISOLINUX/isohdpfx.bin"]
        private static let efi = ["-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot"]
        private static let appended = [
            "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot", "-append_partition",
            "2", "0xef", "EFI",
        ]

        static let plain = Kind(name: "no table", arguments: [])
        static let basicData = Kind(name: "GPT", arguments: isolinux + mbr + efi + ["-isohybrid-gpt-basdat"])
        static let appendedMBR = Kind(name: "appended", arguments: isolinux + mbr + appended)
        static let appendedGPT = Kind(
            name: "appended, GPT", arguments: isolinux + mbr + appended + ["-appended_part_as_gpt"])
        static let appendedLast = Kind(
            name: "appended, GPT, no padding",
            arguments: isolinux + mbr + appended + ["-appended_part_as_gpt", "-no-pad"])
        static let appendedAlike = Kind(
            name: "appended, like isohybrid",
            arguments: isolinux + mbr + appended + ["-part_like_isohybrid", "-isohybrid-gpt-basdat"])
        static let offset = Kind(name: "offset", arguments: isolinux + mbr + ["-partition_offset", "16"])
        static let offsetGPT = Kind(
            name: "offset, GPT", arguments: basicData.arguments + ["-partition_offset", "16"])
        /// All that have a table.
        static let hybrid: [Kind] = [
            Kind(name: "isohybrid", arguments: isolinux + mbr),
            Kind(name: "isohybrid, EFI", arguments: isolinux + mbr + efi), basicData,
            Kind(name: "HFS+ in GPT", arguments: isolinux + mbr + efi + ["-isohybrid-gpt-hfsplus"]),
            Kind(
                name: "Apple map", arguments: basicData.arguments + ["-isohybrid-apm-hfsplus"]),
            Kind(
                name: "EFI only",
                arguments: ["-e", "efi.img", "-no-emul-boot", "-efi-boot-part", "--efi-boot-image"]),
            Kind(
                name: "EFI only, no padding",
                arguments: ["-e", "efi.img", "-no-emul-boot", "-efi-boot-part", "--efi-boot-image", "-no-pad"]),
            Kind(name: "protective MBR", arguments: isolinux + ["--protective-msdos-label"]),
            Kind(
                name: "not aligned", arguments: basicData.arguments + ["-partition_cyl_align", "off"]),
            appendedMBR, appendedGPT, appendedLast, appendedAlike, offset, offsetGPT,
            Kind(
                name: "offset, appended, GPT",
                arguments: isolinux + mbr + appended + ["-appended_part_as_gpt", "-partition_offset", "16"]),
        ]
    }

    /// Makes an image.
    static func make(_ kind: Kind, in scratch: borrowing Scratch) async throws -> FilePath {
        let image = scratch.path.appending("source.iso")
        let efi = try await makeTree(in: scratch)
        let written = try await run(
            "xorriso",
            ["-as", "mkisofs", "-R", "-J", "-V", "HYBRID", "-o", image.string]
                + kind.arguments.map { $0 == "EFI" ? efi.string : $0 } + [scratch.path.appending("tree").string])
        #expect(written.succeeded, "\(written.errors)")
        return image
    }

    /// Makes what goes into an image; the EFI image lies beside the tree as well.
    private static func makeTree(in scratch: borrowing Scratch) async throws -> FilePath {
        let efi = scratch.path.appending("efi.img")
        let made = try await run("mformat", ["-C", "-i", efi.string, "-f", "1440", "-N", "12345678", "::"])
        #expect(made.succeeded, "\(made.errors)")
        let code = try HostFile.read("/usr/lib/ISOLINUX/isolinux.bin", limit: 1 << 20)
        try scratch.file("tree/isolinux.bin", code)
        try scratch.file("tree/efi.img", try HostFile.read(efi, limit: 1 << 22))
        try scratch.file("tree/some", [UInt8](repeating: 7, count: 300_001))
        return efi
    }

    /// Makes an image by genisoimage, and a hybrid one of it by SYSLINUX's own program, which lays its tables out otherwise
    /// than xorriso does.
    static func makeBySYSLINUX(_ options: [String], in scratch: borrowing Scratch) async throws -> FilePath {
        let image = scratch.path.appending("source.iso")
        let efi = try await makeTree(in: scratch)
        try scratch.file("tree/mac.img", try HostFile.read(efi, limit: 1 << 22))
        let script = """
            genisoimage -quiet -R -J -V HYBRID -o source.iso -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \\
                -boot-info-table -eltorito-alt-boot -e efi.img -no-emul-boot \\
                -eltorito-alt-boot -e mac.img -no-emul-boot tree
            isohybrid "$@" source.iso
            """
        let made = try await run("sh", ["-euc", script, "sh"] + options, in: scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        return image
    }

    /// A copy with `added` bytes of content behind it, all of its volume descriptors and tables told of it.
    static func grow(
        _ image: FilePath, by added: UInt64, in scratch: borrowing Scratch
    ) throws -> (image: FilePath, growth: HybridGrowth) {
        let volume = try ISOReader(image).volume
        let tables = try HybridTables(image)
        let content = tables.contentStart + added
        let growth = try tables.growth(from: UInt64(volume.sectors) * 2048, to: content)
        #expect(growth.imageSize >= content && growth.imageSize % 2048 == 0)
        var bytes = try HostFile.read(image, limit: 1 << 28)
        bytes += [UInt8](repeating: 0, count: Int(tables.contentStart) - bytes.count)
        bytes += [UInt8](repeating: 0xA5, count: Int(added))
        bytes += [UInt8](repeating: 0, count: Int(growth.imageSize) - bytes.count)
        for range in growth.obsolete {
            for index in range { bytes[Int(index)] = 0 }
        }
        for patch in growth.patches {
            #expect(patch.offset + UInt64(patch.bytes.count) <= 32768 || patch.offset >= content)
            bytes.replaceSubrange(Int(patch.offset)..<Int(patch.offset) + patch.bytes.count, with: patch.bytes)
        }
        for start in [0, tables.offsetVolume ?? 0] {
            let size = UInt32((growth.imageSize - start) / 2048)
            for sector in 16..<18 {
                bytes.put(size, at: Int(start) + sector * 2048 + 80)
                bytes.put(size, at: Int(start) + sector * 2048 + 84, big: true)
            }
        }
        return (try scratch.file("grown.iso", bytes), growth)
    }
}
