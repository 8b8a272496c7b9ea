import Archive
import Artefact
import SystemPackage
import TestSupport
import Testing

/// Images of kernel modules, made by mksquashfs.
@Suite struct SquashFSTests {
    /// The directories below `modules`; 600 of them, so that the names fill several metadata blocks.
    static func image(_ compression: String, in scratch: borrowing Scratch) async throws -> [UInt8] {
        let script = """
            mkdir -p tree/modules; echo file >tree/modules/file
            for i in $(seq 0 599); do mkdir tree/modules/6.18.$i-0-virt-with-a-name-that-takes-room; done
            mksquashfs tree image -comp $1 -noappend -quiet
            """
        let made = try await run("sh", ["-ec", script, "sh", compression], in: scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        return try HostFile.read(scratch.path.appending("image"), limit: 1 << 24)
    }

    static func directories(_ bytes: [UInt8], in path: [String] = ["modules"]) throws -> [String]? {
        try SquashFSReader.directories(in: path, named: "image") { offset, count in
            Array(bytes.dropFirst(Int(clamping: offset)).prefix(count))
        }
    }

    @Test(arguments: ["gzip", "xz", "zstd"])
    func `the directories of an image are found`(_ compression: String) async throws {
        let scratch = try Scratch()
        let bytes = try await Self.image(compression, in: scratch)
        let found = try #require(try Self.directories(bytes))
        #expect(found.count == 600 && Set(found).contains("6.18.599-0-virt-with-a-name-that-takes-room"))
        #expect(try Self.directories(bytes, in: []) == ["modules"])
        #expect(try Self.directories(bytes, in: ["modules", found[7]]) == [])
        #expect(try Self.directories(bytes, in: ["other"]) == nil)
        #expect(try Self.directories(bytes, in: ["modules", "file"]) == nil)
    }

    @Test func `other compressions and other files are told`() async throws {
        let scratch = try Scratch()
        let bytes = try await Self.image("lzo", in: scratch)
        #expect { try Self.directories(bytes) } throws: { ($0 as? ArchiveError)?.code == .unsupportedCompression }
        #expect { try Self.directories(Array("hsqs".utf8)) } throws: { ($0 as? ArchiveError)?.code == .notAnArchive }
    }

    @Test(arguments: ["gzip", "xz", "zstd"])
    func `random changes are survived`(_ compression: String) async throws {
        let scratch = try Scratch()
        let intact = try await Self.image(compression, in: scratch)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<200 {
            var bytes = intact
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let isHead = Bool.random(using: &random)
                bytes[Int.random(in: 0..<(isHead ? 96 : bytes.count), using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            do { _ = try Self.directories(bytes) } catch is ArchiveError { refused += 1 }
        }
        #expect(refused > 20, "seed \(seed)")
    }
}
