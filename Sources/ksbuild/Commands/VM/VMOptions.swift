import ArgumentParser
import Artefact
import Bundle
import Machine
import Recipe
import SystemPackage

/// Which virtual machine is meant.
struct MachineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The machine's name; by default the only one that is here, or else the recipe's.", valueName: "name"))
    var name: String?

    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    /// The output directory, as libvirt is told it.
    var out: FilePath { Host.resolved(folder.path) }

    /// The folder of the machine; there need be none.
    ///
    /// - Throws: `MachineError` with `MachineError.Code.invalidSpecification` where several are here and none is named, or
    ///   the name is none.
    func machineFolder(recipe: String? = nil) throws -> MachineFolder {
        if let name {
            try VirtualMachine.validate(name: name)
            return MachineFolder(out: out, name: name)
        }
        let all = ((try? HostFile.names(in: out.appending("vm"))) ?? []).map { MachineFolder(out: out, name: $0) }
        let made = all.filter(\.isMade)
        let here = (made.isEmpty ? all.filter(\.hasDataDisk) : made).map(\.name)
        guard here.count <= 1 else {
            throw MachineError(
                .invalidSpecification, subject: out.appending("vm").string,
                detail: "has several machines (\(here.sorted().joined(separator: ", "))); say which with --name")
        }
        return MachineFolder(out: out, name: here.first ?? recipe ?? Recipe.defaultName)
    }

    /// The machine that was made.
    func made() throws -> MadeMachine { try MadeMachine(machineFolder(), report) }
}

/// A machine that was made, and its life.
struct MadeMachine {
    let machine: VirtualMachine
    let life: MachineLife
    let folder: MachineFolder
    let steps: StepReporter

    /// Takes the machine whose files are in a folder.
    init(_ folder: MachineFolder, _ report: ReportOptions) throws {
        try self.init(folder, machine: folder.made(), report)
    }

    /// Takes a machine that is about to be made.
    init(_ folder: MachineFolder, machine: VirtualMachine, _ report: ReportOptions) {
        let steps = StepReporter(report)
        self.folder = folder
        self.machine = machine
        self.steps = steps
        life = MachineLife(
            machine, in: folder, progress: { steps.show($0) }, isInterrupted: { Interrupt.isRequested })
    }

    /// How it is reached.
    func access(_ login: LoginOptions? = nil) -> NodeAccess {
        var machine = machine
        if let user = login?.sshUser { machine.user = user }
        return NodeAccess(machine, life, identity: login?.identity.map { FilePath($0) })
    }

    /// What the node is to be.
    func release(in out: FilePath) throws -> NodeRelease {
        let store = BundleStore(out)
        let manifest = try store.list().first { $0.version.description == machine.media.version }?.manifest
        return NodeRelease(version: machine.media.version, name: manifest?.description.name ?? machine.name)
    }
}

/// Who logs in to a node.
struct LoginOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The private key to log in with, instead of the user's own keys and agent.", valueName: "file"),
        completion: .file())
    var identity: String?

    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("Who logs in, instead of the machine's user.", valueName: "user"))
    var sshUser: String?
}

/// How long a node may take.
struct WaitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The longest time for the node to become healthy.", valueName: "seconds"))
    var timeout = Int(MachineLife.defaultHealthLimit.components.seconds)

    /// The limit.
    var limit: Duration { .seconds(timeout) }

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds") }
    }
}

/// Shows the steps of a command on standard error, each with the time since the command began.
final class StepReporter: Sendable {
    private let isQuiet: Bool
    private let begin = ContinuousClock.now

    init(_ report: ReportOptions) { isQuiet = report.quiet }

    /// Shows a step.
    func show(_ text: String) {
        guard !isQuiet else { return }
        let seconds = (ContinuousClock.now - begin).components.seconds
        Console.error("[\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)] \(printable(text))")
    }
}
