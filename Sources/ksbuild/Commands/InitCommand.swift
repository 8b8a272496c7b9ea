import ArgumentParser
import Artefact
import Recipe
import SystemPackage

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a starter recipe with comments, and your public keys in it.")

    @Argument(help: "The directory; it is made where it is not there.")
    var directory = "."

    @Option(
        help: ArgumentHelp("A public key that may log in (default: every ~/.ssh/*.pub).", valueName: "file"),
        completion: .file())
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
        try addIgnoreList(in: folder, Recipe.starterIgnoreList(templates: templates))
        guard !report.quiet else { return }
        Console.print("\(recipe): written, with \(keys.count) public \(keys.count == 1 ? "key" : "keys")")
        if keys.isEmpty {
            Console.error("warning: no public key was found, so nobody can log in; add one to \(recipe)")
        }
    }

    /// The user's own public keys, as references that stay short and readable; what is no key that a recipe takes is
    /// passed over, and said.
    private func ownKeys() throws -> [String] {
        guard let folder = Host.home?.appending(".ssh"), HostFile.exists(folder) else { return [] }
        return try HostFile.names(in: folder).filter { $0.hasSuffix(".pub") }.compactMap { name in
            do {
                try PublicKeyFile.check(folder.appending(name))
                return "file:~/.ssh/\(name)"
            } catch {
                Console.error("warning: \(error); it is left out")
                return nil
            }
        }
    }

    /// A reference to a key file that holds wherever the recipe stands.
    private func reference(_ path: String) throws -> String {
        let file = Host.workingDirectory.pushing(FilePath(path)).lexicallyNormalized()
        try PublicKeyFile.check(file)
        return "file:\(file)"
    }

    /// Makes git ignore what must not be committed; a list that is there keeps its lines and gains those it lacks.
    private func addIgnoreList(in folder: FilePath, _ list: String) throws {
        let path = folder.appending(".gitignore")
        guard HostFile.exists(path) else {
            try StagedFile.write(Array(list.utf8), to: path)
            return
        }
        let present = String(decoding: try HostFile.read(path, limit: 1 << 20), as: UTF8.self)
        let lines = Set(present.split(whereSeparator: \.isNewline))
        let missing = list.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") && !lines.contains($0) }
        guard !missing.isEmpty else { return }
        let separator = present.isEmpty || present.hasSuffix("\n") ? "" : "\n"
        let text = present + separator + missing.joined(separator: "\n") + "\n"
        try StagedFile.write(Array(text.utf8), to: path, mode: HostFile.status(of: path).mode)
        if !report.quiet { Console.print("\(path): \(missing.joined(separator: ", ")) added") }
    }
}
