internal import FoundationEssentials
internal import SystemPackage

/// The monitor of a running QEMU: commands, their answers and events, as JSON lines (QEMU Machine Protocol).
struct MonitorConnection: ~Copyable {
    /// Something that QEMU tells without being asked.
    struct Event: Decodable, Hashable, Sendable {
        /// What an event tells besides its name, as far as it matters here.
        struct Details: Decodable, Hashable, Sendable {
            /// Whether the guest itself is the cause, for `SHUTDOWN` and `RESET`.
            let guest: Bool?
            /// The cause of a `SHUTDOWN` or `RESET`, such as `guest-shutdown`, `guest-reset` or `host-qmp-quit`.
            let reason: String?
        }

        /// The name, such as `SHUTDOWN`, `RESET` or `POWERDOWN`.
        let event: String
        let data: Details?
    }

    /// The longest line that is taken from QEMU.
    static let lineLimit = 1 << 20

    private let socket: StreamSocket
    private var buffer: [UInt8] = []
    private var nextIdentifier = 1
    private var unsent: [UInt8] = []
    /// Whether QEMU has said hello; no command may begin before.
    private(set) var isGreeted = false
    private var answers: [Int: Answer] = [:]
    /// Events that came and were not taken yet, oldest first.
    private(set) var events: [Event] = []
    /// Whether QEMU has closed the connection, which it does when it ends.
    private(set) var isClosed = false

    /// Connects to the monitor's socket.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``.
    init(path: FilePath) throws(MachineError) { socket = try StreamSocket(path: path) }

    /// A line from QEMU, of any kind.
    private struct Message: Decodable {
        struct Greeting: Decodable {}
        struct Fault: Decodable { let desc: String }

        let greeting: Greeting?
        let event: String?
        let data: Event.Details?
        let id: Int?
        let error: Fault?

        private enum CodingKeys: String, CodingKey {
            case greeting = "QMP"
            case event, data, id, error
        }
    }

    private struct Answer {
        let line: [UInt8]
        let fault: String?
    }

    private struct Command<Arguments: Encodable>: Encodable {
        let execute: String
        let arguments: Arguments
        let id: Int
    }

    /// Sends what waits to be sent and takes what QEMU has sent, without waiting.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/monitor`` for what is not its protocol.
    mutating func poll() throws(MachineError) {
        if !unsent.isEmpty {
            guard let count = socket.write(unsent) else {
                isClosed = true
                return
            }
            unsent.removeFirst(count)
        }
        while !isClosed {
            switch socket.read() {
            case .closed: isClosed = true
            case .bytes(let bytes) where bytes.isEmpty: return
            case .bytes(let bytes): try take(bytes)
            }
        }
    }

    private mutating func take(_ bytes: [UInt8]) throws(MachineError) {
        buffer += bytes
        guard buffer.count <= Self.lineLimit || buffer.contains(UInt8(ascii: "\n")) else {
            throw Self.fault("sent a line of more than \(Self.lineLimit) bytes")
        }
        while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(buffer[..<end])
            buffer.removeFirst(end + 1)
            if line.contains(where: { $0 > 0x20 }) { try take(line: line) }
        }
    }

    private mutating func take(line: [UInt8]) throws(MachineError) {
        guard let message = try? JSONDecoder().decode(Message.self, from: Data(line)) else {
            throw Self.fault("sent what is not its protocol: \(String(decoding: line.prefix(200), as: UTF8.self))")
        }
        if message.greeting != nil {
            isGreeted = true
        } else if let event = message.event {
            events.append(Event(event: event, data: message.data))
        } else if let identifier = message.id {
            answers[identifier] = Answer(line: line, fault: message.error?.desc)
        } else if let error = message.error {
            throw Self.fault(error.desc)
        }
    }

    /// Takes the events that came.
    mutating func takeEvents() -> [Event] {
        defer { events = [] }
        return events
    }

    /// Begins a command; its answer comes with a later ``poll()``.
    ///
    /// - Returns: What ``answer(to:name:returning:)`` is asked with.
    mutating func begin(_ name: String, _ arguments: some Encodable) throws -> Int {
        let identifier = nextIdentifier
        nextIdentifier += 1
        let command = Command(execute: name, arguments: arguments, id: identifier)
        unsent += Array(try JSONEncoder().encode(command)) + [UInt8(ascii: "\n")]
        try poll()
        return identifier
    }

    /// The answer to a command, once it has come; it is handed out once.
    ///
    /// - Parameters:
    ///   - identifier: What beginning the command gave.
    ///   - name: The command, for the message.
    ///   - returning: The type of the value.
    /// - Returns: The value, or `nil` while there is none.
    /// - Throws: ``MachineError`` with ``MachineError/Code/monitor`` when QEMU refused the command or has ended.
    mutating func answer<Value: Decodable>(
        to identifier: Int, name: String, returning: Value.Type
    ) throws(MachineError) -> Value? {
        guard let answer = answers.removeValue(forKey: identifier) else {
            guard !isClosed else { throw Self.fault("ended while \(name) was under way") }
            return nil
        }
        if let fault = answer.fault { throw Self.fault("refused \(name): \(fault)") }
        guard let envelope = try? JSONDecoder().decode(MonitorReturn<Value>.self, from: Data(answer.line)) else {
            throw Self.fault("answered \(name) with something else than expected")
        }
        return envelope.value
    }

    /// An error whose subject is the monitor.
    static func fault(_ detail: String) -> MachineError {
        MachineError(.monitor, subject: "QEMU's monitor", detail: detail)
    }
}
