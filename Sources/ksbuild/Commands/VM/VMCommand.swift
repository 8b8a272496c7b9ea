import ArgumentParser

struct VMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Run a node in a virtual machine of this host.",
        discussion: """
            The machine's files are in OUT/vm/NAME: a data disk, the media it boots from, what its console said. libvirt \
            runs it, or QEMU alone with 'vm create --backend plain'.
            """,
        groupedSubcommands: [
            CommandGroup(name: "The host", subcommands: [VMSetupCommand.self, VMCheckCommand.self]),
            CommandGroup(
                name: "Life",
                subcommands: [
                    VMUpCommand.self, VMDownCommand.self, VMCreateCommand.self, VMStartCommand.self, VMStopCommand.self,
                    VMRestartCommand.self, VMDestroyCommand.self,
                ]),
            CommandGroup(
                name: "Versions", subcommands: [VMUpgradeCommand.self, VMRollbackCommand.self]),
            CommandGroup(
                name: "The node",
                subcommands: [
                    VMStatusCommand.self, VMInfoCommand.self, VMIPCommand.self, VMSSHCommand.self,
                    VMConsoleCommand.self,
                    VMLogsCommand.self, VMKubeSoloCommand.self, VMKubectlCommand.self, VMKubeconfigCommand.self,
                ]),
        ])
}
