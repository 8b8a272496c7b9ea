import ArgumentParser
import Artefact
import Recipe
import SystemPackage

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a starter recipe with comments, and your public keys in it.")

    @Argument(help: "The directory; it is made where it is not there.")
    var directory = "."

    @Option(help: ArgumentHelp("A public key that may log in (default: every ~/.ssh/*.pub).", valueName: "file"))
    var key: [String] = []

    @OptionGroup var report: ReportOptions

    func run() throws {
        let folder = FilePath(directory)
        let recipe = folder.appending(RecipeFile.defaultName)
        guard !HostFile.exists(recipe) else {
            throw ArtefactError(
                .system, subject: recipe.string, detail: "is there already and stays; name another directory",
                errno: .fileExists)
        }
        let keys = try key.isEmpty ? ownKeys() : key.map(reference)
        let templates = try Resources.templates()
        let text = try Recipe.starter(templates: templates, keys: keys)
        try HostFile.makeDirectories(folder)
        try StagedFile.write(Array(text.utf8), to: recipe)
        let ignored = folder.appending(".gitignore")
        if !HostFile.exists(ignored) {
            try StagedFile.write(Array(Recipe.starterIgnoreList(templates: templates).utf8), to: ignored)
        }
        guard !report.quiet else { return }
        Console.print("\(recipe): written, with \(keys.count) public \(keys.count == 1 ? "key" : "keys")")
        if keys.isEmpty {
            Console.error("warning: no public key was found, so nobody can log in; add one to \(recipe)")
        }
    }

    /// The user's own public keys, as references that stay short and readable.
    private func ownKeys() throws -> [String] {
        guard let folder = Host.home?.appending(".ssh"), HostFile.exists(folder) else { return [] }
        return try HostFile.names(in: folder).filter { $0.hasSuffix(".pub") }.map { "file:~/.ssh/\($0)" }
    }

    /// A reference to a key file that holds wherever the recipe stands.
    private func reference(_ path: String) throws -> String {
        let file = Host.workingDirectory.pushing(FilePath(path)).lexicallyNormalized()
        _ = try HostFile.status(of: file)
        return "file:\(file)"
    }
}
