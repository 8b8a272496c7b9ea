import ArgumentParser
import Artefact
import Bundle
import Machine
import SystemPackage

struct VMUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "From a recipe to a node that is healthy, with whatever that takes.",
        discussion: """
            Where no bundle is live one is built from the recipe, its locked inputs fetched where they are not in the \
            cache. Where there is no machine one is made. It is started, waited for, and what leads to it is printed.
            """)

    @OptionGroup var making: MachineMaking
    @OptionGroup var inputs: InputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var options: MachineOptions

    func run() async throws {
        Interrupt.watch()
        let folder = try options.machineFolder(recipe: making.defaultName())
        let made: MadeMachine
        let present = try folder.machine().map { MadeMachine(folder, machine: $0, options.report) }
        if let present, try await present.life.hypervisor.state() != .absent {
            made = present
        } else {
            if try making.version == nil && BundleStore(options.out).current() == nil { try await build() }
            var create = VMCreateCommand()
            create.making = making
            create.options = options
            made = try await create.make()
        }
        try await folder.changing {
            var start = VMStartCommand()
            start.noWait = false
            start.wait = wait
            start.options = options
            try await start.start(made)
        }
        if !options.report.quiet { try await showWays(made) }
    }

    /// The first bundle, and makes it live.
    private func build() async throws {
        let version = "0.1.0"
        var words = ["--version", version, "--recipe", making.recipe.recipe, "--out", options.folder.out]
        if let lock = making.recipe.lock { words += ["--lock", lock] }
        for (name, value) in [("--iso", inputs.iso), ("--kubesolo", inputs.kubesolo), ("--mirror", inputs.mirror)] {
            if let value { words += [name, value] }
        }
        if let alpine = making.recipe.alpine { words += ["--alpine", alpine] }
        if let cache = inputs.cache.cache { words += ["--cache", cache] }
        let isLocked = try LockFile(making.recipe).lock != nil
        if inputs.mirror == nil, isLocked { words.append("--fetch") }
        if options.report.quiet { words.append("--quiet") }
        if options.report.verbose { words.append("--verbose") }
        StepReporter(options.report).show("building the bundle \(version): none is live")
        let bundle = try BundleCommand.parse(words)
        try bundle.validate()
        try await bundle.run()
        Interrupt.watch()
        _ = try BundleStore(options.out).activate(
            Version(version), Host.occasion(why: "the first, for a virtual machine"))
    }

    /// What leads to the node.
    private func showWays(_ made: MadeMachine) async throws {
        let access = made.access()
        let (ssh, api) = (try await access.ssh(), try await access.api())
        Console.print(
            """
            ssh     \(ssh.address) port \(ssh.port), user \(made.machine.user): ksbuild vm ssh
            API     https://\(api.address):\(api.port): ksbuild vm kubectl get nodes
            console ksbuild vm console
            off     ksbuild vm down
            """)
    }
}
