import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import ISOBuild

/// Tables that contradict themselves, each other or the image, and those that cannot say how large it becomes.
@Suite struct HybridHostileTests {
    /// Writes a number into the bytes of an image.
    struct Change: Sendable, CustomTestStringConvertible {
        let reason: String
        let change: @Sendable (inout [UInt8]) -> Void
        var testDescription: String { reason }

        init(_ reason: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void) {
            self.reason = reason
            self.change = change
        }
    }

    /// Changes a field of the primary header, and makes its checksum right again.
    static func header<Value: FixedWidthInteger>(_ bytes: inout [UInt8], _ offset: Int, _ value: Value) {
        bytes.put(value, at: 512 + offset)
        seal(&bytes, 512)
    }

    static func seal(_ bytes: inout [UInt8], _ start: Int) {
        bytes.put(UInt32(0), at: start + 16)
        bytes.put(CRC32.of(Array(bytes[start..<start + 92])), at: start + 16)
    }

    static let contradictions = [
        Change("the checksum of its header is wrong") { $0[512 + 60] ^= 1 },
        Change("the checksum of its entries is wrong") { $0[1024 + 56] ^= 1 },
        Change("its header claims 600 bytes") { $0.put(UInt32(600), at: 524) },
        Change("its header stands in block 1 and says that it is that of 7") { header(&$0, 24, UInt64(7)) },
        Change("its header would lie outside of the image") { header(&$0, 32, UInt64.max) },
        Change("the GPT has no backup in block 100") { header(&$0, 32, UInt64(100)) },
        Change("it claims 4294967295 entries of 128 bytes") { header(&$0, 80, UInt32.max) },
        Change("it claims 248 entries of 100 bytes") { header(&$0, 84, UInt32(100)) },
        Change("its entries would lie outside of the image") { header(&$0, 72, UInt64.max / 2) },
        Change("the GPT and its backup differ") { header(&$0, 56, UInt64(7)) },
        Change("the backup of the GPT is damaged: the checksum of its header is wrong") { $0[$0.count - 500] ^= 1 },
        Change("the backup of the GPT is damaged: the checksum of its entries is wrong") {
            $0[$0.count - 512 * 63 + 3] ^= 1
        },
        Change("the entries of the GPT's backup do not lie between") { bytes in
            let start = bytes.count - 512
            bytes.put(UInt64(2), at: start + 72)
            seal(&bytes, start)
        },
        Change("the entries of the GPT do not lie in the first 32 KiB") { bytes in
            header(&bytes, 72, UInt64(bytes.count / 512 - 63))
        },
        Change("partition 1 of the GPT is said to lie in blocks 9 to 5 of an image that has") { bytes in
            for (entries, start) in [(1024, 512), (bytes.count - 512 * 63, bytes.count - 512)] {
                bytes.put(UInt64(9), at: entries + 32)
                bytes.put(UInt64(5), at: entries + 40)
                bytes.put(CRC32.of(Array(bytes[entries..<entries + 248 * 128])), at: start + 88)
                seal(&bytes, start)
            }
        },
        Change("partition 1 of the MBR ends at byte 3221225472, the image at") {
            $0.put(UInt32(6 << 20), at: 446 + 12)
        },
        Change("the MBR protects a GPT, and there is none") { bytes in
            bytes[446 + 4] = 0xEE
            for index in 446 + 16..<510 { bytes[index] = 0 }
            bytes[512] = 0
        },
        Change("the Apple partition map with blocks of 2048 bytes claims 4294967295 entries") {
            $0.replaceSubrange(2048..<2056, with: [0x50, 0x4D, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
        },
        Change("the Apple partition map with blocks of 512 bytes has no entry 2 of 2") {
            $0.replaceSubrange(512..<520, with: [0x50, 0x4D, 0, 0, 0, 0, 0, 2])
        },
    ]

    @Test(arguments: contradictions)
    func `a contradiction is told and not followed`(_ change: Change) async throws {
        let scratch = try Scratch()
        let image = try await HybridImages.make(.basicData, in: scratch)
        #expect(try HybridTables(image).faults == [])
        var bytes = try HostFile.read(image, limit: 1 << 24)
        change.change(&bytes)
        let tables = try HybridTables(scratch.file("changed.iso", bytes))
        #expect(tables.faults.contains { $0.contains(change.reason) }, "\(tables.faults)")
        let error = #expect(throws: ISOError.self) {
            try tables.growth(from: UInt64(bytes.count), to: UInt64(bytes.count) + 2048)
        }
        #expect(error?.code == .damaged)
    }

    @Test func `tables say nothing that their fields cannot hold`() async throws {
        let scratch = try Scratch()
        let ordinary = try HybridTables(try await HybridImages.make(.basicData, in: scratch))
        let end = ordinary.imageSize
        #expect(throws: ISOError.self) { try ordinary.growth(from: end, to: end - 2048) }
        let error = #expect(throws: ISOError.self) { try ordinary.growth(from: end, to: 2 << 40) }
        #expect(error?.description.contains("ends at 2 TiB") == true, "\(error?.description ?? "")")
        // 2 TiB less the block that 32 bits cannot count, less what alignment to cylinders of 1 MiB takes.
        let most = try ordinary.growth(from: end, to: 2 << 40 - 2 << 20)
        #expect(most.imageSize == 2 << 40 - 1 << 20)
        let chs = most.patches.first { $0.offset == 446 + 5 }?.bytes
        #expect(chs == [63, 0xE0, 0xFF])

        let guarded = try HybridTables(try await HybridImages.make(.appendedGPT, in: scratch))
        let large = try guarded.growth(from: guarded.imageSize, to: 3 << 40)
        #expect(large.patches.first { $0.offset == 446 + 12 }?.bytes == [0xFF, 0xFF, 0xFF, 0xFF])
    }

    @Test func `an image without tables grows to its content alone`() async throws {
        let scratch = try Scratch()
        let tables = try HybridTables(try await HybridImages.make(.plain, in: scratch))
        #expect(tables.isEmpty)
        let growth = try tables.growth(from: tables.imageSize, to: tables.imageSize + 3000)
        #expect(growth == HybridGrowth(imageSize: tables.imageSize + 4096, patches: [], obsolete: [], notes: []))
    }

    @Test func `random changes are survived`() async throws {
        let scratch = try Scratch()
        let image = try await HybridImages.make(.appendedGPT, in: scratch)
        let intact = try HostFile.read(image, limit: 1 << 24)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var bytes = intact
            for _ in 0..<Int(random.next() % 6) + 1 {
                let places = [446..<512, 512..<604, 1024..<1408, bytes.count - 512..<bytes.count - 420]
                let place = places[Int(random.next() % 4)]
                bytes[place.lowerBound + Int(random.next() % UInt64(place.count))] = UInt8(random.next() % 256)
            }
            // Half of them are sealed again, so that what stands behind the checksums is followed.
            if random.next() % 2 == 0 {
                bytes.put(CRC32.of(Array(bytes[1024..<1024 + 248 * 128])), at: 600)
                Self.seal(&bytes, 512)
                let start = bytes.count - 512
                bytes.replaceSubrange(start - 62 * 512..<start, with: bytes[1024..<1024 + 62 * 512])
                bytes.put(CRC32.of(Array(bytes[1024..<1024 + 248 * 128])), at: start + 88)
                Self.seal(&bytes, start)
            }
            let path = try scratch.file("changed.iso", bytes)
            let tables = try HybridTables(path)
            guard let growth = try? tables.growth(from: 2 << 20, to: tables.contentStart + 4096) else { continue }
            let isWithin = growth.patches.allSatisfy {
                $0.offset + UInt64($0.bytes.count) <= 32768
                    || $0.offset >= tables.contentStart + 4096
                        && $0.offset + UInt64($0.bytes.count) <= growth.imageSize
            }
            #expect(isWithin, "seed \(seed), round \(round)")
            #expect(growth.obsolete.allSatisfy { $0.lowerBound >= 32768 && $0.upperBound <= tables.imageSize })
        }
    }
}
