import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import ISOBuild

/// Images that grew, judged by the programs that write and check partition tables.
@Suite struct HybridGrowthTests {
    static let added: UInt64 = 5_000_000 / 2048 * 2048

    @Test(arguments: HybridImages.Kind.hybrid)
    func `an image that grew has the tables it had`(_ kind: HybridImages.Kind) async throws {
        let scratch = try Scratch()
        let image = try await HybridImages.make(kind, in: scratch)
        let (grown, growth) = try HybridImages.grow(image, by: Self.added, in: scratch)
        let isAlike = kind.name == HybridImages.Kind.appendedAlike.name
        let allowed: Set = isAlike ? ["Problem: MBR partitions 1 and 2 overlap!"] : []
        try await Self.judge(image, grown, growth, allowed: allowed)
        let again = try HybridImages.grow(grown, by: 2048, in: scratch)
        try await Self.judge(grown, again.image, again.growth)
    }

    @Test(arguments: [[], ["--uefi"], ["--uefi", "--mac"], ["--partok"], ["-h", "255", "-s", "63"]])
    func `an image that SYSLINUX's isohybrid made grows as well`(_ options: [String]) async throws {
        let scratch = try Scratch()
        let image = try await HybridImages.makeBySYSLINUX(options, in: scratch)
        let (grown, growth) = try HybridImages.grow(image, by: Self.added, in: scratch)
        try await Self.judge(image, grown, growth)
        let again = try HybridImages.grow(grown, by: 2048, in: scratch)
        try await Self.judge(grown, again.image, again.growth)
        let end = try HybridTables(again.image).mbr?.partitions.first?.end
        #expect(end == again.growth.imageSize / 512)
    }

    @Test(arguments: [
        "grub-rescue/grub-rescue-cdrom.iso", "ipxe/ipxe.iso", "memtest86+/memtest86+x64.iso",
        "memtest86+/memtest86+ia32.iso",
    ])
    func `an image that a distribution ships grows as well`(_ name: String) async throws {
        let scratch = try Scratch()
        let image = FilePath("/usr/lib").pushing(FilePath(name))
        let (grown, growth) = try HybridImages.grow(image, by: Self.added, in: scratch)
        try await Self.judge(image, grown, growth)
        let first = try #require(try HybridTables(grown).mbr?.partitions.first)
        #expect(first.end == growth.imageSize / 512)
    }

    @Test func `an image of grub-mkrescue that grew has the tables it had`() async throws {
        let scratch = try Scratch()
        let image = scratch.path.appending("source.iso")
        try scratch.file("tree/some", "some")
        let made = try await run("grub-mkrescue", ["-o", image.string, scratch.path.appending("tree").string])
        #expect(made.succeeded, "\(made.errors)")
        let (grown, growth) = try HybridImages.grow(image, by: Self.added, in: scratch)
        try await Self.judge(image, grown, growth)
    }

    @Test func `Alpine's image that grew has the tables it had`() async throws {
        let scratch = try Scratch()
        let name = "alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso"
        let image = Product.mirror.pushing(FilePath(name))
        let (grown, growth) = try HybridImages.grow(image, by: Self.added, in: scratch)
        try await Self.judge(image, grown, growth)
        let tables = try HybridTables(grown)
        #expect(tables.mbr?.kind == .ordinary && tables.mbr?.bootCode == .isohybrid)
        #expect(tables.gpt?.partitions.map(\.name) == ["ISOHybrid", "ISOHybrid1"])
        let dump = try await run("sfdisk", ["--dump", grown.string])
        let blocks = growth.imageSize / 512
        #expect(dump.output.replacing(" ", with: "").contains("start=0,size=\(blocks),type=0,bootable"), "\(dump)")
    }

    /// Compares the reports of xorriso and sgdisk on both images, and reads the new one.
    static func judge(
        _ old: FilePath, _ new: FilePath, _ growth: HybridGrowth, allowed: Set<String> = []
    ) async throws {
        let before = try await Report(old)
        let after = try await Report(new)
        if growth.notes.contains(where: { $0.contains("lies across") }) {
            #expect(after.shape == before.shape.map { $0.replacing("0x80  0x17", with: "0x80  0x00") })
        } else {
            #expect(after.shape == before.shape)
        }
        #expect(after.problems.subtracting(before.problems).subtracting(allowed) == [])
        let tables = try HybridTables(new)
        #expect(tables.faults.isEmpty && tables.imageSize == growth.imageSize)
    }

    /// What other programs say of an image.
    struct Report {
        /// The lines of xorriso's report of the system area.
        let system: [String]
        /// The complaints of `sgdisk -v`.
        let problems: Set<String>

        init(_ image: FilePath) async throws {
            let report = try await run("xorriso", ["-indev", image.string, "-report_system_area", "plain"])
            #expect(report.succeeded, "\(report.errors)")
            system = report.output.split(separator: "\n").map(String.init)
            let checked = try await run("sgdisk", ["-v", image.string])
            problems = Set(
                checked.output.split(separator: "\n").map(String.init).filter {
                    $0.hasPrefix("Problem") || $0.hasPrefix("Warning")
                })
        }

        /// The report without what is a size.
        var shape: [String] {
            system.compactMap { line in
                let sizes = ["ISO image size", "GPT lba range"]
                if sizes.contains(where: line.hasPrefix) { return nil }
                if line.hasPrefix("GPT entry array") {
                    return line.replacing("overlapping", with: "").replacing("separated", with: "")
                }
                let columns = ["MBR partition      :", "GPT start and size", "APM start and size"]
                guard columns.contains(where: line.hasPrefix), let blocks = line.lastIndex(of: " ") else { return line }
                return String(line[..<blocks].reversed().drop { $0 == " " }.reversed())
            }
        }
    }
}
