import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Bootable images that others made: files are grafted onto them, and all else stays.
@Suite struct GraftForeignTests {
    static let images = [
        "/usr/lib/grub-rescue/grub-rescue-cdrom.iso", "/usr/lib/ipxe/ipxe.iso",
        "/usr/lib/memtest86+/memtest86+x64.iso", "/usr/lib/memtest86+/memtest86+ia32.iso", "grub-mkrescue",
    ]

    @Test(arguments: images) func `boot entries, partition tables and old files stay`(_ name: String) async throws {
        let scratch = try Scratch()
        let source = scratch.path.appending("1000.source.iso")
        let made =
            if name == "grub-mkrescue" {
                try await run(
                    "grub-mkrescue",
                    ["-o", source.string, try scratch.file("tree/some", "some").removingLastComponent().string])
            } else { try await run("cp", [name, source.string]) }
        try #require(made.succeeded, "\(made.errors)")
        let before = try Digest(ofFile: source)
        let image = scratch.path.appending("1000.iso")
        var tree = FileTree()
        try tree.addFile("added.txt", "added", origin: "test")
        try tree.addFile("added/" + String(repeating: "long", count: 50), "long", origin: "test")
        try tree.addFile("added/large", String(repeating: "x", count: 1_000_000), origin: "test")
        try ISOGraft(source, epoch: 0).write(tree, to: image)
        #expect(try Digest(ofFile: source) == before)

        let old = try await Self.bootEntries(source)
        #expect(old.count > 2)
        #expect(try await Self.bootEntries(image) == old)
        let tables = try await HybridGrowthTests.Report(source)
        let grown = try await HybridGrowthTests.Report(image)
        #expect(grown.shape == tables.shape)
        #expect(grown.problems.subtracting(tables.problems) == [])

        let reader = try ISOReader(source)
        let names = [ISONameSpace.rockRidge: "rr", .joliet: "joliet"]
        let mode = reader.volume.nameSpaces.compactMap { names[$0] }.joined(separator: " ")
        try scratch.file("1000.mode", mode.isEmpty ? "plain" : mode)
        let edit = try RandomGraft(adding: tree, epoch: 0)
        try scratch.file("1000.edit", edit.lines)
        let script = Product.checkout.pushing("Tests/Peers/graft.py").string
        let checked = try await run("python3", [script, "check", scratch.path.string])
        #expect(checked.succeeded, "\(checked.output) \(checked.errors)")
    }

    /// What xorriso reports of El Torito.
    private static func bootEntries(_ image: FilePath) async throws -> [String] {
        let report = try await run("xorriso", ["-indev", image.string, "-report_el_torito", "plain"])
        #expect(report.succeeded, "\(report.errors)")
        return report.output.split(separator: "\n").map(String.init).filter { $0.hasPrefix("El Torito") }
    }
}
