internal import Glibc
public import SystemPackage

/// Brings the terminal to a socket that carries the bytes of a serial console.
public enum TerminalRelay {
    /// Ctrl-], which leaves the console as it does in `virsh console`.
    private static let escape: UInt8 = 0x1d

    /// Relays until the other side closes, standard input ends, or Ctrl-] is typed.
    ///
    /// - Parameters:
    ///   - path: The socket.
    ///   - tell: Told how to leave, and that it was left.
    /// - Throws: ``MachineError`` with ``MachineError/Code/inUse`` or ``MachineError/Code/system``.
    public static func run(_ path: FilePath, _ tell: (String) -> Void) async throws {
        let socket = try StreamSocket(path: path)
        let terminal = RawTerminal()
        defer { terminal.restore() }
        tell("connected to the console; Ctrl-] leaves it\r")
        var typed: [UInt8] = []
        relay: while true {
            switch readInput() {
            case .bytes(let bytes):
                if let end = bytes.firstIndex(of: escape) {
                    typed += bytes[..<end]
                    flush(&typed, to: socket)
                    break relay
                }
                typed += bytes
            case .closed: break relay
            }
            flush(&typed, to: socket)
            guard case .bytes(let bytes) = socket.read() else { break }
            try FileDescriptor.standardOutput.writeAll(bytes)
            if bytes.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    private static func flush(_ typed: inout [UInt8], to socket: borrowing StreamSocket) {
        if !typed.isEmpty, let count = socket.write(typed) { typed.removeFirst(count) }
    }

    /// What has been typed, without waiting.
    private static func readInput() -> StreamSocket.Reading {
        var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&ready, 1, 0) > 0 else { return .bytes([]) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe read(STDIN_FILENO, bytes.baseAddress, bytes.count)
        }
        return count > 0 ? .bytes(Array(buffer.prefix(count))) : .closed
    }
}

/// The terminal of standard input, which hands on every key while this lives; nothing where it is no terminal.
private struct RawTerminal {
    private let before: termios?

    init() {
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else {
            before = nil
            return
        }
        before = settings
        unsafe cfmakeraw(&settings)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    func restore() {
        guard var settings = before else { return }
        _ = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }
}
