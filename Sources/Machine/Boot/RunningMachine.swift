internal import FoundationEssentials
internal import Glibc
public import SystemPackage

/// A virtual machine that is running, from the start of ``BootMachine/run(accelerator:_:)`` to its end.
///
/// An actor, because the serial line and the monitor must be read on while a caller waits for something else: a serial
/// line that nobody reads makes the guest wait.
public actor RunningMachine {
    /// The ports on the host's loopback interface that lead to the node.
    public nonisolated let ports: BootMachine.ForwardedPorts
    /// What was started.
    public nonisolated let machine: BootMachine
    /// What runs it.
    public nonisolated let accelerator: Accelerator
    /// QEMU's process.
    public nonisolated let processIdentifier: Int32
    nonisolated let scratch: FilePath

    /// How often the serial line and the monitor are read.
    static let interval = Duration.milliseconds(50)

    private var monitor: MonitorConnection
    private let serial: StreamSocket
    private var unsentText: [UInt8] = []
    private var record = SerialRecord()
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant
    private var isReaped = false
    private var media = 0
    var knownHost: HostKey?

    /// Whether the guest powered the machine off by itself.
    public private(set) var poweredOffByGuest = false
    /// How often the guest restarted itself, such as after a kernel panic with `panic=10`.
    public private(set) var resetsByGuest = 0

    init(
        _ machine: BootMachine, accelerator: Accelerator, ports: BootMachine.ForwardedPorts, files: MachineFiles,
        process: Int32, scratch: FilePath
    ) throws(MachineError) {
        let monitor = try MonitorConnection(path: files.monitor)
        let serial = try StreamSocket(path: files.serial)
        self.machine = machine
        self.accelerator = accelerator
        self.ports = ports
        self.scratch = scratch
        processIdentifier = process
        self.monitor = monitor
        self.serial = serial
        start = clock.now
    }

    // MARK: What the node said

    /// The time since the machine started, or since the last ``reset()``.
    public var elapsed: Duration { clock.now - start }

    /// The facts that the node reported, oldest first.
    public var facts: [SerialFact] { record.facts }

    /// The latest fact about a subject.
    public func latest(_ subject: String) -> SerialFact? { record.latest(subject) }

    /// The first sign on the console that the boot cannot go on.
    public var failure: GuestFailure? { record.failure }

    /// The last lines of the console.
    public var consoleTail: [String] { record.shownTail }

    /// What the console said since the last text was typed.
    public var consoleSinceTyping: String { record.sinceMark }

    /// Whether QEMU still runs.
    public var isRunning: Bool { !monitor.isClosed }

    // MARK: Waiting

    /// Waits until something holds.
    ///
    /// - Parameters:
    ///   - what: What is waited for, for the message.
    ///   - limit: The longest time from now.
    ///   - condition: Asked about twenty times a second.
    /// - Returns: What the condition gives, once that is something.
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` or, when QEMU ended, ``MachineError/Code/exited``.
    public func wait<Value: Sendable>(
        for what: String, within limit: Duration, until condition: @Sendable (isolated RunningMachine) -> Value?
    ) async throws -> Value {
        let deadline = clock.now.advanced(by: limit)
        while true {
            try poll()
            if let value = condition(self) { return value }
            guard isRunning else {
                throw MachineError(.exited, subject: "QEMU", detail: "ended while waiting for \(what)\(evidence)")
            }
            guard clock.now < deadline else {
                throw MachineError(
                    .timeLimit, subject: what, detail: "did not come within \(limit.secondsText) s\(evidence)")
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Waits for a fact.
    ///
    /// - Parameters:
    ///   - subject: What it is about.
    ///   - name: A field that it must have, if any.
    ///   - value: The value of that field.
    ///   - limit: The longest time from now.
    /// - Returns: The latest such fact.
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` or ``MachineError/Code/exited``.
    public func waitForFact(
        _ subject: String, _ name: String? = nil, _ value: String? = nil, within limit: Duration
    ) async throws -> SerialFact {
        let wanted = [subject, name.map { "\($0)=\(value ?? "")" }].compactMap { $0 }.joined(separator: " ")
        return try await wait(for: "the fact '\(wanted)'", within: limit) { machine in
            machine.record.facts.last { fact in
                guard fact.subject == subject else { return false }
                guard let name else { return true }
                return fact[name] == value
            }
        }
    }

    /// Waits until the console has said a text since the last text was typed.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` or ``MachineError/Code/exited``.
    public func waitForText(_ text: String, within limit: Duration) async throws {
        try await wait(for: "the text '\(text)' on the console", within: limit) { machine in
            machine.record.contains(text) ? () : nil
        }
    }

    private var evidence: String {
        let last = record.shownTail.suffix(3).joined(separator: " | ")
        return last.isEmpty ? "; the console said nothing" : "; the console's last lines: \(last)"
    }

    // MARK: Acting on the machine

    /// Types on the serial console; a line is ended by `\n`.
    public func type(_ text: String) {
        record.mark()
        unsentText += Array(text.utf8)
    }

    /// Presses the power button and waits until the node has powered itself off.
    ///
    /// - Parameter limit: The longest time from now.
    /// - Returns: Whether it did; if not, it still runs.
    /// - Throws: ``MachineError`` with ``MachineError/Code/monitor``.
    public func powerdown(within limit: Duration) async throws -> Bool {
        _ = try await execute("system_powerdown")
        let deadline = clock.now.advanced(by: limit)
        while isRunning, clock.now < deadline {
            try poll()
            try await Task.sleep(for: Self.interval)
        }
        return poweredOffByGuest
    }

    /// Presses the reset button: the node boots again, with what it said before forgotten.
    public func reset() async throws {
        _ = try await execute("system_reset")
        record.restart()
        start = clock.now
    }

    /// Ends the machine as a power failure does.
    public func kill() async throws {
        if !isReaped { _ = Glibc.kill(processIdentifier, SIGKILL) }
        let deadline = clock.now.advanced(by: .seconds(10))
        while isRunning, clock.now < deadline {
            try poll()
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Plugs the network cable in or out.
    public func setCable(connected: Bool) async throws {
        struct Arguments: Encodable {
            let name = "nic0"
            let up: Bool

            private enum CodingKeys: String, CodingKey { case name, up }
        }
        _ = try await execute("set_link", Arguments(up: connected))
    }

    /// Puts another image into a drive; the node sees a medium change.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/monitor``, such as for an image that does not exist.
    public func change(_ slot: MediumSlot, to image: FilePath) async throws {
        struct Drive: Encodable {
            let id: String
            var force: Bool?
        }
        struct Insertion: Encodable {
            let id: String
            let node: String

            private enum CodingKeys: String, CodingKey {
                case id
                case node = "node-name"
            }
        }
        let drive = QEMUCommand.drive(slot)
        media += 1
        let node = "\(drive)-medium-\(media)"
        _ = try await execute("blockdev-add", BlockNode(node, image, readOnly: true))
        _ = try await execute("blockdev-open-tray", Drive(id: drive, force: true))
        _ = try await execute("blockdev-remove-medium", Drive(id: drive))
        _ = try await execute("blockdev-insert-medium", Insertion(id: drive, node: node))
        _ = try await execute("blockdev-close-tray", Drive(id: drive))
    }

    /// Keeps what the screen shows, as PNG.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/monitor``.
    public func photograph(to file: FilePath) async throws {
        struct Arguments: Encodable {
            let filename: String
            var format = "png"
        }
        _ = try await execute("screendump", Arguments(filename: file.string))
    }

    /// Takes a sign of failure from the screen, and the screen's rows as what the console said last.
    func note(screen rows: [String]) {
        let time = elapsed
        guard let sign = rows.lazy.compactMap({ GuestFailure(line: $0, time: time) }).first else { return }
        record.fail(sign, screen: rows)
    }

    // MARK: The monitor

    func execute(_ name: String) async throws -> MonitorNothing {
        try await execute(name, MonitorNothing())
    }

    func execute(_ name: String, _ arguments: some Encodable) async throws -> MonitorNothing {
        let identifier = try monitor.begin(name, arguments)
        let deadline = clock.now.advanced(by: .seconds(60))
        while true {
            try poll()
            if let value = try monitor.answer(to: identifier, name: name, returning: MonitorNothing.self) {
                return value
            }
            guard clock.now < deadline else { throw MonitorConnection.fault("did not answer \(name) within 60 s") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Lets the machine start, once the monitor has greeted.
    func begin() async throws {
        let deadline = clock.now.advanced(by: .seconds(60))
        while !monitor.isGreeted {
            try poll()
            guard isRunning, clock.now < deadline else { throw MonitorConnection.fault("did not greet within 60 s") }
            try await Task.sleep(for: .milliseconds(10))
        }
        _ = try await execute("qmp_capabilities")
        if !machine.network.isConnected { try await setCable(connected: false) }
        start = clock.now
        _ = try await execute("cont")
    }

    /// Reads on until the machine has ended or the task is cancelled.
    func readOn() async {
        while isRunning, !Task.isCancelled {
            do {
                try poll()
                try await Task.sleep(for: Self.interval)
            } catch {
                return
            }
        }
    }

    /// Ends the machine in any way that works.
    func end() async {
        if isRunning, (try? monitor.begin("quit", MonitorNothing())) != nil {
            let deadline = clock.now.advanced(by: .seconds(10))
            while isRunning, clock.now < deadline, !Task.isCancelled {
                try? poll()
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        if !isReaped { _ = Glibc.kill(processIdentifier, SIGKILL) }
        isReaped = true
    }

    private func poll() throws {
        if !unsentText.isEmpty, let count = serial.write(unsentText) { unsentText.removeFirst(count) }
        while case .bytes(let bytes) = serial.read(), !bytes.isEmpty { record.take(bytes, at: elapsed) }
        try monitor.poll()
        for event in monitor.takeEvents() {
            switch (event.event, event.data?.guest ?? false) {
            case ("SHUTDOWN", true): poweredOffByGuest = event.data?.reason == "guest-shutdown"
            case ("RESET", true): resetsByGuest += 1
            default: break
            }
        }
    }
}
