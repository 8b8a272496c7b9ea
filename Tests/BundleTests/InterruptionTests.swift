import Artefact
import Bundle
import BundleSamples
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Stops a command at one of its changes: as the system does when it refuses one call, or as a kill does.
private final class Interruption: @unchecked Sendable {
    enum Manner: Sendable, CaseIterable { case refusedOnce, killed }

    let at: Int
    let manner: Manner
    private(set) var changes: [StoreDisk.Change] = []

    init(at: Int, _ manner: Manner) {
        self.at = at
        self.manner = manner
    }

    var disk: StoreDisk { StoreDisk { change in try self.see(change) } }

    private func see(_ change: StoreDisk.Change) throws {
        changes.append(change)
        let index = changes.count - 1
        guard index == at || (manner == .killed && index > at) else { return }
        throw ArtefactError.system("go on", "test", .noSpace)
    }
}

struct InterruptionTests {
    /// The commands that change a store in which 1.0.0 and 2.0.0 are published and 2.0.0 is live.
    enum Command: Sendable, CaseIterable { case publish, publishSecret, activate, rollback }

    private func run(_ command: Command, _ store: BundleStore, _ workshop: borrowing Workshop) throws {
        switch command {
        case .publish, .publishSecret:
            _ = try store.publish(
                try Samples.stage("3.0.0", overlay: "three", secret: command == .publishSecret, iso: workshop.iso))
        case .activate:
            _ = try store.activate(
                Version("1.5.0"), Samples.occasion, allowingDowngrade: true)
        case .rollback: _ = try store.rollback(Samples.occasion)
        }
    }

    private func prepare(like template: FilePath? = nil) async throws -> Workshop {
        let workshop = try Workshop()
        if let template {
            let copying = try await TestSupport.run("cp", ["-a", template.string, workshop.out.string])
            #expect(copying.succeeded, "\(copying.errors)")
            return workshop
        }
        try workshop.publishAll(["1.0.0", "1.5.0", "2.0.0"])
        for version in ["1.0.0", "2.0.0"] { try workshop.prove(version) }
        return workshop
    }

    @Test(arguments: [
        (Command.publish, Interruption.Manner.refusedOnce), (.publish, .killed), (.publishSecret, .killed),
        (.activate, .refusedOnce), (.activate, .killed), (.rollback, .refusedOnce), (.rollback, .killed),
    ])
    private func `a command that is stopped at any change leaves a valid store, and the next one goes on`(
        command: Command, manner: Interruption.Manner
    ) async throws {
        let template = try await prepare()
        var at = 0
        while true {
            let workshop = try await prepare(like: template.out)
            let interruption = Interruption(at: at, manner)
            let before = try workshop.store.current()
            let versions = try workshop.store.versions()
            do {
                try run(command, BundleStore(workshop.out, disk: interruption.disk), workshop)
                #expect(interruption.changes.count <= at || manner == .refusedOnce)
            } catch let error as ArtefactError {
                #expect(error.errno == .noSpace)
            }
            let last = interruption.changes.last
            let comment: Comment = "stopped at change \(at): \(last.map { "\($0)" } ?? "none")"

            let live = try #require(try workshop.store.current(), comment)
            let after = try Version(command == .activate ? "1.5.0" : command == .rollback ? "1.0.0" : "2.0.0")
            #expect(live == before || live == after, comment)
            for version in try workshop.store.versions() {
                #expect(try workshop.store.verify(version).isGood, comment)
            }
            #expect(Set(try workshop.store.versions()).isSuperset(of: versions), comment)

            if live == before || command == .activate { try run(command, workshop.store, workshop) }
            #expect(try workshop.store.current() == after, comment)
            let third = try Version("3.0.0")
            let isPublishing = command == .publish || command == .publishSecret
            #expect(try workshop.store.versions().contains(third) == isPublishing, comment)
            #expect(try workshop.store.history().damagedLines == [], comment)
            _ = try workshop.store.activate(Version("2.0.0"), Samples.occasion, insisting: true)
            #expect(try hasNoLeftovers(workshop.out), comment)
            for version in try workshop.store.versions() {
                #expect(try workshop.store.verify(version).isGood, comment)
            }
            guard interruption.changes.count > at else { break }
            at += 1
        }
        #expect(at >= (command == .publish || command == .publishSecret ? 25 : 4))
    }

    @Test func `what is refused leaves not only a valid store but the same one`() async throws {
        for command in [Command.activate, .rollback] {
            for at in 0..<3 {
                let workshop = try await prepare()
                let before = try workshop.store.current()
                let history = try workshop.store.history()
                let interruption = Interruption(at: at, .refusedOnce)
                #expect(throws: ArtefactError.self) {
                    try run(command, BundleStore(workshop.out, disk: interruption.disk), workshop)
                }
                #expect(try workshop.store.current() == before)
                let added = try workshop.store.history().entries.dropFirst(history.entries.count)
                #expect(added.map(\.result).last != .activated && added.map(\.result).last != .rolledBack)
                #expect(try hasNoLeftovers(workshop.out))
            }
        }
    }

    @Test func `the history line stands before the pointer moves, and a switch that was killed there is noted`()
        async throws
    {
        let workshop = try await prepare()
        var at = 0
        while true {
            let interruption = Interruption(at: at, .killed)
            do {
                try run(.activate, BundleStore(workshop.out, disk: interruption.disk), workshop)
            } catch {}
            if case .rename = interruption.changes[at] { break }
            at += 1
        }
        #expect(try workshop.store.current() == Version("2.0.0"))
        #expect(try workshop.store.history().standing.live == Version("1.5.0"))
        #expect(try workshop.store.rollback(Samples.occasion).to == Version("1.0.0"))
        #expect(
            try workshop.store.history().entries.map(\.result).suffix(3) == [.activated, .repaired, .rolledBack])
    }

    @Test(arguments: [0o000, 0o022, 0o027, 0o077, 0o177])
    func `a bundle is the same whatever the umask`(mask: Int) throws {
        let reference = try Workshop()
        try reference.publish("1.4.0")
        try reference.publish("1.5.0", secret: true)
        let workshop = try Workshop()
        try withUmask(mode_t(mask)) {
            try workshop.publish("1.4.0")
            try workshop.publish("1.5.0", secret: true)
            _ = try workshop.store.activate(Version("1.4.0"), Samples.occasion)
        }
        for name in ["bundles/1.4.0", "bundles/1.5.0"] {
            let path = workshop.out.pushing(FilePath(name))
            #expect(try modes(path) == modes(reference.out.pushing(FilePath(name))))
            #expect(try BundleVerification.read(path).isGood)
        }
    }

    private func modes(_ directory: FilePath) throws -> [String] {
        try [HostFile.status(of: directory).mode.description]
            + HostFile.names(in: directory).map { name in
                "\(name) \(try HostFile.status(of: directory.appending(name)).mode)"
            }
    }

    /// Runs `body` under another umask, which only this thread has: `unshare(CLONE_FS)` needs no privilege.
    private func withUmask(_ mask: mode_t, _ body: () throws -> Void) throws {
        typealias Unshare = @convention(c) (Int32) -> Int32
        guard let symbol = unsafe dlsym(nil, "unshare") else { throw Errno.noFunction }
        let unshare = unsafe unsafeBitCast(symbol, to: Unshare.self)
        #expect(unshare(0x200) == 0)
        let previous = umask(mask)
        defer { umask(previous) }
        try body()
    }
}

struct LockTests {
    /// How often the lock was held, and whether two ever held it at the same time.
    private final class Holders: Sendable {
        private let inside = Atomic(0)
        private let overlaps = Atomic(0)

        func enter() {
            if inside.add(1, ordering: .sequentiallyConsistent).oldValue != 0 {
                overlaps.add(1, ordering: .sequentiallyConsistent)
            }
            for _ in 0..<20 { sched_yield() }
            inside.subtract(1, ordering: .sequentiallyConsistent)
        }

        var overlapped: Int { overlaps.load(ordering: .sequentiallyConsistent) }
    }

    @Test func `a lock whose file its last holder has just removed is not taken for held`() async throws {
        let scratch = try Scratch()
        let out = scratch.path
        let holders = Holders()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    var held = 0
                    while held < 2000 {
                        do {
                            try StoreLock.hold(out) { holders.enter() }
                            held += 1
                        } catch let error as BundleError where error.code == .busy {}
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(holders.overlapped == 0)
    }

    @Test func `a lock that another program holds means busy, and its end means go`() async throws {
        let workshop = try Workshop()
        try workshop.publish("1.0.0")
        let iso = workshop.iso
        let out = workshop.out
        let lock = out.appending(".lock").string
        let ready = out.appending("held").string
        async let holder = run(
            "flock", [lock, "sh", "-c", "touch \(ready); while [ -e \(ready) ]; do sleep 0.05; done"])
        while !HostFile.exists(FilePath(ready)) { try await Task.sleep(for: .milliseconds(20)) }
        let error = #expect(throws: BundleError.self) {
            try BundleStore(out).publish(try Samples.stage("2.0.0", iso: iso))
        }
        #expect(error?.code == .busy)
        let activating = #expect(throws: BundleError.self) {
            try BundleStore(out).activate(Version("1.0.0"), Samples.occasion)
        }
        #expect(activating?.failureClass == .busy)
        try HostFile.remove(FilePath(ready))
        #expect(try await holder.succeeded)
        try workshop.publish("2.0.0")
        #expect(try hasNoLeftovers(out))
    }

    @Test func `commands at the same time never overlap, and none is lost`() async throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0", "2.0.0"])
        let store = workshop.store
        let switches = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var (calls, changes) = (0, 0)
                    while calls < 25 {
                        do {
                            let target = try Version((calls + task).isMultiple(of: 2) ? "1.0.0" : "2.0.0")
                            if try store.activate(target, Samples.occasion).isChange { changes += 1 }
                            calls += 1
                        } catch let error as BundleError where error.code == .busy {
                            await Task.yield()
                        }
                    }
                    return changes
                }
            }
            return try await group.reduce(0, +)
        }
        let history = try store.history()
        #expect(history.entries.count == switches)
        #expect(history.damagedLines == [])
        #expect(history.entries.allSatisfy { $0.result == .activated && $0.from != $0.to })
        for (earlier, later) in zip(history.entries, history.entries.dropFirst()) { #expect(earlier.to == later.from) }
        #expect(try hasNoLeftovers(workshop.out))
    }
}
