import ArgumentParser
import Artefact
import Glibc
import Machine
import SystemPackage

struct VMSetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Bring this host to where virtual machines can run.",
        discussion: """
            Installs packages, starts libvirt, adds the user to its groups, starts libvirt's network and tells UFW of \
            it, on Alpine, Arch, Debian, Ubuntu and Fedora. What is there already stays as it is. Each step is shown \
            before it is run, and root's rights are asked for where a step needs them.
            """)

    @Flag(help: "Print the steps as lines for a shell, and change nothing.")
    var dryRun = false

    @Flag(help: "Do not ask before the first step.")
    var yes = false

    @Option(help: ArgumentHelp("The libvirt to prepare: qemu:///system or qemu:///session.", valueName: "uri"))
    var connect = LibvirtConnection.system.uri

    @Flag(inversion: .prefixedNo, help: "Add rules to UFW where it is active.")
    var firewall = true

    @Option(
        help: ArgumentHelp(
            "Who is to use virtual machines; by default who runs this, also by sudo.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("In place of /etc/os-release.", valueName: "file", visibility: .hidden))
    var osRelease: String?

    func run() async throws {
        let connection = try LibvirtConnection(connect)
        let distribution = try Distribution(osRelease: try Host.osRelease(osRelease))
        let name = user ?? Host.invokingUser
        let goal = HostGoal(connection: connection, user: name == "root" ? nil : name, firewall: firewall)
        let elevation = await HostSetup.Elevation.forThisHost(isRoot: Host.person.isRoot)
        let setup = HostSetup(distribution, goal, elevation: elevation)
        let plan = try await setup.plan(elevating: !dryRun)
        if dryRun {
            for step in plan.steps where step.isDone { Console.print("# done already: \(step.what)") }
            for step in plan.open { Console.print(step.shellText(elevation: elevation.word)) }
            return plan.open.isEmpty ? Console.print("# nothing to do") : ()
        }
        guard !plan.open.isEmpty else { return Console.error("nothing to do: the host is ready for \(connection)") }
        try confirm(plan, elevation)
        let done = try await setup.carryOut(plan) { step in
            Console.error(
                "==> \(step.shellText(elevation: elevation.word).split(separator: "\n").joined(separator: "\n    "))")
        }
        guard !done.isEmpty else { return Console.error("nothing to do: the host is ready for \(connection)") }
        Console.error("done: the host is ready for \(connection); 'ksbuild vm check' looks at it again")
        if done.contains(where: { $0.name.hasPrefix("group ") }) {
            Console.error("\(name) is in new groups: log out and in again, so that they count")
        }
    }

    /// Shows the plan and has a person agree to it.
    private func confirm(_ plan: HostPlan, _ elevation: HostSetup.Elevation) throws {
        for step in plan.open { Console.error(step.shellText(elevation: elevation.word)) }
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw ValidationError(
                "standard input is no terminal, so nobody can agree to \(Self.count(plan)); give --yes, or "
                    + "--dry-run to see them only")
        }
        Console.ask("Run \(Self.count(plan)) now? [y/N] ")
        guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else {
            Console.error("nothing was changed")
            throw Outcome(failureClass: .interrupted)
        }
    }

    private static func count(_ plan: HostPlan) -> String {
        plan.open.count == 1 ? "this step" : "these \(plan.open.count) steps"
    }
}
