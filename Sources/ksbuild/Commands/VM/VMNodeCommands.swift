import ArgumentParser
import Artefact
import Machine
import SystemPackage

struct VMIPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ip", abstract: "Print the node's IPv4 address.",
        discussion:
            "On QEMU's user network that is the address behind the forwarded ports, which the host cannot reach.")

    @Option(help: ArgumentHelp("The longest time to wait for one.", valueName: "seconds"))
    var wait = 0

    @OptionGroup var options: MachineOptions

    func run() async throws {
        Console.print(try await options.made().access().address(within: .seconds(max(0, min(wait, 86_400)))))
    }
}

struct VMSSHCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh", abstract: "Log in to the node, or run a command there.",
        discussion: """
            The host key is the one that the node has told on its console. Terminal, input, output and exit code are those \
            of ssh. Options of ksbuild come before the command: 'ksbuild vm ssh -- uname -a'.
            """)

    @OptionGroup var login: LoginOptions
    @OptionGroup var options: MachineOptions

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("What to run there.", valueName: "command"))
    var command: [String] = []

    func run() async throws {
        let made = try options.made()
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        try Program.ssh.become(try await made.access(login).sshArguments([], words))
    }
}

struct VMConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Bring the terminal to the serial console; Ctrl-] leaves it.")

    @OptionGroup var options: MachineOptions

    func run() async throws {
        let made = try options.made()
        let state = try await made.life.hypervisor.state()
        guard state.isAlive else {
            throw MachineError(
                .wrongState, subject: made.machine.name, detail: "is \(state); 'ksbuild vm start' starts it")
        }
        switch try await made.life.hypervisor.console() {
        case .program(let name, let arguments): try Program(name: name, package: "libvirt-clients").become(arguments)
        case .socket(let path): try await TerminalRelay.run(path, Console.error)
        }
    }
}

struct VMLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what the node has logged, KubeSolo's own words among it.",
        discussion: "The log is on the data disk; what the console says is in OUT/vm/NAME/console.log.")

    @Flag(name: [.short, .long], help: "Go on as it grows.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: "How many lines of what is there.")
    var lines = 200

    @OptionGroup var login: LoginOptions
    @OptionGroup var options: MachineOptions

    func validate() throws {
        guard (0...1_000_000).contains(lines) else { throw ValidationError("--lines takes 0 to 1000000") }
    }

    func run() async throws {
        let made = try options.made()
        let tail = ["doas", "tail", "-n", "\(lines)"] + (follow ? ["-F"] : []) + ["/var/lib/kubesolo/logs/messages"]
        try Program.ssh.become(try await made.access(login).sshArguments(["-T"], tail))
    }
}

struct VMKubeSoloCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubesolo", abstract: "Ask after KubeSolo's service on the node, or start it anew.")

    enum Action: String, ExpressibleByArgument, CaseIterable { case status, restart }

    @Argument(help: "status or restart.")
    var action: Action

    @OptionGroup var login: LoginOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        let script =
            switch action {
            case .status: "doas rc-service kubesolo status; code=$?; cat /run/ksbuild/health; exit $code"
            case .restart: "doas rc-service kubesolo restart"
            }
        let made = try options.made()
        try Program.ssh.become(try await made.access(login).sshArguments(["-T"], [script]))
    }
}

struct VMKubectlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubectl", abstract: "Run this host's kubectl on the node's cluster.",
        discussion: """
            The administrator's configuration is fetched from the node and kept in OUT/vm/NAME/kubeconfig, for its owner \
            alone. Terminal, input, output and exit code are those of kubectl.
            """)

    @OptionGroup var login: LoginOptions
    @OptionGroup var options: MachineOptions

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("What kubectl is to do.", valueName: "arguments"))
    var arguments: [String] = []

    func run() async throws {
        let made = try options.made()
        let kubeconfig = try await made.kubeconfig(login)
        try StagedFile.write(Array(kubeconfig.text.utf8), to: made.folder.kubeconfig, mode: EntryMode(0o600))
        let words = arguments.first == "--" ? Array(arguments.dropFirst()) : arguments
        try Program(name: "kubectl", package: "kubernetes-client").become(
            ["--kubeconfig", made.folder.kubeconfig.string] + words)
    }
}

struct VMKubeconfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig", abstract: "Write the configuration by which kubectl reaches the node's cluster.",
        discussion: """
            It goes to standard output, to a file, or with --merge into one that other clusters are in, which keeps them. \
            Files are readable for their owner alone.
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("Where it goes.", valueName: "file"), completion: .file())
    var output: OutputFile?

    @Flag(help: "Merge it into the file, by default ~/.kube/config, and make it the current one there.")
    var merge = false

    @OptionGroup var login: LoginOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        let made = try options.made()
        let kubeconfig = try await made.kubeconfig(login)
        guard let target = try target() else { return Console.print(kubeconfig.text) }
        var text = kubeconfig.text
        if merge, HostFile.exists(target) {
            let existing = try HostFile.read(target, limit: 16 << 20)
            text = try kubeconfig.merged(into: String(decoding: existing, as: UTF8.self), named: target.string)
        }
        try HostFile.makeDirectories(target.removingLastComponent())
        try StagedFile.write(Array(text.utf8), to: target, mode: EntryMode(0o600))
        if !options.report.quiet { Console.print("\(target): the cluster \(made.machine.name)") }
    }

    private func target() throws -> FilePath? {
        if let output { return Host.workingDirectory.pushing(output.path) }
        guard merge else { return nil }
        if let named = Host.variable("KUBECONFIG")?.split(separator: ":").first {
            return Host.workingDirectory.pushing(FilePath(String(named)))
        }
        guard let home = Host.home else {
            throw ValidationError("--merge needs --output FILE where HOME is not set")
        }
        return home.pushing(".kube/config")
    }
}

extension MadeMachine {
    /// The configuration of the node's cluster, with an address that leads to it from here.
    func kubeconfig(_ login: LoginOptions) async throws -> Kubeconfig {
        let access = access(login)
        let text = try await access.output(of: "doas cat \(Kubeconfig.path)")
        return try Kubeconfig(text, for: machine.name, at: try await access.api())
    }
}

/// A program that takes over from ksbuild.
struct Program {
    let name: String
    let package: String

    /// OpenSSH's client.
    static let ssh = Program(name: "ssh", package: "openssh-client")

    /// Becomes it.
    ///
    /// - Throws: `MachineError` with `MachineError.Code.programMissing`.
    func become(_ arguments: [String]) throws {
        do {
            try Host.become(name, arguments)
        } catch let error as Errno {
            throw MachineError(
                .programMissing, subject: name,
                detail: "cannot be run (\(error.description)); install it (Debian package: \(package))")
        }
    }
}
