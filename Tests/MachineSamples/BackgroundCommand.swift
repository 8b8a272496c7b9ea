internal import Artefact
public import SystemPackage
public import TestSupport

/// A command that runs while a test goes on.
public struct BackgroundCommand: Sendable {
    /// What a background command did not do in five minutes.
    public struct Late: Error, CustomStringConvertible {
        public let description: String
    }

    private let ending: Task<ProgramResult, any Error>
    private let number: FilePath
    private let errors: FilePath

    /// Starts it.
    ///
    /// - Parameters:
    ///   - program: The program.
    ///   - arguments: Its arguments.
    ///   - folder: Its working directory, in which what it says on its standard error is kept meanwhile.
    public init(_ program: String, _ arguments: [String], in folder: FilePath) {
        let stem = folder.appending("background-\(UInt32.random(in: 0...UInt32.max))")
        number = FilePath("\(stem).pid")
        errors = FilePath("\(stem).errors")
        let words = ["-c", "echo $$ >\"$0.pid\"; exec \"$@\" 2>\"$0.errors\"", stem.string, program] + arguments
        ending = Task { try await run("sh", words, in: folder, environment: ["LIBVIRT_DEFAULT_URI": ""]) }
    }

    private var said: String { String(decoding: (try? HostFile.read(errors, limit: 1 << 20)) ?? [], as: UTF8.self) }

    /// Waits until it has said a text on its standard error.
    ///
    /// - Throws: ``Late`` with what it has said instead.
    public func says(_ text: String) async throws { try await reaches("saying '\(text)'") { said.contains(text) } }

    /// Waits until something is the case.
    ///
    /// - Throws: ``Late`` with what it has said.
    public func reaches(_ what: String, _ isReached: () throws -> Bool) async throws {
        for _ in 0..<30_000 {
            if try isReached() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Late(description: "is far from \(what) after five minutes; it said: \(said)")
    }

    /// Waits until it has ended, by a signal where one is given.
    ///
    /// - Parameter signal: The name of a signal that is sent to it first, such as `INT`.
    /// - Returns: What it said and how it ended.
    public func end(by signal: String? = nil) async throws -> ProgramResult {
        if let signal {
            let process = String(decoding: try HostFile.read(number, limit: 64), as: UTF8.self).filter(\.isNumber)
            _ = try await run("kill", ["-s", signal, process])
        }
        let result = try await ending.value
        return ProgramResult(exitCode: result.exitCode, output: result.output, errors: said)
    }
}
