import ArgumentParser
import Artefact
import Recipe
import SystemPackage

/// What every command takes that says something about its work.
struct ReportOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say nothing but errors.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Say what each step does and finds.")
    var verbose = false

    func validate() throws {
        if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    }
}

/// Where results go.
struct OutputFolder: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Where results go.", valueName: "dir"), completion: .directory)
    var out = Self.defaultName

    static let defaultName = "out"

    var path: FilePath { FilePath(out) }

    /// Makes a folder in it for what a build makes on the way.
    func makeWorkFolder() throws -> TemporaryFolder {
        try HostFile.makeDirectories(path)
        return try TemporaryFolder(in: path, prefix: ".work-")
    }
}

/// The name of one file to write.
struct OutputFile: ExpressibleByArgument {
    let path: FilePath

    init?(argument: String) {
        guard !argument.isEmpty, !argument.hasSuffix("/") else { return nil }
        path = FilePath(argument)
    }
}

/// Which recipe is built.
struct RecipeOption: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The recipe.", valueName: "file"), completion: Completion.recipe)
    var recipe = "ksbuild.yaml"

    @Option(
        name: .long,
        help: ArgumentHelp("The lock of its inputs; by default ksbuild.lock beside the recipe.", valueName: "file"),
        completion: .file())
    var lock: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Alpine's release instead of the recipe's: 3.23.6, 3.23 or latest-stable.", valueName: "release"))
    var alpine: String?

    /// The recipe of a bundle that is there: with its Alpine release, whichever the recipe says now.
    ///
    /// - Throws: What the parser throws.
    static func again(_ recipe: String?, lock: String?, alpine: String) throws -> RecipeOption {
        let arguments = ["--alpine", alpine] + (recipe.map { ["--recipe", $0] } ?? [])
        return try RecipeOption.parse(arguments + (lock.map { ["--lock", $0] } ?? []))
    }

    /// The recipe, read without a fault.
    func decode() throws -> DecodedRecipe {
        let decoded = try RecipeFile.decode(FilePath(recipe), surroundings: Host.surroundings)
        guard let alpine else { return decoded }
        return try decoded.choosing(alpine: alpine, named: "--alpine")
    }
}

/// Where inputs come from.
struct InputOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The Alpine image.", valueName: "file"), completion: Completion.image)
    var iso: String?

    @Option(
        name: .long, help: ArgumentHelp("A KubeSolo release archive or the bare binary.", valueName: "file"),
        completion: .file())
    var kubesolo: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A directory with the layout of upstream's releases, instead of the lock and the cache.", valueName: "dir"),
        completion: .directory)
    var mirror: String?

    @OptionGroup var cache: CacheOption

    func validate() throws {
        // An address may hold a password, and is not repeated.
        if let mirror, mirror.contains("://") {
            throw ValidationError("--mirror takes a directory here; 'ksbuild fetch --mirror' fetches from an address")
        }
    }
}
