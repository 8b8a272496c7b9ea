import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Power failures: every state of the disk that one may leave, at any moment of any command that changes a store.
struct CrashTests {
    /// What a store says of itself after a command that came to its end.
    struct Promise: Sendable {
        var live: Version?
        var versions: Set<Version> = []
        var confirmed: Set<Version> = []
        var floor: Version?

        init() {}

        init(_ store: BundleStore) throws {
            live = try store.current()
            versions = Set(try store.versions())
            let standing = try store.history().standing
            confirmed = Set(standing.confirmed.map(\.version))
            floor = standing.floor
        }
    }

    /// One command of the exercise, where its operations end, and what holds then.
    struct Step: Sendable {
        let words: [String]
        let end: Int
        let promise: Promise
    }

    static let script = [
        "publish 1.0.0", "activate 1.0.0", "confirm", "publish 2.0.0", "activate 2.0.0", "confirm", "publish 3.0.0",
        "activate 3.0.0", "rollback", "force 3.0.0", "rollback", "publish 4.0.0", "activate 4.0.0", "confirm",
        "prune 0", "activate 2.0.0", "fleet 5.0.0", "prune 1",
    ]

    static var exercise: FilePath {
        get throws { try Product.ksbuild.removingLastComponent().appending("store-exercise") }
    }

    /// Runs the script, command by command, and records what each does to the disk.
    static func record(in folder: FilePath, iso: FilePath) async throws -> (DiskRecording, [Step]) {
        var recording = DiskRecording(below: folder)
        var steps: [Step] = []
        let out = folder.appending("out")
        for line in script {
            let words = line.split(separator: " ").map(String.init)
            let (result, calls) = try await SystemCall.trace(exercise, [out.string, iso.string] + words)
            try #require(result.succeeded, "\(line): \(result.errors)")
            try recording.add(calls, of: words[0])
            steps.append(
                Step(words: words, end: recording.operations.count, promise: try Promise(BundleStore(out))))
        }
        #expect(recording.unknown == [])
        return (recording, steps)
    }

    @Test func `the recording explains the disk`() async throws {
        let workshop = try Workshop()
        let folder = try Scratch(inMemory: true)
        let (recording, steps) = try await Self.record(in: folder.path, iso: workshop.iso)
        let again = try Scratch(inMemory: true)
        var random = SeededGenerator(seed: 1)
        var states = 0
        let disk = again.path.appending("disk")
        // The operations after the last one are of the lock alone.
        try CrashStates(recording: recording).forEach(after: steps[steps.count - 1].end, limit: 1, &random) { state in
            // The first has nothing of what was not synchronised, the second all of it, where there is any.
            if states <= 1 {
                try HostFile.removeTree(disk)
                try HostFile.makeDirectory(disk)
                try CrashStates.write(state, below: disk)
            }
            states += 1
        }
        func contents(_ folder: FilePath) throws -> [String: String] {
            // Without the numbers of device and inode, which stand in brackets.
            try snapshot(folder).mapValues { line in
                line.split(separator: " ").filter { !$0.contains { "[],".contains($0) } }.joined(separator: " ")
            }
        }
        let (recorded, real) = (try contents(disk), try contents(folder.path))
        for name in Set(recorded.keys).union(real.keys).sorted() {
            #expect(recorded[name] == real[name], "\(name)")
        }
    }

    @Test func `no power failure loses the live version, a bundle or the last known good`() async throws {
        try await explore(every: 9, limit: 12)
    }

    @Test func `every power failure: no state loses the live version, a bundle or the last known good`() async throws {
        let count = try await explore(every: 1, limit: 4_000)
        #expect(count >= 50_000, "\(count) states are fewer than promised")
    }

    /// Judges the states after each so-many-th operation, with up to `limit` combinations each.
    @discardableResult
    private func explore(every stride: Int, limit: Int) async throws -> Int {
        let workshop = try Workshop()
        let folder = try Scratch(inMemory: true)
        let (recording, steps) = try await Self.record(in: folder.path, iso: workshop.iso)
        let iso = workshop.iso
        let workers = 2
        let seen = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var judge = try CrashJudge(steps: steps, iso: iso)
                    var random = SeededGenerator(seed: UInt64(worker + 1))
                    let states = CrashStates(recording: recording)
                    // Operations of different workers follow each other, so that each has the same work.
                    for count in Swift.stride(
                        from: worker * stride, to: recording.operations.count + 1, by: workers * stride)
                    {
                        try states.forEach(after: count, limit: limit, &random) { state in
                            let complaint = try judge.complaint(state, after: count)
                            #expect(complaint == nil)
                        }
                    }
                    return judge.count
                }
            }
            return try await group.reduce(0, +)
        }
        print("crash states: \(seen) different ones after \(recording.operations.count) operations")
        return seen
    }

    @Test func `every synchronisation is needed: without any one of them a power failure does harm`() async throws {
        let workshop = try Workshop()
        let folder = try Scratch(inMemory: true)
        let (recording, steps) = try await Self.record(in: folder.path, iso: workshop.iso)
        let iso = workshop.iso
        let places = Set(recording.synchronised.values).sorted()
        let results = try await withThrowingTaskGroup(of: (String, String?).self) { group in
            var results: [String: String?] = [:]
            var rest = places[...]
            func add() {
                guard let place = rest.popFirst() else { return }
                group.addTask {
                    (place, try Self.harm(of: place, recording, steps, iso: iso))
                }
            }
            for _ in 0..<2 { add() }
            while let (place, harm) = try await group.next() {
                results[place] = harm
                add()
            }
            return results
        }
        for (place, harm) in results.sorted(by: { $0.key < $1.key }) {
            print("without \(place): \((harm ?? nil) ?? "no harm")")
        }
        let harmless = results.filter { $0.value == nil }.keys.sorted()
        #expect(harmless == Self.notNeeded)
        #expect(results.count > 20)
    }

    /// The first state that does harm and that a disk may have where one place is never synchronised.
    ///
    /// What that takes away shows while the command goes on and in the next one.
    private static func harm(
        of place: String, _ recording: DiskRecording, _ steps: [Step], iso: FilePath
    ) throws -> String? {
        var judge = try CrashJudge(steps: steps, iso: iso)
        var random = SeededGenerator(seed: 1)
        let states = CrashStates(recording: recording.without(place))
        var counts: Set<Int> = []
        for index in recording.synchronised.filter({ $0.value == place }).keys.sorted().prefix(4) {
            let step = steps.firstIndex { $0.end > index } ?? steps.count - 1
            counts.formUnion(index...steps[min(step + 1, steps.count - 1)].end)
        }
        var found: String?
        for count in counts.sorted() where found == nil {
            try states.forEach(after: count, limit: 8, &random) { state in
                if found == nil { found = try judge.complaint(state, after: count) }
            }
        }
        return found
    }

    /// What is synchronised without need, as far as one command after the other goes.
    private static let notNeeded = [
        // The pointer that an earlier command moved: needed where that one was killed before it came to this itself.
        "confirm: out",
        // What was there before, and what is synchronised again with everything else before the fleet appears.
        "fleet: ", "fleet: out", "fleet: out/bundles/.staging-VERSION/(new)",
        "fleet: out/bundles/.staging-VERSION/SHA256SUMS", "fleet: out/bundles/.staging-VERSION/manifest.json",
        // As for confirm.
        "prune: out",
        // New files before they have a name: they are synchronised again under it.
        "publish: out/bundles/.staging-VERSION/(new)",
        // The names of shared files: one that is lost is made again when the next bundle needs it.
        "publish: out/store", "publish: out/store/sha256", "publish: out/store/sha256/AB",
    ]
}
