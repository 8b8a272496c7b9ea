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
        "prune 0", "activate 2.0.0", "publish 5.0.0", "prune 1",
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
            try recording.add(calls)
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
        // With everything synchronised there is one state; the operations after the last one are of the lock alone.
        try CrashStates(recording: recording).forEach(after: steps[steps.count - 1].end, limit: 1, &random) { state in
            if states == 1 { try CrashStates.write(state, below: again.path) }
            states += 1
        }
        func contents(_ folder: FilePath) throws -> [String: String] {
            // Without the numbers of device and inode, which stand in brackets.
            try snapshot(folder).mapValues { line in
                line.split(separator: " ").filter { !$0.contains { "[],".contains($0) } }.joined(separator: " ")
            }
        }
        #expect(try contents(again.path) == contents(folder.path))
    }

    @Test func `no power failure loses the live version, a bundle or the last known good`() async throws {
        try await explore(every: 9, limit: 12)
    }

    @Test func `every power failure: no state loses the live version, a bundle or the last known good`() async throws {
        let count = try await explore(every: 1, limit: 400)
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
                            try judge.judge(state, after: count)
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
}

/// Puts states on a disk and sees what readers and the next command make of them.
private struct CrashJudge: ~Copyable {
    let steps: [CrashTests.Step]
    let iso: FilePath
    private let folder: Scratch
    private var seen: Set<Int> = []

    init(steps: [CrashTests.Step], iso: FilePath) throws {
        folder = try Scratch(inMemory: true)
        self.steps = steps
        self.iso = iso
    }

    /// How many different states were judged.
    var count: Int { seen.count }

    mutating func judge(_ state: CrashStates.State, after count: Int) throws {
        let index = steps.firstIndex { $0.end >= count } ?? steps.count - 1
        var hasher = Hasher()
        hasher.combine(state)
        hasher.combine(index)
        guard seen.insert(hasher.finalize()).inserted else { return }
        let disk = folder.path.appending("disk")
        try HostFile.removeTree(disk)
        try HostFile.makeDirectory(disk)
        try CrashStates.write(state, below: disk)
        let before = count == steps[index].end ? steps[index].promise : index == 0 ? .init() : steps[index - 1].promise
        let comment: Comment = "after \(count) operations, in '\(steps[index].words.joined(separator: " "))'"
        try judge(BundleStore(disk.appending("out")), before, steps[index], comment)
    }

    private func judge(
        _ store: BundleStore, _ before: CrashTests.Promise, _ step: CrashTests.Step, _ comment: Comment
    ) throws {
        let after = step.promise
        let live = try store.current()
        #expect(live == before.live || live == after.live, comment)
        let versions = Set(try store.versions())
        #expect(versions.isSuperset(of: before.versions.intersection(after.versions)), comment)
        #expect(versions.isSubset(of: before.versions.union(after.versions)), comment)
        for version in versions { #expect(try store.verify(version).findings == [], comment) }
        let standing = try store.history().standing
        #expect(Set(standing.confirmed.map(\.version)).isSuperset(of: before.confirmed), comment)
        #expect(try before.floor.map { try #require(standing.floor) >= $0 } ?? true, comment)

        // The next command mends what was left: the same one, but for a way back that was gone already.
        if step.words[0] == "rollback", let live, live == after.live {
            _ = try store.activate(live, Samples.occasion)
        } else {
            try change(store, step.words)
        }
        #expect(try store.current() == after.live, comment)
        #expect(Set(try store.versions()) == after.versions, comment)
        let mended = try store.history().standing
        #expect(Set(mended.confirmed.map(\.version)).isSuperset(of: after.confirmed), comment)
        #expect(mended.floor == after.floor, comment)
        #expect(try hasNoLeftovers(store.out), comment)
    }

    private func change(_ store: BundleStore, _ words: [String]) throws {
        let version = words.count > 1 ? try? Version(words[1]) : nil
        switch (words[0], version) {
        case ("publish", let version?):
            let stage = try Samples.stage("\(version)", overlay: "overlay of \(version)", iso: iso)
            _ = try store.publish(stage, allowingDowngrade: true)
        case ("activate", let version?), ("force", let version?):
            _ = try store.activate(
                version, Samples.occasion, insisting: words[0] == "force", allowingDowngrade: true)
        case ("confirm", _): _ = try store.confirm(nil, Samples.occasion)
        case ("rollback", _): _ = try store.rollback(Samples.occasion)
        case ("prune", _): _ = try store.prune(keeping: Int(words[1]) ?? 0, Samples.occasion)
        default: Issue.record("no command: \(words)")
        }
    }
}
