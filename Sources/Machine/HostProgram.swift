internal import Artefact
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A program of the host that is run to its end, such as `virsh`, `qemu-img` or `ssh-keyscan`.
struct HostProgram: Sendable {
    /// What a program said and how it ended.
    struct Outcome: Hashable, Sendable {
        /// The exit code, or 128 and the number of the signal that ended it.
        let exitCode: Int
        /// What it wrote on its standard output.
        let output: String
        /// What it wrote on its standard error.
        let errors: String

        /// Whether it ended with 0.
        var succeeded: Bool { exitCode == 0 }

        /// What it complained about, on one line and of bounded length; where it marks its errors as `virsh` does, only
        /// these.
        var complaint: String {
            let lines = errors.split(whereSeparator: \.isNewline)
            let marked = lines.filter { $0.hasPrefix("error: ") }.map { $0.dropFirst(7) }
            return String((marked.isEmpty ? lines : marked).joined(separator: "; ").prefix(600))
        }
    }

    /// Where programs for administrators are, which the search path of other users often lacks.
    private static let administration = ["/usr/local/sbin", "/usr/sbin", "/sbin"]
    /// The most output that is taken.
    private static let outputLimit = 16 << 20

    /// Its name, which the search path of this process resolves.
    let name: String
    /// The Debian package that has it, for the message when it is missing.
    let package: String
    /// Variables of the environment that differ from this process's own.
    var environment: [(name: String, value: String)] = []
    /// Its working directory, if not that of this process.
    var folder: FilePath?

    /// Names a program.
    init(_ name: String, package: String) {
        self.name = name
        self.package = package
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - arguments: What follows its name.
    ///   - limit: The longest time; it is ended after that.
    ///   - input: What it reads.
    /// - Returns: What it said; a program that fails is no error.
    /// - Throws: ``MachineError`` with ``MachineError/Code/programMissing`` or ``MachineError/Code/timeLimit``, or with
    ///   ``MachineError/Code/interrupted`` where SIGINT or SIGTERM ended it, which a terminal sends to all its programs.
    func run(_ arguments: [String], within limit: Duration, input: String = "") async throws -> Outcome {
        guard let program = await Self.find(name) else { throw MachineError.missing(program: name, package: package) }
        let (name, surroundings, folder) = (name, environment, folder)
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                let variables = Dictionary(
                    surroundings.map { (Environment.Key(stringLiteral: $0.name), Optional($0.value)) },
                    uniquingKeysWith: { $1 })
                // A Ctrl-C is for ksbuild, which knows what may be ended; not for a program in the middle of its work.
                var options = PlatformOptions()
                options.processGroupID = 0
                let record = try await Subprocess.run(
                    .path(program), arguments: Arguments(arguments), environment: .inherit.updating(variables),
                    workingDirectory: folder, platformOptions: options, input: .string(input),
                    output: .string(limit: Self.outputLimit),
                    error: .string(limit: Self.outputLimit))
                if case .signaled(let signal) = record.terminationStatus, [SIGINT, SIGTERM].contains(signal) {
                    throw MachineError(.interrupted, subject: name, detail: "was ended from outside")
                }
                return Outcome(
                    exitCode: record.terminationStatus.shellCode, output: record.standardOutput,
                    errors: record.standardError)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcome = first else {
                throw MachineError(.timeLimit, subject: name, detail: "did not end within \(limit.secondsText) s")
            }
            return outcome
        }
    }

    /// The path of a program, by the search path of this process and then where administrators have theirs.
    static func find(_ name: String) async -> FilePath? {
        if let path = try? await Executable.name(name).resolveExecutablePath(in: .inherit) { return path }
        return administration.map { FilePath($0).appending(name) }.first { path in
            guard let status = try? HostFile.status(of: path) else { return false }
            return status.kind == .file && status.mode.bits & 0o111 != 0
        }
    }

    /// Runs a program that only answers, with messages in English.
    ///
    /// - Returns: What it said; `nil` where it is not installed.
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit``, or with ``MachineError/Code/stepFailed`` when it
    ///   cannot be run.
    static func ask(
        _ name: String, _ arguments: [String], within limit: Duration = .seconds(60)
    ) async throws -> Outcome? {
        guard await find(name) != nil else { return nil }
        var program = HostProgram(name, package: name)
        program.environment = [("LC_ALL", "C")]
        do {
            return try await program.run(arguments, within: limit)
        } catch let error as SubprocessError {
            throw MachineError(.stepFailed, subject: name, detail: "cannot be run (\(error))")
        }
    }
}

extension TerminationStatus {
    /// The exit code as a shell tells it: 128 and the number of the signal for a program that one ended.
    var shellCode: Int {
        switch self {
        case .exited(let code): Int(code)
        case .signaled(let signal): 128 + Int(signal)
        }
    }
}
