internal import Artefact
internal import Glibc
public import SystemPackage
internal import TestSupport

/// A server that runs as long as this value lives, and never longer than two hours.
public final class BackgroundProgram: Sendable {
    private let process: Int32

    /// Starts a program; what it says goes to `log`.
    public init(
        _ words: [String], in directory: FilePath, log: FilePath, environment: [String: String] = [:]
    ) async throws {
        let started = try await run(
            "sh",
            ["-c", #"log=$1; shift; timeout 7200 "$@" </dev/null >"$log" 2>&1 & echo $!"#, "sh", log.string] + words,
            in: directory, environment: environment)
        guard let number = Int32(started.output.filter(\.isNumber)) else {
            throw ArtefactError.system("start", FilePath(words[0]), .noSuchProcess)
        }
        process = number
    }

    /// Whether it still runs.
    public var isRunning: Bool { kill(process, 0) == 0 }

    deinit { _ = kill(process, SIGTERM) }

    /// Waits until a file is there and holds something.
    public func wait(for file: FilePath) async throws -> String {
        for _ in 0..<600 {
            if let bytes = try? HostFile.read(file, limit: 4096), !bytes.isEmpty {
                return String(decoding: bytes, as: UTF8.self)
            }
            guard isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ArtefactError.system("wait for", file, .noSuchFileOrDirectory)
    }
}
