import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// What pruning takes and what it never takes.
@Suite struct PruneTests {
    /// A store with versions of which 1.0.0 and 3.0.0 have proven themselves and 3.0.0 is live.
    private static func store(in workshop: borrowing Workshop, _ folder: FilePath) throws -> BundleStore {
        let store = BundleStore(folder.appending("out"))
        for number in 1...5 {
            let version = "\(number).0.0"
            _ = try store.publish(Samples.stage(version, overlay: "overlay of \(version)", iso: workshop.iso))
        }
        for version in ["1.0.0", "3.0.0"] {
            _ = try store.activate(Version(version), Samples.occasion)
            _ = try store.confirm(nil, Samples.occasion)
        }
        return store
    }

    @Test func `what is live, the way back, what is pinned and the newest stay, each for its reason`() throws {
        let workshop = try Workshop()
        let scratch = try Scratch(inMemory: true)
        let store = try Self.store(in: workshop, scratch.path)
        try scratch.file("out/pins/vm-edge", "2.0.0\n")
        let pruning = try store.prune(keeping: 1, Samples.occasion)
        #expect(pruning.removed == [try Version("4.0.0")])
        let kept = Dictionary(uniqueKeysWithValues: pruning.kept.map { ($0.key.description, $0.value) })
        #expect(kept == ["1.0.0": .wayBack, "2.0.0": .pinned, "3.0.0": .live, "5.0.0": .newest])
        try HostFile.remove(scratch.path.pushing("out/pins/vm-edge"))
        #expect(try store.prune(keeping: 0, Samples.occasion).removed.map(\.description) == ["2.0.0", "5.0.0"])
        #expect(try store.versions().map(\.description) == ["1.0.0", "3.0.0"])
    }

    @Test(arguments: ["", "nonsense\n", "99.0.0.0\n"])
    func `a pin that says no version ends pruning before anything goes`(text: String) throws {
        let workshop = try Workshop()
        let scratch = try Scratch(inMemory: true)
        let store = try Self.store(in: workshop, scratch.path)
        try scratch.file("out/pins/vm-edge", Array(text.utf8))
        let error = #expect(throws: BundleError.self) { try store.prune(keeping: 0, Samples.occasion) }
        #expect(error?.code == .invalidPin)
        #expect(try store.versions().count == 5)
    }
}
