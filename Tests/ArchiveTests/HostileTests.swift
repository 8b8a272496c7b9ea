import Archive
import Artefact
import SystemPackage
import TestSupport
import Testing

/// An archive that no tar program writes, and what the reader must say to it.
struct HostileArchive: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable () throws -> [UInt8]
    let code: ArchiveError.Code
    let detail: String
    var limits = ArchiveLimits.standard

    var testDescription: String { name }

    init(
        _ name: String, _ code: ArchiveError.Code, _ detail: String, limits: ArchiveLimits = .standard,
        _ make: @escaping @Sendable () throws -> [UInt8]
    ) {
        (self.name, self.code, self.detail, self.limits, self.make) = (name, code, detail, limits, make)
    }

    private static let good = RawTar.bytes([
        .directory("etc/"), RawTar.Member("etc/hostname", "node\n"), .link("etc/link", to: "hostname"),
    ])

    private static func records(_ text: String, then member: RawTar.Member = RawTar.Member("etc/a", "x")) -> [UInt8] {
        RawTar.bytes([RawTar.Member("PaxHeaders/a", text, type: "x"), member])
    }

    private static func record(_ key: String, _ value: String) -> String {
        RawTar.record(key, value)
    }

    private static func negative(_ width: Int) -> [UInt8] { [UInt8](repeating: 0xff, count: width) }

    static let all: [HostileArchive] = [
        HostileArchive("nothing", .notAnArchive, "is empty") { [] },
        HostileArchive("text", .notAnArchive, "neither gzip nor tar") { Array("hello".utf8) },
        HostileArchive("a block of text", .notAnArchive, "no tar header") { [UInt8](repeating: 0x41, count: 2048) },
        HostileArchive("gzip of text", .notAnArchive, "no tar header") {
            try Gzip.compress([UInt8](repeating: 0x41, count: 2048))
        },
        HostileArchive("gzip of a few bytes", .truncated, "middle of a header") {
            try Gzip.compress(Array("hello".utf8))
        },
        HostileArchive("xz", .unsupportedCompression, "xz") { [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0, 0] },
        HostileArchive("zstd", .unsupportedCompression, "zstd") { [0x28, 0xb5, 0x2f, 0xfd, 0, 0] },
        HostileArchive("bzip2", .unsupportedCompression, "bzip2") { Array("BZh91AY&SY".utf8) },
        HostileArchive("unknown gzip method", .unsupportedCompression, "method 9") {
            [0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0]
        },
        HostileArchive("gzip header cut", .truncated, "ends early") { [0x1f, 0x8b, 8, 0, 0] },
        HostileArchive("gzip cut in the middle", .truncated, "ends early") {
            let bytes = try Gzip.compress(good)
            return Array(bytes.prefix(bytes.count / 2))
        },
        HostileArchive("gzip trailer cut", .truncated, "ends early") { try Gzip.compress(good).dropLast(3) },
        HostileArchive("second gzip member cut", .truncated, "ends early") {
            try Gzip.compress(good) + Gzip.compress(good).dropLast(20)
        },
        HostileArchive("wrong gzip CRC", .badChecksum, "incorrect data check") {
            var bytes = try Gzip.compress(good)
            bytes[bytes.count - 6] ^= 0x10
            return bytes
        },
        HostileArchive("wrong gzip length", .badChecksum, "incorrect length check") {
            var bytes = try Gzip.compress(good)
            bytes[bytes.count - 2] ^= 0x10
            return bytes
        },
        HostileArchive("invalid deflate block", .malformed, "invalid block type") {
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xff] + [UInt8](repeating: 0xff, count: 40)
        },
        HostileArchive("tar cut in a header", .truncated, "middle of a header") { Array(good.prefix(700)) },
        HostileArchive("tar cut in a content", .truncated, "middle of a member") { Array(good.prefix(1030)) },
        HostileArchive("flipped bit in a later header", .badChecksum, "tar header 2") {
            var bytes = good
            bytes[512 + 3] ^= 4
            return bytes
        },
        HostileArchive("size that is no number", .malformed, "field size") {
            RawTar.Member("etc/a", sizeField: Array("0000009x\0\0\0\0".utf8)).bytes
        },
        HostileArchive("negative base-256 size", .malformed, "-1 bytes") {
            RawTar.Member("etc/a", sizeField: negative(12)).bytes
        },
        HostileArchive("base-256 size beyond 63 bits", .malformed, "field size") {
            RawTar.Member("etc/a", sizeField: [0x80, 0, 0, 1] + negative(8)).bytes
        },
        HostileArchive("base-256 size of 2⁶²", .limitExceeded, "at most") {
            RawTar.Member("etc/a", sizeField: [0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]).bytes
        },
        HostileArchive("size of 1 TiB in pax records", .limitExceeded, "at most") {
            records(record("size", "1099511627776"))
        },
        HostileArchive("negative size in pax records", .malformed, "'size'") { records(record("size", "-5")) },
        HostileArchive("size with a fraction in pax records", .malformed, "'size'") { records(record("size", "5.9")) },
        HostileArchive("size with a sign in pax records", .malformed, "'size'") { records(record("size", "+5")) },
        HostileArchive("owner with a fraction", .malformed, "'uid'") { records(record("uid", "0.0")) },
        HostileArchive("negative group", .malformed, "'gid'") { records(record("gid", "-0")) },
        HostileArchive("size beyond 63 bits in pax records", .malformed, "'size'") {
            records(record("size", "9223372036854775808"))
        },
        HostileArchive("time with a sign", .malformed, "'mtime'") { records(record("mtime", "+5")) },
        HostileArchive("time with two signs", .malformed, "'mtime'") { records(record("mtime", "--5")) },
        HostileArchive("time with two fractions", .malformed, "'mtime'") { records(record("mtime", "5.1.2")) },
        HostileArchive("time without seconds", .malformed, "'mtime'") { records(record("mtime", ".5")) },
        HostileArchive("size that is no number in pax records", .malformed, "'size'") {
            records(record("size", "many"))
        },
        HostileArchive("pax length of 99999999", .malformed, "pax records") { records("99999999 path=a\n") },
        HostileArchive("pax length of 0", .malformed, "pax records") { records("0 path=a\n") },
        HostileArchive("pax length shorter than the record", .malformed, "pax records") { records("5 path=etc/a\n") },
        HostileArchive("pax record without a key", .malformed, "pax records") { records("6 =ab\n") },
        HostileArchive("pax record without an equals sign", .malformed, "pax records") { records("8 path\n\n") },
        HostileArchive("pax name with a NUL", .malformed, "NUL") { records(record("path", "etc/a\0b")) },
        HostileArchive("pax name of 5000 bytes", .limitExceeded, "4095") {
            records(record("path", String(repeating: "n", count: 5000)))
        },
        HostileArchive("pax records of 2 GiB", .limitExceeded, "extended header") {
            RawTar.Member("a", type: "x", size: 2 << 30).bytes
        },
        HostileArchive("65 pax records in one header", .limitExceeded, "more than 64 pax records") {
            records(String(repeating: "5 a=\n", count: 65))
        },
        HostileArchive("1 MiB of the shortest pax records", .limitExceeded, "more than 64 pax records") {
            records(String(repeating: "5 a=\n", count: 200_000))
        },
        HostileArchive("9 MiB of pax records in all", .limitExceeded, "more than 8388608 bytes of pax records") {
            let member = records(record("comment", String(repeating: "c", count: 900_000))).dropLast(1024)
            return (0..<10).flatMap { _ in member }
        },
        HostileArchive(
            "long names of more than a limit in all", .limitExceeded, "more than 1000 bytes of pax records and long",
            limits: ArchiveLimits(extendedBytes: 1000)
        ) {
            let name = String(repeating: "n", count: 300)
            return (0..<4).flatMap { _ in RawTar.bytes([.long(name), .init("etc/a")], ended: false) }
        },
        HostileArchive("GNU name of 1 GiB", .limitExceeded, "extended header") {
            RawTar.Member("././@LongLink", type: "L", size: 1 << 30).bytes
        },
        HostileArchive("extended header of negative size", .malformed, "extended header") {
            RawTar.Member("././@LongLink", type: "L", sizeField: negative(12)).bytes
        },
        HostileArchive("extended header before the end of the file", .truncated, "after an extended header") {
            RawTar.bytes([.long("etc/a")], ended: false)
        },
        HostileArchive("extended header before the end mark", .malformed, "zeros between") {
            RawTar.bytes([.long("etc/a")])
        },
        HostileArchive("global pax name", .unsupportedMember, "global pax record 'path'") {
            RawTar.bytes([RawTar.Member("g", record("path", "etc/shadow"), type: "g"), RawTar.Member("etc/a")])
        },
        HostileArchive("GNU sparse file", .unsupportedMember, "sparse") {
            RawTar.bytes([RawTar.Member("etc/a", type: "S", magic: "ustar  \0")])
        },
        HostileArchive("pax sparse file", .unsupportedMember, "sparse") { records(record("GNU.sparse.major", "1")) },
        HostileArchive("member without a name", .malformed, "no name") { RawTar.bytes([RawTar.Member("", "x")]) },
        HostileArchive("owner beyond 32 bits", .malformed, "numbers of users") { records(record("uid", "4294967296")) },
        HostileArchive("endless headers", .limitExceeded, "more than 500 headers", limits: ArchiveLimits(headers: 500))
        {
            (0..<501).flatMap { RawTar.Member("etc/\($0)").bytes }
        },
        HostileArchive(
            "endless pax headers", .limitExceeded, "more than 500 headers", limits: ArchiveLimits(headers: 500)
        ) {
            let one = RawTar.Member("a", record("comment", "x"), type: "g").bytes
            return (0..<501).flatMap { _ in one }
        },
        HostileArchive("10 GiB of zeros in 10 MiB, as a member", .limitExceeded, "bomb") {
            try bomb(RawTar.Member("etc/zeros", size: 3 << 30).bytes)
        },
        HostileArchive("10 GiB of zeros in 10 MiB, after the end mark", .limitExceeded, "bomb") { try bomb(good) },
        HostileArchive(
            "more than may come out in all", .limitExceeded, "more than 1048576 bytes",
            limits: ArchiveLimits(totalBytes: 1 << 20)
        ) { good + [UInt8](repeating: 0, count: 2 << 20) },
    ]

    /// Gzip members of 1 MiB of zeros each, 10 240 of them.
    private static func bomb(_ start: [UInt8]) throws -> [UInt8] {
        let zeros = try Gzip.compress([UInt8](repeating: 0, count: 1 << 20))
        var bytes = try Gzip.compress(start)
        bytes.reserveCapacity(zeros.count * 10_241)
        for _ in 0..<10_240 { bytes += zeros }
        return bytes
    }
}

@Suite struct HostileTests {
    @Test(arguments: HostileArchive.all)
    func `a hostile archive is refused with its reason and in bounded time`(_ archive: HostileArchive) throws {
        let bytes = try archive.make()
        let start = ContinuousClock.now
        for fromFile in [false, true] {
            let scratch = try Scratch()
            let path = try scratch.file("a.tar.gz", bytes)
            let error = #expect(throws: ArchiveError.self) {
                var reader =
                    fromFile
                    ? try ArchiveReader(path, limits: archive.limits)
                    : try ArchiveReader(bytes: bytes, named: "a.tar.gz", limits: archive.limits)
                while try reader.next() != nil {}
            }
            #expect(error?.code == archive.code, "\(error?.description ?? "")")
            #expect(error?.detail.contains(archive.detail) == true, "\(error?.description ?? "")")
            #expect(error?.subject == (fromFile ? path.string : "a.tar.gz"))
        }
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func `an error is thrown again by every further call`() throws {
        var reader = try ArchiveReader(bytes: RawTar.Member("etc/a", "x", size: 4000).bytes, named: "a")
        _ = try reader.next()
        let first = #expect(throws: ArchiveError.self) { try reader.next() }
        let second = #expect(throws: ArchiveError.self) { try reader.next() }
        #expect(first == second)
    }

    @Test func `an error while a content is read is thrown again by every further call`() throws {
        let large = RawTar.bytes([.init("etc/a", String(repeating: "x", count: 600_000))])
        var damaged = try Gzip.compress(large)
        damaged[damaged.count - 6] ^= 0x10
        let cases: [(bytes: [UInt8], limit: Int, code: ArchiveError.Code)] = [
            (damaged, 1 << 20, .badChecksum), (Array(large.prefix(1030)), 1 << 20, .truncated),
            (large, 599_999, .limitExceeded),
        ]
        for (bytes, limit, code) in cases {
            var reader = try ArchiveReader(bytes: bytes, named: "a")
            #expect(try reader.next()?.size == 600_000)
            let first = try #require(throws: ArchiveError.self) { try reader.read(limit: limit) }
            #expect(first.code == code)
            #expect(throws: first) { try reader.read(limit: 1) }
            #expect(throws: first) { try reader.read(limit: 1 << 20) }
            #expect(throws: first) { try reader.forEachChunk { _ in } }
            #expect(throws: first) { try reader.next() }
        }
    }

    @Test func `an error of the caller's is the caller's alone`() throws {
        struct Stop: Error {}
        var reader = try ArchiveReader(bytes: RawTar.bytes([.init("etc/a", "x"), .init("etc/b")]), named: "a")
        _ = try reader.next()
        #expect(throws: Stop.self) { try reader.forEachChunk { _ in throw Stop() } }
        #expect(try reader.next()?.name == "etc/b")
    }

    @Test func `a file that does not exist and a directory are refused by the system's word`() throws {
        let scratch = try Scratch()
        for path in [scratch.path.appending("none"), scratch.path, "/dev/null"] {
            let error = #expect(throws: ArchiveError.self) { _ = try ArchiveReader(path).summary }
            #expect(error?.description.hasPrefix(path.string) == true)
        }
    }

    @Test func `device nodes, pipes, hard links and odd types are told, never followed`() throws {
        let bytes = RawTar.bytes([
            RawTar.Member("dev/a", type: "3"), RawTar.Member("dev/b", type: "4"), RawTar.Member("dev/c", type: "6"),
            RawTar.Member("etc/d", type: "1", link: "../../etc/shadow"), RawTar.Member("label", type: "V"),
            RawTar.Member("etc/e", "content", type: "7"), RawTar.Member("etc/f", size: 9_000, magic: ""),
        ])
        var reader = try ArchiveReader(bytes: bytes + [UInt8](repeating: 0, count: 9 << 10), named: "a")
        var kinds: [ArchiveMember.Kind] = []
        while let member = try reader.next() { kinds.append(member.kind) }
        #expect(
            kinds == [
                .other("character device"), .other("block device"), .other("FIFO"),
                .hardlink(target: "../../etc/shadow"), .other("type \"V\""), .file, .file,
            ])
    }

    @Test func `as many pax records as the limit are read, and a key that comes twice is told once`() throws {
        let text = (0..<32).map { RawTar.record("comment.\($0)", "a") + RawTar.record("comment.\($0)", "b") }.joined()
        let bytes = RawTar.bytes([.init("PaxHeaders/a", text, type: "x"), .init("etc/a")])
        var reader = try ArchiveReader(bytes: bytes, named: "a")
        #expect(try reader.next()?.recordKeys == (0..<32).map { "comment.\($0)" })
    }

    @Test(arguments: ["BZhome/file", "BZh9/file", "LZIP", "PK\u{3}\u{4}"])
    func `a plain archive is known by its header, whatever its first name begins with`(_ name: String) throws {
        var reader = try ArchiveReader(bytes: RawTar.bytes([.init(name, "x")]), named: "a")
        #expect(try reader.next()?.name == name)
    }

    @Test func `what begins like bzip2 without a level is no archive`() throws {
        let bytes = Array("BZhome".utf8) + [UInt8](repeating: 0, count: 506)
        let error = #expect(throws: ArchiveError.self) {
            var reader = try ArchiveReader(bytes: bytes, named: "a")
            _ = try reader.next()
        }
        #expect(error?.code == .notAnArchive)
    }

    @Test(arguments: [
        ("5", 5), ("5.9", 5), ("5.", 5), ("-5", -5), ("-5.0", -5), ("-5.1", -6), ("-0.5", -1),
        ("-9223372036854775807.9", Int64.min),
    ])
    func `a time in pax records is rounded down`(_ text: String, _ seconds: Int64) throws {
        let bytes = RawTar.bytes([.records(("mtime", text)), .init("etc/a")])
        var reader = try ArchiveReader(bytes: bytes, named: "a")
        #expect(try reader.next()?.modified == seconds)
    }

    @Test func `what surrounds an archive is told`() throws {
        let tar = RawTar.bytes([RawTar.Member("etc/a", "x")])
        func summary(_ bytes: [UInt8]) throws -> ArchiveSummary {
            var reader = try ArchiveReader(bytes: bytes, named: "a")
            while try reader.next() != nil {}
            return reader.summary
        }
        let open = RawTar.bytes([RawTar.Member("etc/a", "x")], ended: false)
        #expect(try summary(tar).hasEndMark && summary(tar).remainder == .nothing)
        #expect(try !summary(open).hasEndMark)
        #expect(try !summary(open + [UInt8](repeating: 0, count: 512)).hasEndMark)
        #expect(try summary(tar + [UInt8](repeating: 0, count: 9216)).remainder == .nothing)
        #expect(try summary(tar + tar).remainder == .archive)
        #expect(try summary(tar + Array("tail".utf8)).remainder == .bytes)
        let zeros = [UInt8](repeating: 0, count: 9216)
        #expect(try summary(tar + zeros + tar).remainder == .archive)
        #expect(try summary(tar + zeros.prefix(100) + tar).remainder == .bytes)
        #expect(try summary(tar + zeros + Array("tail".utf8)).remainder == .bytes)
        #expect(try summary(tar + zeros + Array("tail".utf8) + zeros).remainder == .bytes)
        for whole in [tar + tar, tar + zeros + tar] {
            for cut in [1, 100, 511, 512, 513].map({ tar.count + $0 }) {
                let pieces = try Gzip.compress(Array(whole[..<cut])) + Gzip.compress(Array(whole[cut...]))
                #expect(try summary(pieces).remainder == .archive, "\(cut) of \(whole.count)")
            }
        }
        let (one, two) = (try Gzip.compress(open), try Gzip.compress(tar))
        #expect(try summary(one + two).gzipMembers == 2)
        #expect(try !summary(one + two + [0, 0, 0]).hasBytesAfterGzip)
        #expect(try summary(two + Array("tail".utf8)).hasBytesAfterGzip)
    }

    @Test(arguments: 0..<4) func `no flipped byte makes the reader crash`(_ part: Int) throws {
        let seed = UInt64(part) &+ 0xa9c4
        var random = SeededGenerator(seed: seed)
        let long = String(repeating: "n", count: 300)
        let tar = RawTar.bytes([
            .directory("etc/"), RawTar.Member("././@LongLink", long + "\0", type: "L"), RawTar.Member("etc/n", "text"),
            RawTar.Member("p", "19 path=etc/longer\n", type: "x"), .link("etc/link", to: "a"),
        ])
        for original in [tar, try Gzip.compress(tar)] {
            for _ in 0..<250 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
                do {
                    var reader = try ArchiveReader(bytes: bytes, named: "seed \(seed)")
                    while try reader.next() != nil { try reader.forEachChunk { _ in } }
                } catch let error as ArchiveError {
                    #expect(!error.detail.isEmpty && !error.description.contains("\n"))
                }
            }
        }
    }
}
