import ArgumentParser
import Artefact
import Bundle
import Diff
import Recipe
import SystemPackage

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
            valueName: "other"), completion: .file())
    var against: String?

    @OptionGroup var format: FindingOptions

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var node: NodeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var inputs: InputOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        if version != BuildStamp.developmentVersion { _ = try Version(version) }
        if let against { return try compare(with: against) }
        if format.sarif { return try printLog() }
        let plan = try plan(project(version))
        Console.print(format.json ? plan.json : plan.text)
    }

    func validate() throws {
        if against != nil, format.sarif { throw ValidationError("--sarif tells of a recipe, not of what differs") }
    }

    /// Prints what is wrong with the recipe, what is doubtful and what could not be checked; with faults, the command ends
    /// as it does without the log.
    private func printLog() throws {
        var findings: [PlacedFinding] = []
        do {
            let project = try project(version)
            findings = project.decoded.warnings.map { PlacedFinding($0, level: .warning) }
            let file = FilePath(project.decoded.file)
            let plan = try plan(project)
            // The recipe's own come first in the plan, and have their places already.
            findings += plan.warnings.dropFirst(findings.count).map {
                PlacedFinding(rule: "plan-doubt", level: .warning, message: $0, file: file)
            }
            findings += plan.unchecked.map {
                PlacedFinding(rule: "not-checked", level: .note, message: $0, file: file)
            }
        } catch let faults as RecipeFaults {
            let log = SARIF(findings + faults.faults.map { PlacedFinding($0, level: .error) })
            Console.print(try JSONText.of(log))
            throw faults
        }
        Console.print(try JSONText.of(SARIF(findings)))
    }

    /// Shows what differs; without a version of its own the build has that of the other side, so that it is no difference.
    private func compare(with name: String) throws {
        let other = try ComparedSubject.read(name, in: folder, node: choice)
        let isOwn = version != BuildStamp.developmentVersion
        let project = try project(isOwn ? version : other.description?.version.description ?? version)
        let work = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-")
        let build = try project.build(inputs, areRequired: false, in: work)
        let planned = try Side(plan: build, recipe: project.decoded.digest, fleet: project.fleet)
        try ComparedSubject.conclude(
            Difference(other, planned, showsText: report.verbose), json: format.json, report)
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
        if let fleet = project.fleet {
            return try build.plan(fleet, recipe: project.decoded, warnings: warnings, unchecked: unchecked)
        }
        return try build.plan(project.decoded, warnings: warnings, unchecked: unchecked)
    }

    /// All nodes of a fleet, unless one is named.
    private var choice: NodeChoice { node.node.map { .named($0) } ?? .all }

    private func project(_ version: String) throws -> Project {
        try Project(recipe, version: version, node: choice, report)
    }
}
