internal import Artefact
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Ports of the loopback interface for servers that must be told theirs.
enum ServerPort {
    /// Below those that the kernel gives to whoever takes any (`ip_local_port_range`), so that nobody has one of them
    /// between its being picked and the server's start.
    private static let range = 12_000..<32_000
    private static let count = Atomic<Int>(Int(getpid()) * 61)

    /// Picks a port that nobody listens on; none is picked twice in this process.
    static func pick() async throws -> String {
        for _ in 0..<100 {
            let number = count.wrappingAdd(1, ordering: .relaxed).oldValue
            let port = "\(range.lowerBound + number % range.count)"
            let script = "import socket, sys; socket.socket().bind(('127.0.0.1', int(sys.argv[1])))"
            if try await run("python3", ["-c", script, port]).succeeded { return port }
        }
        throw ArtefactError.system("find a port on", "127.0.0.1", .addressInUse)
    }
}
