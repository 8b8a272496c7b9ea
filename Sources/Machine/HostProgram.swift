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

        /// What it wrote on its standard error, on one line.
        var complaint: String {
            let lines = errors.split(whereSeparator: \.isNewline).map { line in
                line.hasPrefix("error: ") ? line.dropFirst(7) : line
            }
            return String(lines.joined(separator: "; ").prefix(600))
        }
    }

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
    /// - Throws: ``MachineError`` with ``MachineError/Code/programMissing`` or ``MachineError/Code/timeLimit``.
    func run(_ arguments: [String], within limit: Duration, input: String = "") async throws -> Outcome {
        let program = try await BootMachine.resolve(name, package: package)
        let (name, surroundings, folder) = (name, environment, folder)
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                let variables = Dictionary(
                    surroundings.map { (Environment.Key(stringLiteral: $0.name), Optional($0.value)) },
                    uniquingKeysWith: { $1 })
                let record = try await Subprocess.run(
                    .path(program), arguments: Arguments(arguments), environment: .inherit.updating(variables),
                    workingDirectory: folder, input: .string(input), output: .string(limit: Self.outputLimit),
                    error: .string(limit: Self.outputLimit))
                let code =
                    switch record.terminationStatus {
                    case .exited(let code): Int(code)
                    case .signaled(let signal): 128 + Int(signal)
                    }
                return Outcome(exitCode: code, output: record.standardOutput, errors: record.standardError)
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
}
