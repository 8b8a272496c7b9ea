/// Boots a node and looks whether it becomes what its build says, through the serial line and over the network.
public struct BootTest: Sendable {
    /// The longest time for a node to become healthy under emulation on a machine that does other things too.
    public static let defaultLimit = Duration.seconds(300)
    /// The longest time for a node to power itself off under emulation: KubeSolo alone has 90 seconds to stop.
    public static let defaultShutdownLimit = Duration.seconds(150)
    /// How often the screen is looked at while the serial line has told no fact.
    private static let screenInterval = Duration.seconds(5)

    /// What is expected.
    public var expectations: BootExpectations
    /// Who logs in to prove that SSH works; without one the server's banner and host key are looked at.
    public var login: SSHLogin?
    /// The longest time for everything but the shutdown.
    public var limit: Duration
    /// The longest time for the shutdown.
    public var shutdownLimit = defaultShutdownLimit
    /// Whether the test ends as soon as an assertion fails, and the machine then as by a power failure.
    public var isImpatient = false

    /// Describes a boot test.
    public init(expecting expectations: BootExpectations, login: SSHLogin? = nil, limit: Duration = defaultLimit) {
        self.expectations = expectations
        self.login = login
        self.limit = limit
    }

    /// Boots a machine, judges it and switches it off.
    ///
    /// - Parameters:
    ///   - machine: What is booted.
    ///   - accelerator: What runs it.
    ///   - progress: Told of each assertion when it is first decided.
    /// - Returns: The outcome; a node that is not as expected is no error. It says so in ``BootReport/failure``.
    /// - Throws: ``MachineError`` when the test itself could not be carried out.
    public func run(
        _ machine: BootMachine, accelerator: Accelerator, progress: @Sendable (AssertionResult) -> Void = { _ in }
    ) async throws -> BootReport {
        try await machine.run(accelerator: accelerator) { running in try await judge(running, progress: progress) }
    }

    /// Judges a machine that is running, from its start or its last reset; the assertion on the shutdown ends it.
    ///
    /// - Parameters:
    ///   - running: The machine.
    ///   - progress: Told of each assertion when it is first decided.
    /// - Returns: The outcome.
    /// - Throws: ``MachineError`` when a program that is needed is missing.
    public func judge(
        _ running: RunningMachine, progress: @Sendable (AssertionResult) -> Void = { _ in }
    ) async throws -> BootReport {
        var state = Progress(expectations)
        let first = BootAssertion.allCases.filter { $0 != .acpiShutdown }
        var nextLook = Self.screenInterval
        while true {
            let facts = await running.facts
            for assertion in first where !BootJudge.overTheNetwork.contains(assertion) {
                let (verdict, time) = state.judge.verdict(assertion, facts)
                state.note(assertion, verdict, time, progress)
            }
            let elapsed = await running.elapsed
            let (failure, isRunning) = await (running.failure, running.isRunning)
            let isOver =
                failure != nil || !isRunning || elapsed >= limit || (isImpatient && state.hasFailed)
            if state.areDecided(first) || isOver { break }
            if facts.isEmpty, elapsed >= nextLook {
                nextLook = elapsed + Self.screenInterval
                try await running.lookAtScreen()
            }
            try await lookOverTheNetwork(running, facts, &state, progress)
            try await Task.sleep(for: .milliseconds(200))
        }
        let (failure, isRunning) = await (running.failure, running.isRunning)
        let undecided: String
        if let failure {
            undecided = "the boot ended early: \(failure)"
        } else if !isRunning {
            undecided = "the machine ended after \(await running.elapsed.secondsText) s"
        } else {
            undecided = "not within \(limit.secondsText) s"
        }
        let isWell = failure == nil && isRunning && state.areDecided(first) && !state.hasFailed
        let isAsked = expectations.outcome(.acpiShutdown) != .notAsked
        if failure == nil, isRunning, isAsked, isWell || !isImpatient {
            let before = await running.elapsed
            let didPowerOff = try await running.powerdown(within: shutdownLimit)
            let after = await running.elapsed
            let took = (after - before).secondsText
            state.note(
                .acpiShutdown,
                didPowerOff
                    ? .holds("powered itself off in \(took) s")
                    : .refused("still running \(took) s after the power button was pressed"),
                after, progress)
        }
        return BootReport(
            expectations: expectations, results: state.results(orElse: undecided),
            elapsed: await running.elapsed, limit: limit, accelerator: running.accelerator,
            firmware: running.machine.firmware, guestFailure: failure, serialLog: running.machine.serialLog,
            consoleTail: await running.consoleTail)
    }

    /// Tries what needs the network and is not decided yet, each for a few seconds at most.
    private func lookOverTheNetwork(
        _ running: RunningMachine, _ facts: [SerialFact], _ state: inout Progress,
        _ progress: (AssertionResult) -> Void
    ) async throws {
        if state.isUndecided(.sshReachable), facts.contains(where: { $0.subject == "hostkey" }) {
            let verdict = try await lookForSSH(running)
            state.note(.sshReachable, verdict, await running.elapsed, progress)
        }
        guard state.isUndecided(.apiReachable) else { return }
        let (refusal, time) = state.judge.verdict(.apiReachable, facts)
        if case .refused = refusal {
            state.note(.apiReachable, refusal, time, progress)
        } else if facts.contains(where: { $0.subject == "kubesolo" }) {
            let answer = await NetworkProbe.api(port: running.ports.api, within: .seconds(3))
            guard let answer else { return }
            state.note(.apiReachable, .holds("port 6443: \(answer.rawValue)"), await running.elapsed, progress)
        }
    }

    private func lookForSSH(_ running: RunningMachine) async throws -> BootVerdict {
        guard let banner = await NetworkProbe.sshBanner(port: running.ports.ssh, within: .seconds(5)) else {
            return .pending("no SSH server answers on port 22")
        }
        do {
            let fingerprint = try await running.pinHostKey()
            guard let login else { return .holds("\(banner), host key \(fingerprint)") }
            let result = try await running.ssh("true", as: login)
            guard result.exitCode == 0 else {
                return .pending(
                    "\(login.user) cannot log in: \(result.errors.split(whereSeparator: \.isNewline).joined())")
            }
            return .holds("\(banner), host key \(fingerprint), \(login.user) logged in")
        } catch let error as MachineError where error.code == .timeLimit {
            return .pending("\(banner); \(error)")
        } catch let error as MachineError where error.code == .hostKeyMismatch {
            return .refused(error.description)
        }
    }
}

/// What is known of each assertion while a boot test goes on.
private struct Progress {
    let judge: BootJudge
    private var verdicts: [BootAssertion: (verdict: BootVerdict, time: Duration?)] = [:]
    private var told: Set<BootAssertion> = []

    init(_ expectations: BootExpectations) { judge = BootJudge(expectations: expectations) }

    func isUndecided(_ assertion: BootAssertion) -> Bool {
        guard judge.expectations.outcome(assertion) != .notAsked else { return false }
        if case .pending = verdicts[assertion]?.verdict ?? .pending("") { return true }
        return false
    }

    /// Whether an assertion came out otherwise than expected.
    var hasFailed: Bool {
        BootAssertion.allCases.contains { !isUndecided($0) && result($0)?.state == .failed }
    }

    func areDecided(_ assertions: [BootAssertion]) -> Bool { !assertions.contains(where: isUndecided) }

    mutating func note(
        _ assertion: BootAssertion, _ verdict: BootVerdict, _ time: Duration?, _ progress: (AssertionResult) -> Void
    ) {
        verdicts[assertion] = (verdict, time)
        guard !isUndecided(assertion), let result = result(assertion), result.state != .skipped else { return }
        if told.insert(assertion).inserted { progress(result) }
    }

    /// The result of an assertion that is decided or not asked; `nil` for one that is not.
    private func result(_ assertion: BootAssertion) -> AssertionResult? {
        let expected = judge.expectations.outcome(assertion)
        guard expected != .notAsked else {
            return AssertionResult(assertion, expected: expected, state: .skipped, elapsed: nil, evidence: "")
        }
        guard let (verdict, time) = verdicts[assertion] else { return nil }
        let isAsExpected: Bool
        switch verdict {
        case .pending: return nil
        case .holds: isAsExpected = expected == .holds
        case .refused: isAsExpected = expected == .refused
        }
        return AssertionResult(
            assertion, expected: expected, state: isAsExpected ? .passed : .failed, elapsed: time,
            evidence: verdict.evidence)
    }

    /// The results at the end: what is not decided has failed.
    func results(orElse reason: String) -> [AssertionResult] {
        BootAssertion.allCases.map { assertion in
            if let result = result(assertion) { return result }
            let expected = judge.expectations.outcome(assertion)
            let known = verdicts[assertion]?.verdict.evidence ?? ""
            return AssertionResult(
                assertion, expected: expected, state: .failed, elapsed: nil,
                evidence: known.isEmpty ? reason : "\(reason); last seen: \(known)")
        }
    }
}
