import Artefact
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Machine

/// Upgrades and ways back on a real QEMU with a guest that is up in a second.
@Suite(.serialized) struct ReplacementTests {
    /// Stands for the end of the process: nothing after it is done by this life.
    struct Killed: Error {}

    @Test func `a version that is healthy stays, with no snapshot left`() async throws {
        try await LifeFixture.use { fixture in
            try await fixture.write(1)
            try await fixture.life.start(fixture.machine)
            _ = try await fixture.life.waitUntilHealthy(LifeFixture.release("1"), within: .seconds(60))
            let outcome = try await fixture.life.replace(
                fixture.replacement(to: "2"), fixture.books.book, within: .seconds(60))
            #expect(outcome == .replaced(LifeFixture.release("2")))
            #expect(fixture.books.entries == ["take 2", "confirm 2"])
            try await Self.requireSettled(fixture, version: "2", running: true)
            try await fixture.stop()
            #expect(try await fixture.has(1))
        }
    }

    @Test(arguments: [("3", "so it is"), ("4", "not healthy within 20.0 s"), ("5", "the node is node 1, not node 5")])
    func `a version that is not well gives way, and the disk is what it was`(version: String, why: String) async throws
    {
        try await LifeFixture.use { fixture in
            try await fixture.write(1)
            let outcome = try await fixture.life.replace(
                fixture.replacement(to: version), fixture.books.book, within: .seconds(version == "4" ? 20 : 60)
            ) { step in
                // What the new version writes while it is tried.
                if step == .switched { try await fixture.write(2) }
            }
            guard case .returned(let release, let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(release == LifeFixture.release("1") && reason.contains(why))
            #expect(fixture.books.entries == ["take \(version)", "give up \(version) for 1"])
            try await Self.requireSettled(fixture, version: "1", running: true)
            try await fixture.stop()
            #expect(try await fixture.has(1))
        }
    }

    @Test(arguments: Replacement.Step.allCases, ["2", "3"])
    func `a process that ends at any step leaves what the next command settles`(
        step: Replacement.Step, version: String
    ) async throws {
        try await LifeFixture.use { fixture in
            try await fixture.write(1)
            try await fixture.life.start(fixture.machine)
            let reached = Mutex(false)
            do {
                _ = try await fixture.life.replace(
                    fixture.replacement(to: version), fixture.books.book, within: .seconds(60)
                ) { now in
                    if now == .switched, version == "3" { try await fixture.write(2) }
                    guard now == step else { return }
                    reached.withLock { $0 = true }
                    throw Killed()
                }
            } catch is Killed {}
            // A version that is well never fails, and one that is not is never proven.
            let never: [Replacement.Step] = version == "2" ? [.failed, .reverted, .returned] : [.proven]
            #expect(reached.withLock { $0 } == !never.contains(step))
            let outcome = try await fixture.life.settle(fixture.books.book, within: .seconds(60))
            let expected: ReplacementOutcome? =
                switch (step, version) {
                case (.begun, _), (.kept, _): .undone(LifeFixture.release("1"))
                case (.proven, "2"): .replaced(LifeFixture.release("2"))
                case (.switched, _):
                    .returned(
                        LifeFixture.release("1"),
                        why: "ksbuild was cut off while it was being tried, and the machine does not run")
                case (.failed, "3"), (.reverted, "3"), (.returned, "3"):
                    .returned(
                        LifeFixture.release("1"), why: "the node says that it is not healthy: so it is")
                default: nil
                }
            #expect(outcome == expected)
            let version =
                outcome == nil
                ? (version == "2" ? "2" : "1") : outcome == .replaced(LifeFixture.release("2")) ? "2" : "1"
            try await Self.requireSettled(fixture, version: version, running: true)
            try await fixture.stop()
            #expect(try await fixture.has(1))
        }
    }

    @Test func `a trial that was cut off while the machine runs is waited for`() async throws {
        try await LifeFixture.use { fixture in
            let begun = try await fixture.replacement(to: "2")
            do {
                _ = try await fixture.life.replace(begun, fixture.books.book, within: .seconds(60)) { step in
                    if step == .proven { throw Killed() }
                }
            } catch is Killed {}
            // As if the process had ended before it saw the node's health.
            var earlier = begun
            earlier.step = .switched
            try MachineFolder.write(earlier, fixture.folder.journal)
            let outcome = try await fixture.life.settle(fixture.books.book, within: .seconds(60))
            #expect(outcome == .replaced(LifeFixture.release("2")))
            try await Self.requireSettled(fixture, version: "2", running: true)
            try await fixture.stop()
        }
    }

    @Test func `books that refuse undo all, and say so`() async throws {
        try await LifeFixture.use { fixture in
            try await fixture.life.start(fixture.machine)
            let refusal = MachineError(.refused, subject: "books", detail: "are closed")
            var book = fixture.books.book
            book.take = { _ in throw refusal }
            let error = await #expect(throws: MachineError.self) {
                try await fixture.life.replace(fixture.replacement(to: "2"), book, within: .seconds(60))
            }
            #expect(error == refusal)
            try await Self.requireSettled(fixture, version: "1", running: true)
            try await fixture.stop()
        }
    }

    @Test func `a step that cannot be noted says who takes it up`() async throws {
        try await LifeFixture.use { fixture in
            let error = await #expect(throws: MachineError.self) {
                try await fixture.life.replace(fixture.replacement(to: "2"), fixture.books.book) { step in
                    guard step == .begun else { return }
                    try HostFile.remove(fixture.folder.journal)
                    try HostFile.makeDirectories(fixture.folder.journal.appending("in the way"))
                }
            }
            #expect(error?.description.hasPrefix("node: the upgrade from 1 to 2 stands still (") == true)
            #expect(error?.description.hasSuffix("); mend that, and 'ksbuild vm start' takes it up") == true)
        }
    }

    /// Nothing of a replacement is left, and the version is in the drive.
    static func requireSettled(_ fixture: LifeFixture, version: String, running: Bool) async throws {
        #expect(try fixture.life.unfinished() == nil)
        #expect(try fixture.folder.made().media.version == version)
        #expect(try await fixture.life.hypervisor.state() == (running ? .running : .off))
        #expect(try HostFile.names(in: fixture.folder.media) == ["node-\(version).iso"])
        let pins = fixture.folder.path.removingLastComponent().removingLastComponent().appending("pins")
        #expect(try HostFile.names(in: pins) == ["vm-node@\(version)"])
        #expect(try await !fixture.life.disk.has(Replacement.snapshot))
    }
}
