internal import Artefact
internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// QEMU alone as the one who runs a machine: a process that goes on by itself, and is found again by the lock on the
/// file with its number, which no end of it can leave behind.
struct PlainHypervisor: Hypervisor {
    private let name: String
    private let folder: MachineFolder

    /// QEMU for one machine.
    init(_ folder: MachineFolder) {
        name = folder.name
        self.folder = folder
    }

    var title: String { "QEMU" }

    func state() async throws -> MachineState {
        guard try folder.machine() != nil else { return .absent }
        guard try process() != nil else { return .off }
        struct Status: Decodable, Sendable {
            let running: Bool
            let status: String
        }
        do {
            let status = try await monitor("query-status", MonitorNothing(), returning: Status.self)
            return status.running ? .running : .paused(status.status)
        } catch {
            guard try await isEnding() else { throw error }
            return .off
        }
    }

    /// Whether a QEMU that does not answer is one that ends: it closes its monitor before it gives up the lock, and on a busy
    /// host some time lies between the two.
    private func isEnding() async throws -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(10))
        while try process() != nil {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// The number of the QEMU that holds the lock on its file (fcntl(2), `F_GETLK`).
    private func process() throws -> pid_t? {
        let file = folder.path.appending(PlainCommand.processFile)
        let descriptor = unsafe file.withPlatformString { name in unsafe open(name, O_RDWR | O_CLOEXEC) }
        guard descriptor >= 0 else {
            let reason = Errno(rawValue: errno)
            if reason == .noSuchFileOrDirectory { return nil }
            throw MachineError.system("open", file.string, reason)
        }
        defer { _ = close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard unsafe fcntl(descriptor, F_GETLK, &lock) == 0 else {
            throw MachineError.system("ask for the lock of", file.string, Errno(rawValue: errno))
        }
        guard lock.l_type != Int16(F_UNLCK) else { return nil }
        guard lock.l_pid > 0 else {
            throw MachineError(
                .inUse, subject: name,
                detail: "is run by a QEMU that this process cannot see, such as one outside of a container")
        }
        return lock.l_pid
    }

    func requireFree(_ machine: VirtualMachine) async throws {
        guard let process = try process() else { return }
        throw MachineError(
            .wrongState, subject: name,
            detail: "QEMU (process \(process)) still runs on its data disk; end that process, and make it then")
    }

    func define(_ machine: VirtualMachine) async throws {
        if machine.firmware == .uefi, !HostFile.exists(folder.firmwareVariables) {
            let installed = try UEFIFirmware.onThisHost()
            try StagedFile.write(
                HostFile.read(installed.variables, limit: 64 << 20), to: folder.firmwareVariables,
                mode: EntryMode(0o600))
        }
    }

    func change(to media: VirtualMachine.Media, of machine: VirtualMachine) async throws {}

    func undefine() async throws {}

    func start(_ machine: VirtualMachine) async throws {
        var command = HostProgram(QEMUCommand.program, package: QEMUCommand.package)
        command.folder = folder.path
        if !HostFile.exists(folder.serialLog) { try StagedFile.write([], to: folder.serialLog, mode: EntryMode(0o600)) }
        let outcome = try await command.run(
            PlainCommand(machine, in: folder).arguments, within: .seconds(120))
        guard outcome.succeeded else {
            throw QEMUWords.failure(outcome.complaint, "to start", machine.name, by: "QEMU")
        }
    }

    func resume() async throws {
        _ = try await monitor("cont", MonitorNothing(), returning: MonitorNothing.self)
    }

    func askAgent() async throws -> Bool { false }

    func pressPowerButton() async throws {
        do {
            _ = try await monitor("system_powerdown", MonitorNothing(), returning: MonitorNothing.self)
        } catch {
            guard try await isEnding() else { throw error }
        }
    }

    func cutPower() async throws {
        guard let process = try process() else { return }
        _ = kill(process, SIGTERM)
        for attempt in 0..<1000 {
            guard try self.process() == process else { return }
            if attempt == 500 { _ = kill(process, SIGKILL) }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw MachineError(
            .wrongState, subject: name, detail: "QEMU (process \(process)) does not end, not even by SIGKILL")
    }

    func addresses() async throws -> [String] { [] }

    func monitor<Value: Decodable & Sendable>(
        _ command: String, _ arguments: some Encodable & Sendable, returning: Value.Type
    ) async throws -> Value {
        var monitor = try MonitorConnection(path: folder.path.appending(PlainCommand.monitor))
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        func pause() async throws {
            guard ContinuousClock.now < deadline else {
                throw MonitorConnection.fault("did not answer \(command) within 60 s")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        while !monitor.isGreeted {
            try monitor.poll()
            guard !monitor.isClosed else { throw MonitorConnection.fault("ended before it took \(command)") }
            try await pause()
        }
        _ = try monitor.begin("qmp_capabilities", MonitorNothing())
        let identifier = try monitor.begin(command, arguments)
        while true {
            try monitor.poll()
            if let value = try monitor.answer(to: identifier, name: command, returning: returning) { return value }
            try await pause()
        }
    }

    func console() async throws -> ConsoleAccess { .socket(folder.path.appending(PlainCommand.serial)) }
}
