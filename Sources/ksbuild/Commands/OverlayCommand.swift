import APKOVL
import ArgumentParser
import Artefact
import Recipe
import SystemPackage

struct OverlayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overlay", abstract: "Write the overlay (apkovl) that Alpine's init applies at boot.")

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Where it goes (default: OUT/HOSTNAME.apkovl.tar.gz, of a fleet's node OUT/NODE.apkovl.tar.gz).",
            valueName: "file"),
        completion: .file())
    var output: OutputFile?

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var node: NodeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var inputs: InputOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let project = try Project(recipe, node: node.choice, report)
        let work = try folder.makeWorkFolder()
        let build = try project.build(inputs, areRequired: false, in: work)
        let target = output?.path ?? folder.path.appending(Overlay.fileName(project.node))
        try build.refuse(target, amongInputs: project.sources(inputs))
        let written = try build.writeOverlay(to: target)
        if !report.quiet {
            Console.print("\(written.path): \(written.size) bytes, sha256 \(written.digest?.hex ?? "-")")
        }
    }
}
