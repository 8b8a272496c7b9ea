import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Several processes at once, and many switches in a row.
struct HammerTests {
    @Test func `processes that change one store at the same time never see or leave half a change`() async throws {
        try await hammer(seconds: 3)
    }

    @Test func `for two minutes processes change one store at the same time`() async throws {
        try await hammer(seconds: 120)
    }

    private func hammer(seconds: Int) async throws {
        let workshop = try Workshop()
        let folder = try Scratch(inMemory: true)
        let out = folder.path.appending("out")
        let words = [out.string, workshop.iso.string]
        for command in ["publish 1.0.0", "activate 1.0.0", "confirm"] {
            let step = words + command.split(separator: " ").map(String.init)
            #expect(try await run(try CrashTests.exercise.string, step).succeeded)
        }
        let store = BundleStore(out)
        let readings = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let result = try await run(try CrashTests.exercise.string, words + ["hammer", "\(seconds)"])
                    #expect(result.exitCode == 0, "\(result.errors)")
                    print("hammer: \(result.output)", terminator: "")
                    return 0
                }
            }
            group.addTask {
                var readings = 0
                let end = ContinuousClock.now + .seconds(seconds)
                while ContinuousClock.now < end {
                    // The pointer always leads to a bundle. One that is pruned while it is read was left before.
                    let live = try #require(try store.current())
                    let isGood = (try? store.verify(live).isGood) ?? false
                    let isStillLive = try store.current() == live
                    #expect(isGood || !isStillLive, "\(live)")
                    readings += 1
                    await Task.yield()
                }
                return readings
            }
            return try await group.reduce(0, +)
        }
        #expect(readings > 0)
        let history = try store.history()
        #expect(history.damagedLines == [])
        let standing = try store.standing()
        #expect(history.standing == standing, "the checkpoints say what the lines come to")
        let switches = history.entries.filter { [.activated, .rolledBack].contains($0.result) }
        for (earlier, later) in zip(switches, switches.dropFirst()) { #expect(earlier.to == later.from) }
        for version in try store.versions() { #expect(try store.verify(version).findings == []) }
        #expect(try hasNoLeftovers(out))
    }

    @Test func `three hundred switches leave the store as large as it was, and the checkpoints say the same`() throws {
        try switchOver(300)
    }

    @Test func `ten thousand switches leave the store as large as it was, and the checkpoints say the same`() throws {
        try switchOver(10_000)
    }

    private func switchOver(_ times: Int) throws {
        let workshop = try Workshop()
        let folder = try Scratch(inMemory: true)
        let store = BundleStore(folder.path.appending("out"))
        for version in ["1.0.0", "2.0.0"] {
            _ = try store.publish(try Samples.stage(version, overlay: "overlay of \(version)", iso: workshop.iso))
            _ = try store.activate(Version(version), Samples.occasion)
            _ = try store.confirm(nil, Samples.occasion)
        }
        func names() throws -> [String: String] {
            try snapshot(store.out).filter { $0.key != "history.jsonl" && $0.key != "current" }
        }
        let before = try names()
        for number in 0..<times {
            _ = try store.activate(Version(number.isMultiple(of: 2) ? "1.0.0" : "2.0.0"), Samples.occasion)
        }
        #expect(try names() == before)
        let history = try store.history()
        #expect(history.entries.count == times + 4)
        let standing = try store.standing()
        #expect(history.damagedLines == [] && history.standing == standing)
        let size = try HostFile.status(of: store.out.appending("history.jsonl")).size
        #expect(size < UInt64(times) * 320, "\(size) bytes")
    }
}
