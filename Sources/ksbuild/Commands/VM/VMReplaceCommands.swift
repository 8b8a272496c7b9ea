import ArgumentParser
import Artefact
import Bundle
import Machine
import SystemPackage

struct VMUpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Give the machine another version, and go back by itself where the node is not well with it.",
        discussion: """
            The node is shut down, its data disk kept in a snapshot, the medium swapped, the machine started and waited \
            for. A node that is healthy in time confirms the version; for any other the old medium comes back, and the \
            data disk is what it was before. What is cut off at any point is taken up by the next command that starts the \
            machine. The exit code is 3 where the old version came back.
            """)

    @Argument(
        help: ArgumentHelp("The version; by default the newest that did not fail.", valueName: "version"),
        completion: Completion.version)
    var version: String?

    @OptionGroup var swap: SwapOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        try await swap.replace(.upgrade, options) { store, _ in
            if let version { return try Version(version) }
            let failed = try store.standing().failed
            guard let newest = try store.versions().last(where: { failed[$0] == nil }) else {
                throw MachineError(
                    .notMade, subject: options.folder.out,
                    detail: "has no bundle that did not fail; 'ksbuild bundle --version V' makes one")
            }
            return newest
        }
    }
}

struct VMRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Give the machine the version back that was confirmed before, in the same careful way.",
        discussion: """
            The data stays as it is. Where the older version cannot start on it, that is said first; --give-up-data has \
            the node restore the snapshot that it took before the newer one wrote to its datastore.
            """)

    @Option(help: ArgumentHelp("The version to go back to.", valueName: "version"), completion: Completion.version)
    var to: String?

    @Flag(help: "Give up what the newer version has written, where the older one cannot read it.")
    var giveUpData = false

    @OptionGroup var swap: SwapOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        try await swap.replace(.rollback, options, givesUpData: giveUpData) { store, current in
            if let to { return try Version(to) }
            guard let back = try store.standing().waysBack(from: current).first?.version else {
                throw MachineError(
                    .wrongState, subject: options.folder.out,
                    detail: "has no other version that was confirmed; name one with --to")
            }
            return back
        }
    }
}

/// How versions are swapped.
struct SwapOptions: ParsableArguments {
    @OptionGroup var stopping: StopOptions
    @OptionGroup var wait: WaitOptions

    /// Swaps the machine's version for another one.
    func replace(
        _ kind: Replacement.Kind, _ options: MachineOptions, givesUpData: Bool = false,
        choosing choose: (BundleStore, Version) throws -> Version
    ) async throws {
        Interrupt.watch()
        let made = try options.made()
        let book = StoreBook(options, machine: made.machine.name)
        try await made.folder.changing {
            if let outcome = try await made.life.settle(book.book, within: wait.limit) {
                try ReplacementReport.conclude(outcome, options.report)
                guard case .undone = outcome else { return }
            }
            let made = try options.made()
            let store = BundleStore(options.out)
            let old = try Version(made.machine.media.version)
            let new = try choose(store, old)
            guard new != old else {
                return Console.print("\(made.machine.name) has \(new) already")
            }
            let state = try await made.life.hypervisor.state()
            guard state != .absent else { throw made.life.absent() }
            let judge = SwapJudge(store: store, made: made)
            let token = try judge.check(kind, from: old, to: new, givesUpData: givesUpData)
            try judge.requireConfirmed(old)
            try judge.requireNotFailed(new)
            try judge.requireFloor(new)
            let media = MachineMedia(options, made.folder, twoMedia: made.machine.media.seed != nil)
            // Pinned before it is read, so that nothing is pruned that the machine is about to boot from.
            try made.folder.pin([old.description, new.description])
            let (newMedia, manifest): (VirtualMachine.Media, Manifest)
            do {
                (newMedia, manifest) = try media.compose(new, made.steps, token: token)
            } catch {
                try made.folder.pin([old.description])
                throw error
            }
            let replacement = Replacement(
                kind, from: try made.release(in: options.out), made.machine.media,
                to: NodeRelease(version: new.description, name: manifest.description.name), newMedia,
                wasRunning: state == .running, liveBefore: try store.current()?.description)
            let outcome = try await made.life.replace(
                replacement, book.book, stopLimit: stopping.limit, force: stopping.force, within: wait.limit)
            try ReplacementReport.conclude(outcome, options.report)
        }
    }
}

/// What is looked at before versions are swapped.
struct SwapJudge {
    let store: BundleStore
    let made: MadeMachine

    /// Says whether the node can go from one version to the other with the data that it has.
    ///
    /// - Returns: The token that the node needs, where it is to give up data.
    /// - Throws: `MachineError` with `MachineError.Code.wrongState` where it cannot.
    func check(_ kind: Replacement.Kind, from old: Version, to new: Version, givesUpData: Bool) throws -> String? {
        let described = { (version: Version) throws -> BundleDescription in
            guard let found = store.description(of: version) else {
                throw MachineError(
                    .imageMissing, subject: "\(version)",
                    detail: "is not in the store, or its manifest cannot be read; 'ksbuild list' shows what is there")
            }
            return found
        }
        let (present, target) = (try described(old), try described(new))
        let verdict = RollbackVerdict(leaving: present, for: target, node: made.machine.name)
        made.steps.show("going from \(old) to \(new) is \(verdict.kind.rawValue): \(verdict.reason)")
        switch verdict.kind {
        case .safe: return nil
        case .impossible:
            throw MachineError(.wrongState, subject: "\(new)", detail: "cannot take over this node: \(verdict.reason)")
        case .needsSnapshot:
            guard givesUpData else {
                throw MachineError(
                    .wrongState, subject: "\(new)",
                    detail: "does not start on this node's data: \(verdict.reason); 'ksbuild vm rollback --to \(new)"
                        + " --give-up-data' has the node restore what it kept before")
            }
            return "\(present.kubesolo.version) \(Host.now)"
        }
    }

    /// A version that was left because nodes were not well with it is not tried again by accident.
    func requireNotFailed(_ new: Version) throws {
        guard try store.current() != new, try store.standing().failed[new] != nil else { return }
        throw MachineError(
            .wrongState, subject: "\(new)",
            detail: "was left by rolling back; 'ksbuild activate --force \(new)' says that it is to be tried again")
    }

    /// A version that never proved itself and is older than one that did is no upgrade.
    func requireFloor(_ new: Version) throws {
        let standing = try store.standing()
        guard try store.current() != new, let floor = standing.floor, new < floor,
            !standing.confirmed.contains(where: { $0.version == new })
        else { return }
        throw MachineError(
            .wrongState, subject: "\(new)",
            detail: "is older than \(floor), which was confirmed, and never was itself; 'ksbuild activate"
                + " --allow-downgrade \(new)' says that it is wanted all the same")
    }

    /// The version that is left must be one to come back to.
    func requireConfirmed(_ old: Version) throws {
        let standing = try store.standing()
        guard !standing.confirmed.contains(where: { $0.version == old }) else { return }
        throw MachineError(
            .wrongState, subject: "\(old)",
            detail:
                "was never confirmed, so there is nothing to come back to; 'ksbuild vm start' waits until it is healthy"
                + " and confirms it, or 'ksbuild vm destroy' and 'ksbuild vm create --version V' give its data disk to"
                + " another version")
    }
}

/// Says how a replacement ended, and gives the exit code for it.
enum ReplacementReport {
    static func conclude(_ outcome: ReplacementOutcome, _ report: ReportOptions) throws {
        switch outcome {
        case .replaced(let release):
            if !report.quiet { Console.print("\(release.version) is live, healthy and confirmed") }
        case .undone(let release):
            if !report.quiet { Console.print("nothing was switched; \(release.version) is live as before") }
        case .returned(let release, let why):
            throw MachineError(
                .unhealthy, subject: release.version,
                detail: "is live again and healthy, with its data of before, because \(why)")
        case .lost(let release, let why, let since):
            throw MachineError(
                .unhealthy, subject: release.version,
                detail: "is live again with its data of before and not healthy (\(since)); it came back because \(why)")
        }
    }
}
