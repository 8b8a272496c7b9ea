internal import Artefact
internal import Node
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

/// Every reader of this room over inputs with random bytes changed, cut and doubled: an answer or an error, in bounded time.
@Suite(.timeLimit(.minutes(20))) struct RandomChangeTests {
    private static let seed: UInt64 = 20_261_124

    /// Changes bytes, cuts the end off, or repeats a part.
    private static func changed(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: bytes = Array(bytes[..<index])
            case 1: bytes += bytes[index...]
            case 2: bytes[index] = 0xff
            case 3: bytes[index] = 0
            default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return bytes
    }

    private static func sweep(
        _ what: String, rounds: Int, over inputs: [[UInt8]], _ read: ([UInt8]) throws -> Void
    ) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<rounds {
            let bytes = changed(inputs[round % inputs.count], &random)
            do { try read(bytes) } catch let error as UpstreamError {
                #expect(!error.description.utf8.contains(0x0a), "\(what): seed \(seed), round \(round)")
            } catch {
                Issue.record("\(what): seed \(seed), round \(round): \(error)")
            }
        }
    }

    @Test func `ELF files`() {
        let inputs =
            [
                ELFFile.staticProgram().bytes, ELFFile(is64: false, isBig: true).bytes,
                ELFFile.dynamicProgram(loader: "/lib/ld-musl-x86_64.so.1").bytes,
            ].map { Array($0.prefix(200) + $0.suffix(80)) } + [ELFFile.dynamicProgram(loader: "/lib/x").bytes]
        Self.sweep("ELF", rounds: 4000, over: inputs) { bytes in
            let image = try ELFImage(bytes: bytes, named: "a")
            try image.requireStaticProgram(for: .x86_64)
        }
    }

    @Test func `checksum files`() {
        let hex = String(repeating: "0123456789abcdef", count: 4)
        let inputs = [
            "\(hex)  a.iso\n\(hex) *b\n", "SHA256 (a) = \(hex)\nSHA512 (b) = \(hex)\(hex)\n", "\\\(hex)  a\\\\b\n",
        ]
        Self.sweep("checksum file", rounds: 3000, over: inputs.map { Array($0.utf8) }) { bytes in
            _ = try ChecksumFile(bytes: bytes, named: "a").requiredEntry(for: "a.iso")
        }
    }

    @Test func `package indexes`() {
        let text = "C:Q1abc=\nP:musl\nV:1.2.5-r23\nS:4\np:cmd:ldd=1 so:x=1\n\nP:a\nV:1_rc2-r3\nD:musl>1\n"
        Self.sweep("index", rounds: 3000, over: [Array(text.utf8)]) { bytes in
            let index = try PackageIndex(text: bytes, named: "a")
            _ = index.missing(world: ["musl>1", "a", "b"])
            _ = index.nearestName(to: "msul")
        }
        Self.sweep("index archive", rounds: 1000, over: [SmallArchive.index(text)]) { bytes in
            try PackageIndex(archive: bytes, named: "a").requireSignature()
        }
    }

    @Test func `images`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        let release = AlpineRelease(version: "3.23.6", flavor: .virt)
        try SmallMedium().write(to: path)
        let whole = try HostFile.read(path, limit: 16 << 20)
        var random = SeededGenerator(seed: Self.seed)
        for round in 0..<60 {
            let file = try FileDescriptor.open(path, .writeOnly)
            var undo: [(Int, UInt8)] = []
            for _ in 0..<4 {
                let offset = Int.random(in: 0x8000..<0x20000, using: &random)
                undo.append((offset, whole[offset]))
                try file.writeAll(toAbsoluteOffset: Int64(offset), [UInt8.random(in: 0...255, using: &random)])
            }
            do {
                _ = try AlpineImage.verify(path, release: release, architecture: .x86_64, world: ["openssh"])
            } catch is UpstreamError {
            } catch {
                Issue.record("seed \(Self.seed), round \(round): \(error)")
            }
            for (offset, byte) in undo { try file.writeAll(toAbsoluteOffset: Int64(offset), [byte]) }
            try file.close()
        }
    }
}
