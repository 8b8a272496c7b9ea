import ArgumentParser
import Artefact
import Bundle
import Diff
import Recipe

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract:
            "Show what would be made: the resolved recipe, every file, every input, and what could not be checked.")

    @Option(help: "The version that would be built.")
    var version = BuildStamp.developmentVersion

    @Option(
        help: ArgumentHelp(
            "Show instead what differs from a version, 'current', a bundle, an overlay or an image.",
            valueName: "other"))
    var against: String?

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var inputs: InputOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        if version != BuildStamp.developmentVersion { _ = try Version(version) }
        if let against { return try compare(with: against) }
        let project = try Project(recipe, version: version, report)
        let plan = try plan(project)
        Console.print(json ? plan.json : plan.text)
    }

    /// Shows what differs; without a version of its own the build has that of the other side, so that it is no difference.
    private func compare(with name: String) throws {
        let other = try ComparedSubject.read(name, in: folder)
        let isOwn = version != BuildStamp.developmentVersion
        let project = try Project(
            recipe, version: isOwn ? version : other.description?.version.description ?? version, report)
        let work = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-")
        let build = try project.build(inputs, areRequired: false, in: work)
        let planned = try Side(plan: build, recipe: project.decoded.digest)
        try ComparedSubject.conclude(
            Difference(other, planned, showsText: report.verbose), json: json, report)
    }

    /// Decides everything; what that needs on the disk is gone before anything is printed.
    private func plan(_ project: Project) throws -> BuildPlan {
        let work = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-")
        var warnings: [String] = []
        var unchecked: [String] = []
        let build = try project.build(inputs, areRequired: false, in: work) { event in
            switch event {
            case .warning(let text): warnings.append(text)
            case .unchecked(let text): unchecked.append(text)
            default: project.reporter.show(event)
            }
        }
        return try build.plan(project.decoded, warnings: warnings, unchecked: unchecked)
    }
}
