import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Reads grafted images of other programs with Linux.
@Suite(.boots(1)) struct GraftKernelTests {
    @Test func `Linux reads grafted images as our own reader does`() async throws {
        let scratch = try Scratch()
        let script = Product.checkout.pushing("Tests/Peers/graft.py").string
        let made = try await run("python3", [script, "make", scratch.path.string, "4711", "72"])
        #expect(made.succeeded, "\(made.errors)")
        let disk = scratch.path.appending("disk.raw")
        let root = scratch.path.appending("initramfs")
        let image = scratch.path.appending("one.iso")
        var wanted: [String] = []
        var index = ""
        var offset: UInt64 = 0
        var images = try StagedFile(disk)
        for number in 1000..<1072 {
            let source = scratch.path.appending("\(number).source.iso")
            let mode = try HostFile.read(scratch.path.appending("\(number).mode"), limit: 99)
            let words = String(decoding: mode, as: UTF8.self)
            // What is compressed Linux decompresses, and our reader does not.
            guard HostFile.exists(source), words.hasPrefix("rr"), !words.contains("zisofs") else { continue }
            let present = try ISOReader(source).entries().filter { $0.kind == .file && !$0.path.hasPrefix("boot.") }
            var tree = FileTree()
            try tree.addFile("zz new/below/" + String(repeating: "l", count: 250), "new", origin: "test")
            try tree.addSymlink("zz link", to: "zz new/below", origin: "test")
            if let file = present.first { try tree.addFile(file.path, "replaced", origin: "test") }
            let removed = try present.dropFirst().prefix(2).map { try EntryPath($0.path) }
            let written = try ISOGraft(source, epoch: BuildStamp.defaultEpoch).write(tree, removing: removed, to: image)
            guard let lines = try Self.lines(of: image) else { continue }
            wanted.append("rockridge \(number) \(KernelISOTests.digest(lines))")
            let isJoliet = words.contains("joliet")
            if isJoliet {
                wanted.append("joliet \(number) \(KernelISOTests.digest(try KernelISOTests.jolietLines(of: image)))")
            }
            index += "\(number) \(offset) \(isJoliet ? 1 : 0)\n"
            try HostFile.forEachChunk(of: image) { chunk in try images.write(chunk) }
            offset += written.size
        }
        try images.commit()
        #expect(wanted.count >= 30)
        try await KernelISOTests.makeInitramfs(at: root, index: index)
        let (found, output) = try await KernelISOTests.readings(of: disk, initramfs: root)
        let missing = wanted.filter { !Set(found).contains($0) }
        #expect(found == wanted, "\(missing.count) of \(wanted.count) differ: \(missing); \(output.suffix(400))")
    }

    /// What the guest prints of an image; `nil` where a name is longer than Linux shows.
    private static func lines(of image: FilePath) throws -> [[UInt8]]? {
        let reader = try ISOReader(image)
        var lines: [[UInt8]] = []
        for entry in try reader.entries() {
            let longest = entry.path.split(separator: "/").map(\.utf8.count).max() ?? 0
            guard longest <= KernelISOTests.longestName else { return nil }
            let mode = { (type: UInt16) in String(type | entry.mode.bits, radix: 16) }
            let owner = "\(entry.owner) \(entry.group)"
            let path = "./\(entry.path)"
            switch entry.kind {
            case .directory: lines.append(Array("\(mode(0o040000)) \(owner) \(entry.modified ?? 0) \(path)".utf8))
            case .symlink(let target):
                lines.append(Array("\(mode(0o120000)) \(owner) \(entry.modified ?? 0) '\(path)' -> '\(target)'".utf8))
            case .file, .special:
                let text = "\(mode(0o100000)) \(owner) \(entry.size) \(entry.modified ?? 0) \(path)"
                lines.append(Array(text.utf8))
                lines.append(Array("\(Digest(of: try reader.read(entry, limit: 1 << 24)))  \(path)".utf8))
            }
        }
        return lines
    }
}
