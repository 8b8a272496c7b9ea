internal import Artefact
internal import Glibc
internal import Subprocess
internal import SystemPackage

extension BootMachine {
    /// How often a start is tried with other ports when one was taken in between.
    private static let portAttempts = 5
    /// What a socket says that QEMU has not made, does not listen on, or has not got round to.
    private static let early: [Errno] = [.noSuchFileOrDirectory, .connectionRefused, .resourceTemporarilyUnavailable]

    /// Starts the machine, hands it to `body`, and ends it, whatever happens.
    ///
    /// QEMU is also ended when the task is cancelled, and by the kernel when this process dies. The images are opened for
    /// reading and without locks; a data disk that is kept is locked against a second machine.
    ///
    /// - Parameters:
    ///   - accelerator: What runs the machine.
    ///   - body: What is done with it; when it returns the machine is switched off as by a power failure.
    /// - Returns: What `body` returns.
    /// - Throws: ``MachineError``, or what `body` throws.
    public func run<Value: Sendable>(
        accelerator: Accelerator, _ body: (RunningMachine) async throws -> Value
    ) async throws -> Value {
        try validate()
        let program = try await Self.resolve(QEMUCommand.program, package: QEMUCommand.package)
        var attempt = 1
        while true {
            do {
                return try await attemptRun(program, accelerator: accelerator, body)
            } catch let error as MachineError where error.code == .noFreePort && attempt < Self.portAttempts {
                attempt += 1
            }
        }
    }

    /// The path of a program, as the search path of this process gives it.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/programMissing``.
    static func resolve(_ program: String, package: String) async throws(MachineError) -> FilePath {
        guard let path = try? await Executable.name(program).resolveExecutablePath(in: .inherit) else {
            throw .missing(program: program, package: package)
        }
        return path
    }

    private func attemptRun<Value: Sendable>(
        _ program: FilePath, accelerator: Accelerator, _ body: (RunningMachine) async throws -> Value
    ) async throws -> Value {
        let scratch = try MachineScratch()
        let files = try prepareFiles(in: scratch.path)
        let picked = try LoopbackPort.pick(2)
        let ports = ForwardedPorts(ssh: picked[0], api: picked[1])
        let command = try QEMUCommand(self, accelerator: accelerator, ports: ports, files: files)
        try emptyLog()
        let lifeline = try Lifeline()
        let errors = try scratch.nameless()
        defer { try? errors.close() }
        let folder = scratch.path
        let record = try await Subprocess.run(
            .path("/bin/sh"), arguments: Arguments(Lifeline.wrapper + [program.string] + command.arguments),
            input: .fileDescriptor(lifeline.input, closeAfterSpawningProcess: false),
            output: .fileDescriptor(lifeline.output, closeAfterSpawningProcess: false),
            error: .fileDescriptor(errors, closeAfterSpawningProcess: false)
        ) { execution -> Result<Value, any Error> in
            let process = execution.processIdentifier.value
            do {
                try lifeline.tie(to: process)
                let running = try await connect(files, process: process) { () throws(MachineError) in
                    try RunningMachine(
                        self, accelerator: accelerator, ports: ports, files: files, process: process, scratch: folder)
                }
                return .success(try await Self.supervise(running, files, body))
            } catch {
                let reason = await Self.explain(error, process: process, errors: errors)
                _ = Glibc.kill(process, SIGKILL)
                return .failure(reason)
            }
        }
        return try record.closureResult.get()
    }

    /// Reads the machine's serial line and monitor while `body` works with it.
    private static func supervise<Value: Sendable>(
        _ running: RunningMachine, _ files: MachineFiles, _ body: (RunningMachine) async throws -> Value
    ) async throws -> Value {
        do {
            try await running.begin()
            files.forget()
            let value = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await running.readOn() }
                defer { group.cancelAll() }
                return try await body(running)
            }
            await running.end()
            return value
        } catch {
            await running.end()
            throw error
        }
    }

    /// Connects to QEMU as soon as its sockets are there.
    private func connect(
        _ files: MachineFiles, process: pid_t, _ attempt: () throws(MachineError) -> RunningMachine
    ) async throws -> RunningMachine {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while true {
            do {
                return try attempt()
            } catch {
                guard let errno = error.errno, Self.early.contains(errno), ContinuousClock.now < deadline,
                    !Self.hasEnded(process)
                else { throw error }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Puts what QEMU said before it ended in the place of the error that its end caused.
    private static func explain(_ error: any Error, process: pid_t, errors: FileDescriptor) async -> any Error {
        guard let cause = error as? MachineError, [.system, .monitor, .exited].contains(cause.code) else {
            return error
        }
        for _ in 0..<50 where !hasEnded(process) { try? await Task.sleep(for: .milliseconds(20)) }
        let words = MachineScratch.lastWords(in: errors)
        guard hasEnded(process), !words.isEmpty else { return error }
        if words.contains("Could not set up host forwarding rule") {
            return MachineError(.noFreePort, subject: "127.0.0.1", detail: "a port was taken meanwhile (\(words))")
        }
        let detail = cause.code == .exited ? cause.detail : "ended by itself"
        return MachineError(.exited, subject: "QEMU", detail: "\(detail) (\(words))")
    }

    /// Whether a child of this process has ended; it is left to be reaped by who started it.
    private static func hasEnded(_ process: pid_t) -> Bool {
        var information = unsafe siginfo_t()
        let result = unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
        return unsafe result != 0 || information.si_signo != 0
    }

    /// Chooses the paths of a run and makes the files that a machine writes to.
    private func prepareFiles(in folder: FilePath) throws -> MachineFiles {
        var files = MachineFiles(monitor: folder.appending("monitor"), serial: folder.appending("serial"))
        switch dataDisk {
        case .scratch(let size):
            let disk = folder.appending("data.raw")
            try MachineScratch.makeSparse(disk, size: size)
            files.dataDisk = disk
            files.transient.append(disk)
        case .kept(let disk, let size):
            if !HostFile.exists(disk) { try MachineScratch.makeSparse(disk, size: size) }
            files.dataDisk = disk
        case nil: break
        }
        if firmware == .uefi {
            let installed = try UEFIFirmware.onThisHost()
            let variables = folder.appending("variables.fd")
            try StagedFile.write(HostFile.read(installed.variables, limit: 64 << 20), to: variables, mode: .file)
            files.firmware = UEFIFirmware(code: installed.code, variables: variables)
            files.transient.append(variables)
        }
        return files
    }

    /// Begins the serial log anew; QEMU appends to it.
    private func emptyLog() throws { try StagedFile.write([], to: serialLog) }
}
