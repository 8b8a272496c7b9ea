internal import Artefact
internal import SystemPackage
public import TestSupport

/// The server of `Tests/Peers/registry.py`: what a registry of others may do, in front of a real one.
public final class RegistryFront {
    /// The host and port.
    public let host: String
    /// What stands behind it.
    public let registry: DockerRegistry
    private let log: FilePath
    private let uploads: FilePath
    private let program: BackgroundProgram

    /// Starts one with a registry of its own.
    ///
    /// - Parameter words: What it does; see the script.
    public convenience init(in scratch: borrowing Scratch, _ words: String...) async throws {
        try await self.init(in: scratch, words)
    }

    /// The same.
    public init(in scratch: borrowing Scratch, _ words: [String]) async throws {
        registry = try await DockerRegistry(in: scratch, .none)
        let folder = scratch.path.appending("front-\(UInt32.random(in: 0...UInt32.max))")
        uploads = folder.appending("uploads")
        try HostFile.makeDirectories(uploads)
        log = folder.appending("requests")
        program = try await BackgroundProgram(
            [
                "python3", Product.checkout.pushing("Tests/Peers/registry.py").string, registry.host,
                folder.appending("port").string, log.string, uploads.string,
            ] + words, in: folder, log: folder.appending("errors"))
        host = "127.0.0.1:\(try await program.wait(for: folder.appending("port")))"
    }

    /// A request as it was answered.
    public struct Request: Hashable, Sendable {
        public let server: String
        public let method: String
        public let path: String
        /// The kind of authorization, or `-`.
        public let authorization: String
        public let status: Int
        /// The bytes that came with it.
        public let bytes: UInt64
    }

    /// What was asked for so far, and answered.
    public var requests: [Request] {
        lines.compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 6, let status = Int(words[4]), let bytes = UInt64(words[5]) else { return nil }
            return Request(
                server: words[0], method: words[1], path: words[2], authorization: words[3], status: status,
                bytes: bytes)
        }
    }

    /// The bytes of the largest upload that is under way, once no more come.
    public func largestUpload() async throws -> UInt64 {
        var before = UInt64.max
        while true {
            let sizes = try HostFile.names(in: uploads).map { try HostFile.status(of: uploads.appending($0)).size }
            let size = sizes.max() ?? 0
            if size == before { return size }
            before = size
            try await Task.sleep(for: .milliseconds(400))
        }
    }

    /// Waits until some bytes of an upload are there.
    public func waitForUpload() async throws {
        for _ in 0..<600 {
            for name in try HostFile.names(in: uploads) {
                if let status = try? HostFile.status(of: uploads.appending(name)), status.size > 0 { return }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ArtefactError.system("wait for an upload in", uploads, .noSuchFileOrDirectory)
    }

    private var lines: [String] {
        let bytes = (try? HostFile.read(log, limit: 16 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
