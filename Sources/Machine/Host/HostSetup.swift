internal import Artefact
internal import Subprocess
internal import SystemPackage

/// Carries a plan out, one step after the other.
///
/// What is there is looked at again before each step, because a step may bring about what a later one is for: Debian's
/// package starts libvirt's daemon. Killed in between, the next run goes on where this one ended.
public struct HostSetup: Sendable {
    /// What runs a program as root.
    public enum Elevation: Hashable, Sendable {
        /// This process is root's.
        case notNeeded
        /// `sudo` or `doas`.
        case program(String)
        /// Neither is installed.
        case missing

        /// What the process of a user has; `sudo` first.
        public static func forThisHost(isRoot: Bool) async -> Elevation {
            if isRoot { return .notNeeded }
            for name in ["sudo", "doas"] where await HostProgram.find(name) != nil { return .program(name) }
            return .missing
        }

        /// The program, for lines that a person pastes.
        public var word: String? {
            switch self {
            case .notNeeded: nil
            case .program(let name): name
            case .missing: "sudo"
            }
        }
    }

    private let distribution: Distribution
    private let goal: HostGoal
    private let elevation: Elevation

    /// Prepares a run.
    public init(_ distribution: Distribution, _ goal: HostGoal, elevation: Elevation) {
        self.distribution = distribution
        self.goal = goal
        self.elevation = elevation
    }

    /// The plan for the host as it is now.
    ///
    /// - Parameter elevating: Whether root's rights may be used for questions that only root gets answered. It never
    ///   asks for a password.
    /// - Returns: The plan.
    /// - Throws: ``MachineError``, also with ``MachineError/Code/invalidSpecification`` for a user that the host does not
    ///   know; `CancellationError`.
    public func plan(elevating: Bool) async throws -> HostPlan {
        if let user = goal.user, HostAccount(named: user) == nil {
            throw MachineError(
                .invalidSpecification, subject: "user '\(user)'", detail: "is not known on this host; name one that is")
        }
        let words: [String]? =
            switch elevation {
            case .notNeeded: []
            case .program(let name): elevating ? [name, "-n"] : nil
            case .missing: nil
            }
        return HostPlan(distribution, goal, try await HostProbe(distribution, goal, elevation: words).facts())
    }

    /// Carries out the steps of a plan that are open.
    ///
    /// - Parameters:
    ///   - plan: The plan that was shown.
    ///   - announce: Is told of each step before it is run.
    /// - Returns: The steps that were run: none where a look with root's rights shows that all was done.
    /// - Throws: ``MachineError`` with ``MachineError/Code/stepFailed`` for the first step that fails or has no effect,
    ///   with ``MachineError/Code/notPermitted`` where root's rights cannot be had, with
    ///   ``MachineError/Code/programMissing``; `CancellationError`.
    public func carryOut(_ plan: HostPlan, announce: (HostStep) -> Void) async throws -> [HostStep] {
        var done: [HostStep] = []
        if plan.open.contains(where: \.needsRoot) { try await elevate() }
        while let next = try await remaining(after: done).first {
            try Task.checkCancellation()
            if let same = done.first(where: { $0.name == next.name }) {
                throw MachineError(
                    .stepFailed, subject: same.what,
                    detail: "ended well and had no effect (\(same.evidence))\(advice(same))")
            }
            announce(next)
            try await run(next)
            done.append(next)
        }
        return done
    }

    /// What is open now; of what this process cannot see, what was done counts as done.
    private func remaining(after done: [HostStep]) async throws -> [HostStep] {
        try await plan(elevating: true).open.filter { open in
            open.isVerifiable || !done.contains { $0.name == open.name }
        }
    }

    /// Has a password asked for, if there is one, before the first step: the questions that only root gets answered come
    /// before it.
    private func elevate() async throws {
        guard case .program(let name) = elevation, let program = await HostProgram.find(name) else { return }
        let status = try? await Self.run(program, ["true"], input: nil)
        guard status == .exited(0) else {
            try Task.checkCancellation()
            throw MachineError(
                .notPermitted, subject: name,
                detail: "does not give root's rights, which the steps take (what it said is above); run this as root")
        }
    }

    private func advice(_ step: HostStep) -> String { step.advice.map { "; \($0)" } ?? "" }

    private func run(_ step: HostStep) async throws {
        let words: [String]
        let input: String?
        switch step.action {
        case .byHand(let text): throw MachineError(.stepFailed, subject: step.what, detail: text)
        case .run(let command, let text): (words, input) = (command, text)
        }
        if step.needsRoot && elevation == .missing {
            throw MachineError(
                .notPermitted, subject: step.what,
                detail: "takes root, and neither sudo nor doas is installed; run this as root")
        }
        let elevated = HostStep.elevated(words, step.needsRoot ? elevation.word : nil)
        guard let name = elevated.first, let program = await HostProgram.find(name) else {
            throw MachineError(
                .programMissing, subject: elevated.first ?? step.what,
                detail: "is not installed, and is needed to \(step.what)")
        }
        let status: TerminationStatus
        do {
            status = try await Self.run(program, Array(elevated.dropFirst()), input: input)
        } catch let error as SubprocessError {
            throw MachineError(.stepFailed, subject: step.what, detail: "cannot run \(program) (\(error))")
        }
        try Task.checkCancellation()
        guard status == .exited(0) else {
            throw MachineError(
                .stepFailed, subject: step.what,
                detail:
                    "'\(ShellLine(elevated))' ended with \(status.shellCode), and what it said is above\(advice(step))")
        }
    }

    /// Runs a program with the terminal of this process, where it may ask for a password; all it says goes to standard
    /// error.
    private static func run(_ program: FilePath, _ arguments: [String], input: String?) async throws
        -> TerminationStatus
    {
        let words = FileDescriptorOutput.fileDescriptor(.standardError, closeAfterSpawningProcess: false)
        if let input {
            return try await Subprocess.run(
                .path(program), arguments: Arguments(arguments), input: .string(input), output: words, error: words
            ).terminationStatus
        }
        return try await Subprocess.run(
            .path(program), arguments: Arguments(arguments),
            input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false), output: words, error: words
        ).terminationStatus
    }
}
