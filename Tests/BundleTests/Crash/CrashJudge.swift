import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Puts states on a disk and sees what readers and the next command make of them.
struct CrashJudge: ~Copyable {
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

    /// What is wrong with a state that the disk may have after so many operations; `nil` where nothing is, or where the
    /// state was judged before.
    mutating func complaint(_ state: CrashStates.State, after count: Int) throws -> String? {
        let index = steps.firstIndex { $0.end >= count } ?? steps.count - 1
        var hasher = Hasher()
        hasher.combine(state)
        hasher.combine(index)
        guard seen.insert(hasher.finalize()).inserted else { return nil }
        let disk = folder.path.appending("disk")
        try HostFile.removeTree(disk)
        try HostFile.makeDirectory(disk)
        try CrashStates.write(state, below: disk)
        let isBetween = count == steps[index].end
        let before = isBetween ? steps[index].promise : index == 0 ? .init() : steps[index - 1].promise
        let moment = "after \(count) operations, in '\(steps[index].words.joined(separator: " "))'"
        do {
            let what = try complaint(BundleStore(disk.appending("out")), before, steps[index])
            return what.map { "\(moment): \($0)" }
        } catch {
            return "\(moment): \(error)"
        }
    }

    private func complaint(
        _ store: BundleStore, _ before: CrashTests.Promise, _ step: CrashTests.Step
    ) throws -> String? {
        let after = step.promise
        let live = try store.current()
        guard live == before.live || live == after.live else { return "\(live?.description ?? "nothing") is live" }
        let versions = Set(try store.versions())
        guard versions.isSuperset(of: before.versions.intersection(after.versions)),
            versions.isSubset(of: before.versions.union(after.versions))
        else { return "the versions are \(versions)" }
        for version in versions {
            if let finding = try store.verify(version).findings.first { return "\(version): \(finding)" }
        }
        let standing = try store.standing()
        guard Set(standing.confirmed.map(\.version)).isSuperset(of: before.confirmed) else {
            return "confirmed is only \(standing.confirmed)"
        }
        guard before.floor == nil || standing.floor.map({ $0 >= before.floor ?? $0 }) == true else {
            return "the floor is \(standing.floor?.description ?? "gone")"
        }

        guard live == before.live || standing.live == live else { return "the switch to it is not recorded" }
        let gone = before.versions.subtracting(versions)
        let pruned = gone.isEmpty ? [] : try store.history().entries.filter { $0.result == .pruned }.map(\.from)
        guard gone.allSatisfy(pruned.contains) else { return "the removal of \(gone) is not recorded" }

        // The next command mends what was left: the same one, but for a way back that was gone already.
        if step.words[0] == "rollback", let live, live == after.live {
            _ = try store.activate(live, Samples.occasion)
        } else {
            try change(store, step.words)
        }
        let mended = try CrashTests.Promise(store)
        guard mended.live == after.live, mended.versions == after.versions, mended.floor == after.floor,
            mended.confirmed.isSuperset(of: after.confirmed)
        else { return "the next command does not mend it: \(mended)" }
        for version in mended.versions {
            if let finding = try store.verify(version).findings.first { return "\(version), mended: \(finding)" }
        }
        return try hasNoLeftovers(store.out) ? nil : "the next command leaves something behind"
    }

    private func change(_ store: BundleStore, _ words: [String]) throws {
        let version = words.count > 1 ? try? Version(words[1]) : nil
        switch (words[0], version) {
        case ("publish", let version?):
            let stage = try Samples.stage("\(version)", overlay: "overlay of \(version)", iso: iso)
            _ = try store.publish(stage, allowingDowngrade: true)
        case ("fleet", let version?):
            _ = try store.publish(try Samples.fleet("\(version)", iso: iso), allowingDowngrade: true)
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
