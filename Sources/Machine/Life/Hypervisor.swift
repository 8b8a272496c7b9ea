public import SystemPackage

/// What a virtual machine is doing.
public enum MachineState: Hashable, Sendable, CustomStringConvertible {
    /// Nobody knows it.
    case absent
    /// It is switched off.
    case off
    /// It runs.
    case running
    /// It stands still, and why: a disk that is full, an operator.
    case paused(String)

    /// Whether it has a guest that would feel a power failure.
    public var isAlive: Bool {
        switch self {
        case .running, .paused: true
        case .absent, .off: false
        }
    }

    /// One word, and the reason where there is one.
    public var description: String {
        switch self {
        case .absent: "absent"
        case .off: "off"
        case .running: "running"
        case .paused(let reason): "paused (\(reason))"
        }
    }

    /// The word alone: `absent`, `off`, `running`, `paused`.
    public var word: String {
        if case .paused = self { return "paused" }
        return description
    }
}

/// Whoever makes a machine of a ``VirtualMachine``: libvirt's daemon, or QEMU alone.
///
/// Every call acts on the one machine that the value was made for, and none waits longer than its program takes.
public protocol Hypervisor: Sendable {
    /// What messages call it: `libvirt at qemu:///system`.
    var title: String { get }

    /// What the machine is doing.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/hostUnavailable`` when nobody answers, or
    ///   ``MachineError/Code/notPermitted``.
    func state() async throws -> MachineState

    /// Says whether something else is in the way of a machine that is to be made.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/exists`` where somebody else's has its name, with
    ///   ``MachineError/Code/wrongState`` where one that was made here before still runs.
    func requireFree(_ machine: VirtualMachine) async throws

    /// Makes the machine known; it is off then.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/exists`` where there is one of that name that is not this one.
    func define(_ machine: VirtualMachine) async throws

    /// Puts other media into the drives of a machine that is off; all else of it stays as it is.
    func change(to media: VirtualMachine.Media, of machine: VirtualMachine) async throws

    /// Forgets a machine that is off; no file goes.
    func undefine() async throws

    /// Starts a machine that is off.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/inUse`` where its disk, a port or its network is taken.
    func start(_ machine: VirtualMachine) async throws

    /// Lets a machine that is paused go on.
    func resume() async throws

    /// Asks the guest agent to shut the node down.
    ///
    /// - Returns: Whether there is an agent.
    func askAgent() async throws -> Bool

    /// Presses the power button.
    func pressPowerButton() async throws

    /// Ends the machine as a power failure does.
    func cutPower() async throws

    /// The IPv4 addresses of the node that the hypervisor knows, by lease, then by the guest agent.
    func addresses() async throws -> [String]

    /// Carries out a command of QEMU's monitor on a running machine.
    ///
    /// - Parameters:
    ///   - name: The command.
    ///   - arguments: Its arguments; ``MonitorNothing`` for none.
    ///   - returning: The type of what QEMU answers.
    /// - Returns: What QEMU answers.
    /// - Throws: ``MachineError`` with ``MachineError/Code/monitor`` when it refuses.
    func monitor<Value: Decodable & Sendable>(
        _ name: String, _ arguments: some Encodable & Sendable, returning: Value.Type
    ) async throws -> Value

    /// What brings a terminal to the serial console.
    func console() async throws -> ConsoleAccess
}

/// How a terminal comes to the serial console.
public enum ConsoleAccess: Hashable, Sendable {
    /// A program that takes over.
    case program(String, arguments: [String])
    /// A socket that carries the console's bytes.
    case socket(FilePath)
}
