import ArgumentParser
import Artefact
import Attestation

/// The `ksbuild` command: finds the subcommand, runs it, and turns whatever ended it into one exit code.
@main
struct KSBuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ksbuild",
        abstract: "Builds diskless Alpine Linux images for single-node Kubernetes with KubeSolo.",
        discussion: """
            A recipe (ksbuild.yaml) becomes an overlay, a seed image and an immutable, versioned bundle. \
            'ksbuild --version' says which ksbuild this is.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Recipe", subcommands: [InitCommand.self, PlanCommand.self, SchemaCommand.self]),
            CommandGroup(
                name: "Inputs",
                subcommands: [FetchCommand.self, OutdatedCommand.self, MirrorCommand.self, CacheCommand.self]),
            CommandGroup(
                name: "Build",
                subcommands: [
                    OverlayCommand.self, CidataCommand.self, MediumCommand.self, BundleCommand.self, GraftCommand.self,
                    KeygenCommand.self,
                ]),
            CommandGroup(
                name: "Judge",
                subcommands: [VerifyCommand.self, InspectCommand.self, DiffCommand.self, BootCommand.self]),
            CommandGroup(name: "Publish", subcommands: [PublishCommand.self, PullCommand.self]),
            CommandGroup(name: "Machine", subcommands: [VMCommand.self]),
            CommandGroup(
                name: "Live and back",
                subcommands: [
                    ListCommand.self, ActivateCommand.self, ConfirmCommand.self, RollbackCommand.self,
                    PruneCommand.self,
                ]),
        ])

    /// The version of this ksbuild.
    static let version = Builder.version

    static func main() async {
        // The parser's own flag would also answer, and end with 0, where a command that has an option of this name
        // fails.
        if CommandLine.arguments.dropFirst().elementsEqual(["--version"]) { return Console.print(version) }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            ExitStatus.end(with: error)
        }
    }
}
