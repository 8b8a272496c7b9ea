import ArgumentParser
import Artefact
import Bundle
import Machine
import SystemPackage

struct VMCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make the machine: its media, its data disk, its definition.",
        discussion: "A data disk that is there already is kept and used. Nothing is started.")

    @OptionGroup var making: MachineMaking
    @OptionGroup var options: MachineOptions

    func run() async throws {
        let made = try await make()
        if !options.report.quiet { Console.print("\(made.machine.name) is made; 'ksbuild vm start' starts it") }
    }

    /// Makes the machine.
    func make() async throws -> MadeMachine {
        let folder = try options.machineFolder(recipe: making.defaultName())
        let steps = StepReporter(options.report)
        let isNew = !HostFile.exists(folder.path)
        return try await folder.changing {
            if let machine = try folder.machine() {
                let made = MadeMachine(folder, machine: machine, options.report)
                guard try await made.life.hypervisor.state() == .absent else { throw made.life.existing() }
                if try await made.life.redefineUnfinished() { return made }
            }
            let (machine, size): (VirtualMachine, UInt64)
            do {
                (machine, size) = try await making.describe(folder, options, steps)
            } catch {
                if isNew { try? HostFile.removeTree(folder.path) }
                throw error
            }
            let made = MadeMachine(folder, machine: machine, options.report)
            do {
                try await made.life.create(machine, diskSize: size)
            } catch {
                // No command would find what is left of a machine that was not made.
                if !folder.isMade, (try? await made.life.hypervisor.state()) == .absent {
                    try? folder.pin([])
                    if isNew { try? HostFile.removeTree(folder.path) }
                }
                throw error
            }
            return made
        }
    }
}

struct VMStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start the machine, and wait until the node is healthy.",
        discussion: """
            An upgrade that was cut off is taken up first. A machine that is paused, such as for a disk that was full, goes \
            on.
            """)

    @Flag(help: "Return as soon as it is started.")
    var noWait = false

    @OptionGroup var wait: WaitOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        Interrupt.watch()
        let made = try options.made()
        try await made.folder.changing { try await start(made) }
    }

    /// Takes up what was cut off, starts the machine and waits.
    func start(_ made: MadeMachine) async throws {
        var made = made
        if let outcome = try await made.life.settle(
            StoreBook(options, machine: made.machine.name).book, within: wait.limit)
        {
            try ReplacementReport.conclude(outcome, options.report)
            // What was settled may have left the machine off, or not waited for it.
            made = try MadeMachine(made.folder, options.report)
        }
        try await made.life.start(made.machine)
        guard !noWait else { return }
        let release = try made.release(in: options.out)
        let evidence = try await made.life.waitUntilHealthy(release, within: wait.limit)
        try StoreBook(options, machine: made.machine.name).note(healthy: release.version, evidence: evidence)
        if !options.report.quiet { Console.print("\(made.machine.name) is healthy: \(printable(evidence))") }
    }
}

struct VMStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Shut the node down and wait until the machine is off.")

    @OptionGroup var stopping: StopOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        Interrupt.watch()
        let made = try options.made()
        try await made.folder.changing { try await made.life.stop(within: stopping.limit, force: stopping.force) }
        if !options.report.quiet { Console.print("\(made.machine.name) is off") }
    }
}

struct VMDownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "The same as stop; all that 'vm up' has made stays.")

    @OptionGroup var stop: VMStopCommand

    func run() async throws { try await stop.run() }
}

struct VMRestartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Shut the node down, wait until the machine is off, and start it again.")

    @OptionGroup var stopping: StopOptions
    @OptionGroup var start: VMStartCommand

    func run() async throws {
        Interrupt.watch()
        let made = try start.options.made()
        try await made.folder.changing {
            try await made.life.stop(within: stopping.limit, force: stopping.force)
            try await start.start(made)
        }
    }
}

/// How a machine is stopped.
struct StopOptions: ParsableArguments {
    @Flag(help: "Cut its power when it has not shut down in time.")
    var force = false

    @Option(help: ArgumentHelp("The longest time for the node to shut down.", valueName: "seconds"))
    var stopTimeout = Int(MachineLife.defaultStopLimit.components.seconds)

    /// The limit.
    var limit: Duration { .seconds(stopTimeout) }

    func validate() throws {
        guard (0...86_400).contains(stopTimeout) else {
            throw ValidationError("--stop-timeout takes 0 to 86400 seconds")
        }
    }
}

struct VMDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Remove the machine and the files that were made for it.",
        discussion: """
            Images and bundles stay, and so does the data disk unless --data is given: 'vm create' makes the machine again \
            on it. A machine that runs is switched off as by a power failure.
            """)

    @Flag(help: "Remove the data disk too.")
    var data = false

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: MachineOptions

    func run() async throws {
        let folder = try options.machineFolder()
        if data, try folder.machine() == nil, folder.hasDataDisk { return try await removeData(folder) }
        let made = try options.made()
        let what = data ? "\(made.machine.name) and all its data" : made.machine.name
        guard try yes || Console.confirm("remove \(what)?", option: "--yes") else {
            throw MachineError(.interrupted, subject: made.machine.name, detail: "was not removed")
        }
        let outcome = try await made.folder.changing { try await made.life.destroy(dataToo: data) }
        guard !options.report.quiet else { return }
        for path in outcome.removed { Console.print("removed \(path)") }
        if let kept = outcome.kept { Console.print("kept \(kept); --data removes it too") }
    }

    /// Removes the data disk that an earlier destroy has kept.
    private func removeData(_ folder: MachineFolder) async throws {
        guard try yes || Console.confirm("remove all data of \(folder.name)?", option: "--yes") else {
            throw MachineError(.interrupted, subject: folder.name, detail: "was not removed")
        }
        try await folder.changing {
            guard try folder.machine() == nil else { throw MachineLife.isBack(folder) }
            try await MachineLife.requireUnused(folder)
            try folder.pin([])
            try HostFile.removeTree(folder.path)
        }
        if !options.report.quiet { Console.print("removed \(folder.path)") }
    }
}
