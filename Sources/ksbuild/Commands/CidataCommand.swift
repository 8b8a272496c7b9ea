import APKOVL
import ArgumentParser
import Artefact
import CloudInit
import Node
import Recipe
import SystemPackage

struct CidataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cidata",
        abstract: "Write the NoCloud seed image, with the overlay and, where it is at hand, the binary on it.")

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Where it goes (default: OUT/cidata.iso, of a fleet's node OUT/NODE.cidata.iso).", valueName: "file"),
        completion: .file())
    var output: OutputFile?

    @Flag(help: "Write the NoCloud files alone, without overlay and binary.")
    var seedOnly = false

    @Flag(help: "Add 300 KiB of zeros at the end, for drives that read ahead past it.")
    var pad = false

    @Option(
        help: ArgumentHelp("A further file on the image.", valueName: "local:path"), transform: { try addition($0) })
    var add: [HostAddition] = []

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var node: NodeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var inputs: InputOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let project = try Project(recipe, node: node.choice, report)
        guard seedOnly || project.node.kernelParameters.isEmpty else {
            throw BuildError(
                .unbootable, subject: "\(recipe.recipe): kernel.parameters",
                detail: "cannot be honoured: beside a seed image Alpine's own image starts with its own command line;"
                    + " write the boot medium with ksbuild medium, or remove them")
        }
        let work = try folder.makeWorkFolder()
        let build = try project.build(inputs, areRequired: false, in: work)
        let overlay = seedOnly ? nil : try build.writeOverlay(to: work.path.appending(Overlay.fileName(project.node)))
        let name = project.node.member.map { "\($0).cidata.iso" } ?? "cidata.iso"
        let target = output?.path ?? folder.path.appending(name)
        try build.refuse(target, amongInputs: project.sources(inputs) + add.map(\.source))
        let written = try build.writeSeed(to: target, overlayFile: overlay, additions: add, padding: pad)
        if !report.quiet { Console.print("\(written.path): \(written.size) bytes") }
    }

    private static func addition(_ text: String) throws -> HostAddition {
        do { return try HostAddition(text) } catch { throw ValidationError("--add \(error)") }
    }
}
