import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// The order of directory records, in which readers may search (ECMA-119 §9.3).
@Suite struct RecordOrderTests {
    /// Names that others of the list begin, followed by characters on either side of the `;` of a version.
    static let names = ["a", "a b", "a+b", "a-b", "a.b", "a.b.c", "a0", "a1", "aa", "ab", "a_", "b"]

    @Test func `Joliet names have the order that xorriso gives them`() async throws {
        let scratch = try Scratch()
        var tree = FileTree()
        for name in Self.names {
            try tree.addFile(name, name, origin: "test")
            try scratch.file("tree/\(name)", Array(name.utf8))
        }
        let ours = scratch.path.appending("ours.iso")
        try ISOWriter(volumeIdentifier: "cidata", epoch: 0).write(tree, to: ours, mode: .file, digesting: false)
        let script = """
            xorrisofs -quiet -volid cidata -joliet -rational-rock -full-iso9660-filenames -output theirs.iso tree
            for image in ours theirs; do isoinfo -J -f -i $image.iso | sed 's/;1$//' >$image.txt; done
            wc -l <ours.txt; diff ours.txt theirs.txt
            """
        let result = try await run("sh", ["-ec", script], in: scratch.path)
        #expect(result.output == "\(Self.names.count)\n", "\(result.output)\(result.errors)")
    }

    @Test func `a record for each of very many extents costs no more than it must`() throws {
        let scratch = try Scratch()
        var tree = FileTree()
        try tree.addFile("f", "x", origin: "test")
        let path = scratch.path.appending("many.iso")
        try ISOWriter(volumeIdentifier: "cidata", epoch: 0).write(tree, to: path, mode: .file, digesting: false)
        var bytes = try HostFile.read(path, limit: 1 << 20)
        // The plain tree's root is laid anew behind the image: 40 records a sector, each but the last continued.
        var record = [UInt8](repeating: 0, count: 34)
        record.replaceSubrange(0..<1, with: [34])
        record[25] = 0x80
        record[32] = 1
        record[33] = 0x46
        let sector = bytes.count / 2048
        let sectors = 4000
        for _ in 0..<sectors {
            bytes += Array(repeating: record, count: 60).flatMap { $0 } + [UInt8](repeating: 0, count: 8)
        }
        for (offset, value) in [(156 + 2, sector), (156 + 10, sectors * 2048), (80, sector + sectors)] {
            for byte in 0..<4 { bytes[16 * 2048 + offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
        }
        try scratch.file("many.iso", bytes)
        let error = #expect(throws: ISOError.self) { try ISOReader(path, nameSpace: .plain).entries() }
        #expect(error?.code == .limitExceeded, "\(error?.description ?? "")")
    }
}
