import Archive
import Artefact
import SystemPackage
import TestSupport
import Testing

/// The archive that the kernel unpacks into its first root, read by the programs that read such archives.
@Suite struct CPIOWriterTests {
    @Test func `GNU cpio, busybox and bsdtar read what was written`() async throws {
        let scratch = try Scratch()
        var tree = FileTree()
        for size in 0..<6 {
            try tree.insert(
                TreeEntry(
                    path: EntryPath("d/" + String(repeating: "n", count: size + 1)),
                    kind: .file(.bytes([UInt8](repeating: UInt8(size) &+ 65, count: size))), mode: .secret,
                    origin: "test"))
        }
        let large = try scratch.file("large", [UInt8](repeating: 7, count: 300_001))
        try tree.insert(
            TreeEntry(path: EntryPath("large"), kind: .file(.file(large, size: 300_001)), mode: .file, origin: "test"))
        try tree.addSymlink("link", to: "d/n", origin: "test")
        let archive = scratch.path.appending("a.cpio")
        let written = try CPIOWriter.write(tree, epoch: 1_767_225_600, to: archive, mode: .secret)
        #expect(written.size % 4 == 0)
        let script = """
            list() { (cd "$1"; find . -type f | sort | xargs sha256sum; stat -c '%n %a %Y' d/n large; readlink link); }
            mkdir gnu box tar; (cd gnu; cpio --quiet -idm <"$1"); (cd box; busybox cpio -idm <"$1" 2>/dev/null); bsdtar -xf "$1" -C tar
            list gnu; list box | cmp - <(list gnu) && list tar | cmp - <(list gnu) && echo same
            """
        let result = try await run("bash", ["-euc", script, "bash", archive.string], in: scratch.path)
        #expect(result.succeeded && result.output.hasSuffix("same\n"), "\(result.output)\(result.errors)")
        #expect(result.output.contains("d/n 600 1767225600\nlarge 644 1767225600\nd/n\n"), "\(result.output)")
        let again = scratch.path.appending("b.cpio")
        try CPIOWriter.write(tree, epoch: 1_767_225_600, to: again, mode: .secret)
        #expect(try Digest(ofFile: again) == Digest(ofFile: archive))
    }

    @Test func `a time that 32 bits do not hold is refused`() throws {
        let scratch = try Scratch()
        var tree = FileTree()
        try tree.addFile("a", "a", origin: "test")
        let target = scratch.path.appending("a.cpio")
        #expect(throws: ArchiveError.self) { try CPIOWriter.write(tree, epoch: 1 << 32, to: target, mode: .file) }
        #expect(!HostFile.exists(target))
    }
}
