internal import Subprocess
public import SystemPackage

/// What a program said and how it ended.
public struct ProgramResult: Sendable {
    public let exitCode: Int
    public let output: String
    public let errors: String

    public var succeeded: Bool { exitCode == 0 }

    /// Joins what is known of it.
    public init(exitCode: Int, output: String, errors: String) {
        self.exitCode = exitCode
        self.output = output
        self.errors = errors
    }
}

/// Runs a real program to its end; a program that is missing is an error, never a skipped test.
public func run(
    _ name: String, _ arguments: [String], in directory: FilePath? = nil, environment: [String: String] = [:],
    input: String = "", outputLimit: Int = 64 << 20
) async throws -> ProgramResult {
    let executable: Executable = name.contains("/") ? .path(FilePath(name)) : .name(name)
    var values: [Environment.Key: String?] = [:]
    for (key, value) in environment { values[Environment.Key(rawValue: key) ?? "KSBUILD_BAD_KEY"] = value }
    let record = try await Subprocess.run(
        executable, arguments: Arguments(arguments), environment: .inherit.updating(values),
        workingDirectory: directory, input: .string(input), output: .string(limit: outputLimit),
        error: .string(limit: outputLimit))
    let code =
        switch record.terminationStatus {
        case .exited(let code): Int(code)
        case .signaled(let signal): 128 + Int(signal)
        }
    return ProgramResult(exitCode: code, output: record.standardOutput, errors: record.standardError)
}
