internal import Artefact
public import SystemPackage

/// The life of a virtual machine: made, started, waited for, stopped, removed.
public struct MachineLife: Sendable {
    /// The longest time for a node to shut down: KubeSolo alone has 90 seconds to stop.
    public static let defaultStopLimit = Duration.seconds(180)
    /// The longest time for a node to become healthy: its own limit is 600 seconds after KubeSolo has started.
    public static let defaultHealthLimit = Duration.seconds(900)
    /// How long one press of the power button is waited for.
    private static let pressInterval = Duration.seconds(20)
    /// The longest time for a guest agent to bring the node down.
    private static let agentLimit = Duration.seconds(30)

    /// Who runs it.
    public let hypervisor: any Hypervisor
    /// Its files.
    public let folder: MachineFolder
    /// Told of each step when it begins.
    let progress: @Sendable (String) -> Void
    /// Whether the user wants the command to end.
    let isInterrupted: @Sendable () -> Bool

    /// Joins the parts.
    ///
    /// - Parameters:
    ///   - machine: The machine.
    ///   - folder: Its files.
    ///   - progress: Told of each step when it begins.
    ///   - isInterrupted: Whether the user wants the command to end.
    public init(
        _ machine: VirtualMachine, in folder: MachineFolder, progress: @escaping @Sendable (String) -> Void = { _ in },
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        hypervisor =
            switch machine.host {
            case .libvirt(let uri): LibvirtHypervisor(uri: uri, machine: machine, in: folder)
            case .plain: PlainHypervisor(folder)
            }
        self.folder = folder
        self.progress = progress
        self.isInterrupted = isInterrupted
    }

    var log: ConsoleLog { ConsoleLog(folder) }
    var disk: DataDiskImage { DataDiskImage(path: folder.dataDisk, machine: folder.name) }

    // MARK: Making and removing

    /// Says whether the machine can be made.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/exists`` or ``MachineError/Code/invalidSpecification``, or what
    ///   the hypervisor throws.
    public func requireUnmade(_ machine: VirtualMachine) async throws {
        try machine.validate()
        let state = try await hypervisor.state()
        guard try folder.machine() == nil || state == .absent else { throw existing() }
        try await hypervisor.requireFree(machine)
    }

    /// Makes the machine: its data disk where there is none, and its definition.
    ///
    /// - Parameters:
    ///   - machine: The machine.
    ///   - diskSize: The size of a data disk that is made, in bytes.
    /// - Throws: ``MachineError`` with ``MachineError/Code/exists``, or what the hypervisor throws.
    public func create(_ machine: VirtualMachine, diskSize: UInt64) async throws {
        try await requireUnmade(machine)
        try HostFile.makeDirectories(folder.path)
        if !HostFile.exists(folder.dataDisk) {
            progress("making a data disk of \(diskSize >> 20) MiB")
            try await disk.make(size: diskSize)
        }
        progress("defining \(machine.name) (\(hypervisor.title))")
        try await hypervisor.define(machine)
        try folder.keep(machine)
    }

    /// Removes the machine's definition and the files that were made for it: never an image that stands elsewhere, and
    /// its data disk only where that is asked for.
    ///
    /// - Parameter dataToo: Whether the data disk goes too.
    /// - Returns: The paths of what is gone and the path of a data disk that stays.
    /// - Throws: ``MachineError`` with ``MachineError/Code/wrongState`` where a data disk would stay in the middle of a
    ///   replacement, what the hypervisor throws, or `ArtefactError`.
    public func destroy(dataToo: Bool) async throws -> (removed: [FilePath], kept: FilePath?) {
        if !dataToo, let replacement = try unfinished() {
            throw MachineError(
                .wrongState, subject: folder.name,
                detail:
                    "has a data disk in the middle of the \(replacement.title); 'ksbuild vm start' settles that first, or"
                    + " --data removes the disk too")
        }
        if try await hypervisor.state().isAlive {
            progress("switching \(folder.name) off")
            try await hypervisor.cutPower()
        }
        if try await hypervisor.state() != .absent { try await hypervisor.undefine() }
        try folder.pin([])
        var removed: [FilePath] = []
        let keeps = !dataToo && HostFile.exists(folder.dataDisk)
        // The journal goes first: it would speak of a disk that is gone.
        try? HostFile.remove(folder.journal)
        for name in try HostFile.names(in: folder.path).sorted() where !name.hasPrefix(".") {
            let path = folder.path.appending(name)
            if keeps && path == folder.dataDisk { continue }
            try HostFile.status(of: path, followingLinks: false).kind == .directory
                ? HostFile.removeTree(path) : HostFile.remove(path)
            removed.append(path)
        }
        if !keeps { try HostFile.removeTree(folder.path) }
        return (removed, keeps ? folder.dataDisk : nil)
    }

    // MARK: Starting and stopping

    /// Starts a machine that is off, or lets one go on that is paused.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/imageMissing`` for a medium or disk that is gone, with
    ///   ``MachineError/Code/notMade`` where nobody knows the machine, with ``MachineError/Code/wrongState`` where it is
    ///   paused again at once, or what the hypervisor throws.
    public func start(_ machine: VirtualMachine) async throws {
        switch try await hypervisor.state() {
        case .running: return progress("\(machine.name) runs already")
        case .paused(let reason): return try await resume(from: reason)
        case .absent:
            throw MachineError(
                .notMade, subject: machine.name,
                detail:
                    "is not known to \(hypervisor.title) any more; 'ksbuild vm create' makes it again, on its data disk"
            )
        case .off: break
        }
        try requireDataDisk()
        for image in [machine.media.boot, machine.media.seed].compactMap({ $0 }) {
            guard HostFile.exists(FilePath(image)) else {
                throw MachineError(
                    .imageMissing, subject: image,
                    detail: "is gone, and \(machine.name) boots from it; 'ksbuild vm destroy' and 'ksbuild vm create"
                        + " --version \(machine.media.version)' make the machine again, on its data disk")
            }
        }
        try log.begin()
        progress("starting \(machine.name) with \(machine.media.version)")
        try await hypervisor.start(machine)
    }

    /// Says whether the data disk is there.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/imageMissing``.
    func requireDataDisk() throws(MachineError) {
        guard !HostFile.exists(folder.dataDisk) else { return }
        throw MachineError(
            .imageMissing, subject: folder.dataDisk.string,
            detail: "is gone, and with it the data of \(folder.name); put it back from a copy, or let 'ksbuild vm"
                + " destroy' and 'ksbuild vm create' make the machine with a blank one")
    }

    /// Lets the machine go on, and sees whether it does.
    private func resume(from reason: String) async throws {
        progress("\(folder.name) is paused (\(reason)); letting it go on")
        try await hypervisor.resume()
        for _ in 0..<4 {
            try await Task.sleep(for: .milliseconds(250))
            guard case .paused(let reason) = try await hypervisor.state() else { continue }
            let isDisk = ["I/O error", "io-error"].contains(reason)
            throw MachineError(
                .wrongState, subject: folder.name,
                detail: "is paused (\(reason)) again as soon as it goes on; "
                    + (isDisk ? "make room on the disk that \(folder.path) is on" : "mend that")
                    + " and start it again, or cut its power with 'ksbuild vm stop --force'")
        }
    }

    /// Waits until the node is healthy.
    ///
    /// - Parameters:
    ///   - release: What it is to be.
    ///   - limit: The longest time.
    /// - Returns: The node's own line.
    /// - Throws: ``MachineError`` with ``MachineError/Code/unhealthy`` and the last lines of the console.
    public func waitUntilHealthy(_ release: NodeRelease, within limit: Duration) async throws -> String {
        let (outcome, tail) = try await watch(release, within: limit)
        switch outcome {
        case .healthy(let evidence): return evidence
        case .failed(let why, _):
            showConsole(tail)
            throw MachineError(
                .unhealthy, subject: folder.name,
                detail: "\(release.version) is not well: \(why); see \(folder.serialLog)")
        }
    }

    /// Shows the last lines of the console.
    func showConsole(_ tail: [String]) { for line in tail.suffix(12) { progress("| \(line)") } }

    func watch(
        _ release: NodeRelease, within limit: Duration
    ) async throws -> (outcome: NodeWatch.Outcome, tail: [String]) {
        progress("waiting until \(folder.name) is healthy, at most \(limit.components.seconds) s")
        let watch = NodeWatch(
            machine: hypervisor, log: log, release: release, limit: limit, isInterrupted: isInterrupted)
        return try await watch.untilHealthy { progress("  \($0)") }
    }

    /// Shuts the node down: by its agent, by its power button, and where that is wanted by cutting its power.
    ///
    /// - Parameters:
    ///   - limit: The longest time for the node to do it itself.
    ///   - isForced: Whether to cut its power then.
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` when it still runs.
    public func stop(within limit: Duration, force isForced: Bool) async throws {
        let state = try await hypervisor.state()
        guard state.isAlive else {
            guard state == .off else { throw absent() }
            return progress("\(folder.name) is off already")
        }
        if state == .running {
            let deadline = ContinuousClock.now.advanced(by: limit)
            if limit > .zero, try await hypervisor.askAgent() {
                progress("shutting \(folder.name) down through its agent")
                if try await isOff(before: min(deadline, .now.advanced(by: Self.agentLimit))) { return }
            }
            if limit > .zero {
                progress("pressing the power button of \(folder.name)")
                // Pressed before the node listens, it is lost: so it is pressed again now and then.
                while ContinuousClock.now < deadline {
                    try await pressPowerButton()
                    if try await isOff(before: min(deadline, .now.advanced(by: Self.pressInterval))) { return }
                }
            }
        }
        guard isForced else {
            throw MachineError(
                state == .running ? .timeLimit : .wrongState, subject: folder.name,
                detail: state == .running
                    ? "has not shut down within \(limit.components.seconds) s and still runs; --force cuts its power then"
                    : "is \(state) and cannot shut down; --force cuts its power")
        }
        progress("cutting the power of \(folder.name)")
        try await hypervisor.cutPower()
    }

    /// Presses the power button; a machine that has gone off meanwhile has none.
    private func pressPowerButton() async throws {
        do {
            try await hypervisor.pressPowerButton()
        } catch {
            guard try await hypervisor.state().isAlive else { return }
            throw error
        }
    }

    private func isOff(before deadline: ContinuousClock.Instant) async throws -> Bool {
        while try await hypervisor.state().isAlive {
            guard ContinuousClock.now < deadline else { return false }
            guard !isInterrupted() else {
                throw MachineError(
                    .interrupted, subject: folder.name, detail: "is shutting down, and nobody waits for it")
            }
            try await Task.sleep(for: .milliseconds(250))
        }
        return true
    }

    /// What the node has said last about its health since it was started: `healthy`, `unhealthy`, or that it has yet to.
    public func saidHealth() -> (state: String, line: String?) {
        let record = log.record()
        if let failure = record.failure { return ("failed", failure.description) }
        guard let fact = record.latest("health") else { return ("starting", nil) }
        return (fact["state"] ?? "unknown", fact.description)
    }

    /// The line with which a release has said since the latest start that it is healthy, where it has.
    func evidenceOfHealth(_ release: NodeRelease) -> String? {
        guard case .healthy(let evidence)? = NodeWatch.judge(log.record(), release) else { return nil }
        return evidence
    }

    /// The size of the data disk that the node sees, in bytes.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/imageMissing`` where it is gone.
    public func diskSize() async throws -> UInt64 {
        try requireDataDisk()
        return try await disk.size
    }

    /// The error for a machine that was made while its data was about to be removed.
    public static func isBack(_ folder: MachineFolder) -> MachineError {
        MachineError(.wrongState, subject: folder.name, detail: "was made again meanwhile; nothing was removed")
    }

    /// Says whether nothing runs on the data disk of a machine that was removed.
    ///
    /// - Parameter folder: Its files.
    /// - Throws: ``MachineError`` with ``MachineError/Code/inUse``.
    public static func requireUnused(_ folder: MachineFolder) async throws {
        try await DataDiskImage(path: folder.dataDisk, machine: folder.name).requireUnlocked()
    }

    /// The error for a machine that was to be made and is there.
    public func existing() -> MachineError {
        MachineError(
            .exists, subject: folder.name,
            detail: "exists already; 'ksbuild vm start' starts it, 'ksbuild vm upgrade' gives it another version,"
                + " 'ksbuild vm destroy' removes it")
    }

    /// The error for a machine that nobody knows.
    public func absent() -> MachineError {
        MachineError(
            .notMade, subject: folder.name,
            detail: "is not known to \(hypervisor.title); 'ksbuild vm create' makes it")
    }
}
