public import Artefact
internal import SystemPackage
public import TestSupport

/// The server of `Tests/Peers/server.py`, which goes wrong as the path says.
public final class OddServer: Sendable {
    /// The address without a path.
    public let base: String
    public let port: String
    /// What a right transfer brings.
    public let body: [UInt8]
    private let log: FilePath
    private let program: BackgroundProgram

    public init(in scratch: borrowing Scratch, environment: [String: String] = [:]) async throws {
        var random = SeededGenerator(seed: 7)
        body = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let name = "odd-\(UInt32.random(in: 0...UInt32.max))"
        let folder = scratch.path.appending(name)
        try scratch.file("\(name)/body", body)
        log = folder.appending("requests")
        program = try await BackgroundProgram(
            [
                "python3", Product.checkout.pushing("Tests/Peers/server.py").string, folder.appending("body").string,
                folder.appending("port").string, log.string,
            ], in: folder, log: folder.appending("errors"), environment: environment)
        port = try await program.wait(for: folder.appending("port"))
        base = "http://127.0.0.1:\(port)"
    }

    /// What was asked for, a line each.
    public var requests: [String] {
        let bytes = (try? HostFile.read(log, limit: 1 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    public var digest: Digest { Digest(of: body) }
}
