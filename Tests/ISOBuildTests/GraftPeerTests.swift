import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Random grafts of random images, read by every peer.
@Suite struct GraftPeerTests {
    static let seed: UInt64 = 20_260_202
    /// The sources; every fifth is grafted once more.
    static let count = 300
    static let epoch: Int64 = 1_700_000_000

    @Test func `every peer sees old and new files alike in 350 grafted images`() async throws {
        let scratch = try Scratch()
        let count = Self.count
        let script = Product.checkout.pushing("Tests/Peers/graft.py").string
        let made = try await run("python3", [script, "make", scratch.path.string, "\(Self.seed)", "\(count)"])
        print(made.output)
        #expect(made.succeeded, "\(made.errors)")
        var grafted = 0
        for number in 0..<count {
            let source = scratch.path.appending("\(1000 + number).source.iso")
            guard HostFile.exists(source) else { continue }
            let image = scratch.path.appending("\(1000 + number).iso")
            guard try Self.graft(number, source, image) else { continue }
            grafted += 1
            guard number % 5 == 0 else { continue }
            let again = scratch.path.appending("\(5000 + number).source.iso")
            let linked = try await run(
                "sh",
                [
                    "-c", "ln \"$1\" \"$2\" && ln \"$3\" \"$4\"", "sh", image.string, again.string,
                    scratch.path.appending("\(1000 + number).mode").string,
                    scratch.path.appending("\(5000 + number).mode").string,
                ])
            #expect(linked.succeeded, "\(linked.errors)")
            if try Self.graft(4000 + number, again, scratch.path.appending("\(5000 + number).iso")) { grafted += 1 }
        }
        #expect(grafted >= count + count / 6, "seed \(Self.seed): only \(grafted) grafts")
        let checked = try await run("python3", [script, "check", scratch.path.string])
        print(checked.output)
        #expect(checked.succeeded, "seed \(Self.seed): \(checked.output) \(checked.errors)")
    }

    /// Grafts one image, and holds the outcome against the source with our own reader.
    ///
    /// - Returns: Whether it could be grafted.
    static func graft(_ number: Int, _ source: FilePath, _ image: FilePath) throws -> Bool {
        let before = try HostFile.read(source, limit: 1 << 28)
        let mode = String(
            decoding: try HostFile.read(FilePath(image.string.dropLast(4) + ".mode"), limit: 99), as: UTF8.self)
        let reader = try ISOReader(source)
        let old = try RandomGraft.rows(of: source)
        let edit = try RandomGraft(number, seed: seed, present: old, nameSpace: reader.nameSpace, epoch: epoch)
        do {
            try ISOGraft(source, epoch: epoch).write(edit.tree, removing: edit.removed, to: image)
        } catch let error as ISOError where error.code == .unsupported && mode == "third" {
            return false
        } catch {
            Issue.record("graft \(number), seed \(seed): \(error)")
            return false
        }
        let after = try HostFile.read(image, limit: 1 << 28)
        #expect(try HostFile.read(source, limit: 1 << 28) == before, "graft \(number) changed its source")
        expectKept(before, after, number)
        if number % 10 == 0 {
            let second = image.removingLastComponent().appending("second.iso")
            try ISOGraft(source, epoch: epoch).write(edit.tree, removing: edit.removed, to: second)
            #expect(try HostFile.read(second, limit: 1 << 28) == after, "graft \(number) has other bytes")
        }
        try expectOwnReaderAgrees(image, old, edit, number, reader.nameSpace)
        try StagedFile.write(Array(edit.lines.utf8), to: FilePath(image.string.dropLast(4) + ".edit"))
        return true
    }

    /// Requires that the bytes of the source stay but for volume descriptors and partition tables.
    private static func expectKept(_ before: [UInt8], _ after: [UInt8], _ number: Int) {
        var changed: [Int] = []
        for sector in 0..<(before.count / 2048) {
            let range = sector * 2048..<(sector + 1) * 2048
            if before[range] != after[range] { changed.append(sector) }
        }
        let isHybrid = before[510] == 0x55 && before[511] == 0xAA
        let allowed = changed.filter { sector in
            if sector < 16 { return isHybrid }
            return sector < 64 && before[sector * 2048 + 1..<sector * 2048 + 6].elementsEqual("CD001".utf8)
        }
        #expect(changed == allowed, "graft \(number), seed \(seed): sectors of the source are changed")
    }

    private static func expectOwnReaderAgrees(
        _ image: FilePath, _ old: [String: RandomGraft.Row], _ edit: RandomGraft, _ number: Int,
        _ nameSpace: ISONameSpace
    ) throws {
        var wanted = old
        for path in edit.minus.keys { wanted[path] = nil }
        for (path, row) in edit.plus { wanted[path] = row }
        var found = try RandomGraft.rows(of: image)
        for other in try ISOReader(image).volume.nameSpaces { _ = try RandomGraft.rows(of: image, other) }
        guard nameSpace != .rockRidge else {
            for path in Set(wanted.keys).union(found.keys).sorted() where wanted[path] != found[path] {
                Issue.record(
                    "graft \(number), seed \(seed): \(path): \(String(describing: found[path])) is not \(String(describing: wanted[path]))"
                )
            }
            return
        }
        // The other name spaces hold some names in another form: those that they hold as they are must be right.
        for path in old.keys where edit.minus[path] == nil {
            #expect(found[path] == old[path], "graft \(number), seed \(seed): \(path)")
            found[path] = nil
        }
        let new = edit.plus.values.map { "\($0.kind) \($0.size) \($0.digest)" }.sorted()
        #expect(
            found.values.map { "\($0.kind) \($0.size) \($0.digest)" }.sorted() == new,
            "graft \(number), seed \(seed): other files are new than those that were added")
    }
}
