import APKOVL
import Artefact
import Bundle
import Node
import Recipe
import SystemPackage

/// A recipe that was read without a fault, and all that a command needs to build from it.
struct Project {
    let decoded: DecodedRecipe
    let lockFile: LockFile
    /// The node that is built; where the recipe describes a fleet and none of it was chosen, what its nodes share.
    let node: NodeImage
    /// The nodes, where the recipe describes a fleet and all of it is built.
    let fleet: Fleet?
    let reporter: Reporter

    /// Reads the recipe and reports what is doubtful about it.
    ///
    /// - Parameters:
    ///   - option: The recipe.
    ///   - version: The version that is built.
    ///   - epoch: The time of the build in its place that environment and recipe give.
    ///   - choice: Which node of a fleet; a recipe for one node takes none.
    ///   - report: What is shown.
    /// - Throws: `RecipeFaults`, `UpstreamError`, `LockError` or `ArtefactError`; `BuildError` with
    ///   `BuildError.Code.otherNode`.
    init(
        _ option: RecipeOption, version: String = BuildStamp.developmentVersion, epoch: Int64? = nil,
        node choice: NodeChoice = .all,
        _ report: ReportOptions
    ) throws {
        reporter = Reporter(report)
        lockFile = try LockFile(option)
        decoded = try option.decode().dated(epoch)
            .locked(by: lockFile.lock, named: lockFile.path.string)
        let fleet = decoded.fleet(version: version)
        node = try choice.node(of: fleet, in: option.recipe) ?? decoded.node(version: version)
        self.fleet = node.member == nil ? fleet : nil
        for warning in decoded.warnings { reporter.show(.warning(warning.description)) }
    }

    /// The files that a build is made from: the recipe, what it refers to, and the inputs named.
    func sources(_ inputs: InputOptions) -> [FilePath] {
        decoded.inputs.map(\.path) + [inputs.iso, inputs.kubesolo].compactMap { $0.map { FilePath($0) } }
    }

    /// Takes in what upstreams give and decides all that is to be written.
    func build(
        _ inputs: InputOptions, areRequired: Bool, in folder: borrowing TemporaryFolder,
        reusing store: (BundleStore, VerifiedFiles)? = nil, isBelieved: Bool = true, report: BuildReport? = nil
    ) throws -> NodeBuild {
        let report = report ?? reporter.show
        let sources = try inputs.sources(
            locked: lockFile, in: inputs.cache.open(isBelieved: isBelieved), for: upstreamNames,
            areRequired: areRequired, folder: folder.path, report: report)
        let gathered = try BuildInputs.gather(
            for: node, from: sources, areRequired: areRequired, unpackingInto: folder.path,
            reusing: store, report: report)
        if inputs.mirror == nil { try requireNothingUnused(gathered) }
        return try NodeBuild(
            node: node, inputs: gathered,
            sources: OverlaySources(resources: Resources.overlays(), layers: fleet?.layers ?? []), report: report)
    }

    /// What is published as a bundle of what was built: of the only node, or of a fleet.
    func stage(_ build: NodeBuild, isComposingMedia: Bool) throws -> Stage {
        if let fleet { return try build.stage(fleet, recipe: decoded) }
        return try build.stage(recipe: decoded, isComposingMedia: isComposingMedia)
    }
}

extension InputOptions {
    /// The paths that were given.
    var sources: InputSources {
        InputSources(
            alpineImage: iso.map { FilePath($0) }, kubesolo: kubesolo.map { FilePath($0) },
            mirror: mirror.map { FilePath($0) })
    }
}
