import APKOVL
import ArgumentParser
import Artefact
import Bundle
import Node
import Recipe
import SystemPackage

struct MediumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "medium",
        abstract: "Write the boot medium: one image with system, overlay, binary and packages.",
        discussion: """
            It starts from a CD drive, a USB stick or a virtual disk, under BIOS and UEFI, and needs no network. It is \
            Alpine's image with the rest grafted onto it. A bundle holds the parts, from which its medium is composed again, \
            byte for byte, and so is its complete seed, which starts a node beside Alpine's own image.
            """)

    @Argument(
        help: ArgumentHelp(
            "A bundle's directory or version whose medium is written; without it, the recipe's is.",
            valueName: "bundle"), completion: Completion.version)
    var bundle: String?

    @Flag(name: .customLong("seed"), help: "Write the bundle's complete seed instead: overlay, binary and packages.")
    var isSeed = false

    @Option(
        name: [.short, .long], help: ArgumentHelp("Where it goes (default: OUT/NAME-ARCH.iso).", valueName: "file"),
        completion: .file())
    var output: OutputFile?

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var node: NodeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var inputs: InputOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard isSeed, bundle == nil else { return }
        throw ValidationError("--seed goes with a bundle; the seed of a recipe is written by ksbuild cidata")
    }

    func run() throws {
        if let bundle { return try compose(PublishedBundle(bundle, in: folder, node: node.choice)) }
        let project = try Project(recipe, node: node.choice, report)
        let work = try folder.makeWorkFolder()
        let build = try project.build(inputs, areRequired: true, in: work)
        let parts = [project.node.name, project.node.member, project.node.architecture.alpineName]
        let name = parts.compactMap { $0 }.joined(separator: "-") + ".iso"
        let target = output?.path ?? folder.path.appending(name)
        try build.refuse(target, amongInputs: project.sources(inputs) + build.inputs.files)
        let overlay = try build.writeOverlay(to: work.path.appending(Overlay.fileName(project.node)))
        let written = try build.writeMedium(to: target, overlayFile: overlay, scratch: work.path)
        if !report.quiet { Console.print("\(written.path): \(written.size) bytes") }
    }

    private func compose(_ bundle: PublishedBundle) throws {
        let work = try folder.makeWorkFolder()
        let recipe = try bundle.medium(isSeed ? .seed : .boot)
        let target = output?.path ?? folder.path.appending(recipe.file)
        try BuildError.requireDistinct(
            target, from: bundle.manifest.artefacts.map { bundle.path.pushing(FilePath($0.path)) })
        let medium = try bundle.composer.compose(recipe, for: target, scratch: work.path)
        if recipe.result == nil, bundle.node == nil {
            let why = "the bundle was made without media, so nothing vouches for what its parts are composed to"
            Reporter(report).show(.warning("\(recipe.file): \(why)"))
        }
        let digest = medium.digest
        let written = try medium.commit()
        if !report.quiet { Console.print("\(written.path): \(written.size) bytes, sha256 \(digest)") }
    }
}
