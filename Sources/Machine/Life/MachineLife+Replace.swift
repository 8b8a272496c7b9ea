internal import Artefact
internal import SystemPackage

extension MachineLife {
    /// An upgrade or a way back that was cut off, if any.
    public func unfinished() throws -> Replacement? { try folder.replacement() }

    /// Defines the machine anew where nobody knows it any more although a replacement was cut off; the next start takes
    /// that up.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: What the hypervisor throws.
    public func redefineUnfinished() async throws -> Bool {
        guard let replacement = try unfinished() else { return false }
        progress("defining \(folder.name) as it was when the \(replacement.title) was cut off")
        try await hypervisor.define(try folder.made())
        return true
    }

    /// What is looked at between two steps; tests end the process there.
    public typealias Checkpoint = @Sendable (Replacement.Step) async throws -> Void

    /// Goes from one version to another, and back where the other one is not well.
    ///
    /// - Parameters:
    ///   - replacement: What is to be done, not begun.
    ///   - book: Where it is noted which version is live.
    ///   - stopLimit: The longest time for the node to shut down.
    ///   - isForced: Whether to cut its power then.
    ///   - limit: The longest time for it to become healthy.
    ///   - checkpoint: Called when a step is noted, before what follows it.
    /// - Returns: How it ended.
    /// - Throws: ``MachineError`` where a step could not be carried out; the next command takes it up.
    public func replace(
        _ replacement: Replacement, _ book: ReleaseBook, stopLimit: Duration = defaultStopLimit,
        force isForced: Bool = false, within limit: Duration = defaultHealthLimit,
        checkpoint: @escaping Checkpoint = { _ in }
    ) async throws -> ReplacementOutcome {
        try requireDataDisk()
        let walk = ReplacementWalk(
            life: self, book: book, stopLimit: stopLimit, isForced: isForced, limit: limit, checkpoint: checkpoint)
        return try await walk.forward(replacement)
    }

    /// Takes up what was cut off, where there is something.
    ///
    /// - Parameters: As those of ``replace(_:_:stopLimit:force:within:checkpoint:)``.
    /// - Returns: How it ended; `nil` where nothing had been begun.
    public func settle(
        _ book: ReleaseBook, within limit: Duration = defaultHealthLimit, checkpoint: @escaping Checkpoint = { _ in }
    ) async throws -> ReplacementOutcome? {
        guard let replacement = try unfinished() else { return nil }
        progress("the \(replacement.title) was cut off (\(replacement.step.rawValue)); taking it up")
        let walk = ReplacementWalk(
            life: self, book: book, stopLimit: Self.defaultStopLimit, isForced: false, limit: limit,
            checkpoint: checkpoint)
        return try await walk.resume(replacement)
    }
}

/// The steps of a replacement, each noted before what follows it.
private struct ReplacementWalk: Sendable {
    let life: MachineLife
    let book: ReleaseBook
    let stopLimit: Duration
    let isForced: Bool
    let limit: Duration
    let checkpoint: MachineLife.Checkpoint

    private var folder: MachineFolder { life.folder }

    /// Notes a step; what follows it may be cut off from here on.
    private func note(_ replacement: Replacement) async throws {
        do {
            try MachineFolder.write(replacement, folder.journal)
        } catch let error as any Failure where replacement.step != .begun {
            throw MachineError(
                .refused, subject: folder.name,
                detail:
                    "the \(replacement.title) stands still (\(error)); mend that, and 'ksbuild vm start' takes it up")
        }
        try await checkpoint(replacement.step)
    }

    /// Forgets the replacement, which has come to its end.
    private func close(keeping media: VirtualMachine.Media) throws {
        try folder.pin([media.version])
        try HostFile.remove(folder.journal)
        try HostFile.synchronise(directory: folder.path)
        try folder.removeMedia(but: [media])
    }

    // MARK: Forward

    func forward(_ begun: Replacement) async throws -> ReplacementOutcome {
        var replacement = begun
        try folder.pin([replacement.from.version, replacement.to.version])
        try await note(replacement)
        do {
            try await life.stop(within: stopLimit, force: isForced)
            life.progress("keeping the data disk as it is")
            try await life.disk.take(Replacement.snapshot)
        } catch let error as MachineError where error.code != .interrupted {
            throw await undo(replacement, for: error)
        }
        replacement.step = .kept
        try await note(replacement)
        do {
            try book.take(replacement)
            try await put(replacement.newMedia)
        } catch let error as any Failure {
            throw await undo(replacement, for: error)
        }
        replacement.step = .switched
        try await note(replacement)
        return try await prove(replacement)
    }

    /// Puts media into the drives, and keeps that beside the machine's files.
    private func put(_ media: VirtualMachine.Media) async throws {
        var machine = try folder.made()
        try await life.hypervisor.change(to: media, of: machine)
        machine.media = media
        try MachineFolder.write(machine, folder.description)
    }

    private func prove(_ begun: Replacement) async throws -> ReplacementOutcome {
        var replacement = begun
        let outcome: NodeWatch.Outcome
        do {
            try await life.start(try folder.made())
            let seen = try await life.watch(replacement.to, within: limit)
            outcome = seen.outcome
            if case .failed = outcome { life.showConsole(seen.tail) }
        } catch let error as MachineError where !Self.isOfTheHost(error) {
            outcome = .failed(why: error.description, evidence: "")
        }
        switch outcome {
        case .healthy(let evidence):
            replacement.step = .proven
            replacement.evidence = evidence
            try await note(replacement)
            return try await finish(replacement)
        case .failed(let why, let evidence):
            replacement.step = .failed
            replacement.why = why
            replacement.evidence = evidence
            try await note(replacement)
            return try await back(replacement)
        }
    }

    /// Whether an error says nothing about the node: it is tried again by the next command, and judged then.
    private static func isOfTheHost(_ error: MachineError) -> Bool {
        [.interrupted, .hostUnavailable, .timeLimit, .notPermitted, .system].contains(error.code)
    }

    private func finish(_ replacement: Replacement) async throws -> ReplacementOutcome {
        try book.confirm(replacement)
        life.progress("\(replacement.to.version) is healthy; dropping the snapshot")
        try await dropSnapshot()
        try close(keeping: replacement.newMedia)
        return .replaced(replacement.to)
    }

    /// Forgets what the disk was, whether the machine runs or not.
    private func dropSnapshot() async throws {
        if try await life.hypervisor.state().isAlive {
            try await life.disk.drop(Replacement.snapshot, runningOn: life.hypervisor)
        } else {
            try await life.disk.drop(Replacement.snapshot)
        }
    }

    // MARK: Back

    /// Takes back what was done before an error, and gives that error; where taking back fails too, it says so.
    private func undo(_ replacement: Replacement, for error: any Failure) async -> any Error {
        do {
            _ = try await undo(replacement)
            return error
        } catch let second {
            let first = error as? MachineError
            return MachineError(
                first?.code ?? .refused, subject: first?.subject ?? folder.name,
                detail: "\(first?.detail ?? error.description); nor could the \(replacement.title) be taken back"
                    + " (\(second)); mend that, and 'ksbuild vm start' takes it up", errno: first?.errno)
        }
    }

    /// Notes that the new version was left; books that cannot be written keep no machine from coming back.
    private func giveUp(_ replacement: Replacement) {
        do {
            try book.giveUp(replacement)
        } catch {
            life.progress("warning: which version is live could not be noted (\(error)); 'ksbuild list' shows it")
        }
    }

    /// Takes back what was done before the new version was started.
    private func undo(_ replacement: Replacement) async throws -> ReplacementOutcome {
        if try folder.made().media != replacement.oldMedia || replacement.step == .kept {
            try await put(replacement.oldMedia)
            giveUp(replacement)
        }
        try await dropSnapshot()
        if replacement.wasRunning { try await life.start(try folder.made()) }
        try close(keeping: replacement.oldMedia)
        return .undone(replacement.from)
    }

    /// Goes back from a version that is not well.
    private func back(_ begun: Replacement) async throws -> ReplacementOutcome {
        var replacement = begun
        if replacement.step == .failed {
            life.progress("\(replacement.to.version) is not well: \(replacement.why ?? "")")
            if try await life.hypervisor.state().isAlive { try await life.hypervisor.cutPower() }
            life.progress("making the data disk what it was before")
            try await life.disk.revert(to: Replacement.snapshot)
            replacement.step = .reverted
            try await note(replacement)
        }
        if replacement.step == .reverted {
            try await life.disk.drop(Replacement.snapshot)
            try await put(replacement.oldMedia)
            giveUp(replacement)
            replacement.step = .returned
            try await note(replacement)
        }
        try await life.start(try folder.made())
        let why = replacement.why ?? ""
        let (outcome, tail) = try await life.watch(replacement.from, within: limit)
        if case .failed = outcome { life.showConsole(tail) }
        try close(keeping: replacement.oldMedia)
        switch outcome {
        case .healthy: return .returned(replacement.from, why: why)
        case .failed(let since, _): return .lost(replacement.from, why: why, since: since)
        }
    }

    // MARK: Taking up

    func resume(_ replacement: Replacement) async throws -> ReplacementOutcome {
        switch replacement.step {
        case .begun, .kept: return try await undo(replacement)
        case .proven: return try await finish(replacement)
        case .failed, .reverted, .returned: return try await back(replacement)
        case .switched:
            if try await life.hypervisor.state() == .running { return try await prove(replacement) }
            var cut = replacement
            if let evidence = life.evidenceOfHealth(replacement.to) {
                // It went on after whoever waited for it was gone, became healthy, and was switched off since.
                cut.step = .proven
                cut.evidence = evidence
                try await note(cut)
                return try await finish(cut)
            }
            cut.step = .failed
            cut.why = "ksbuild was cut off while it was being tried, and the machine does not run"
            try await note(cut)
            return try await back(cut)
        }
    }
}
