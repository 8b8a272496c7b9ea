import ArgumentParser
import Artefact
import ISOBuild
import Recipe
import SystemPackage

struct GraftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graft",
        abstract: "Add files to a bootable ISO image without unpacking it, so that it goes on booting as it did.",
        discussion: """
            The image is copied as it stands; new files and new directories are appended to the copy. What is replaced \
            or removed is in no directory any more, but its bytes stay in the image. The image itself is only read.
            """)

    @Argument(help: ArgumentHelp("The image to which files are added.", valueName: "iso"), completion: Completion.image)
    var iso: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("Where the grafted image goes.", valueName: "file"),
        completion: .file())
    var output: OutputFile

    @Option(
        help: ArgumentHelp("A file or directory and its place on the image.", valueName: "local:path"),
        transform: { text in
            do { return try HostAddition(text) } catch { throw ValidationError("--add \(error)") }
        })
    var add: [HostAddition] = []

    @Option(
        help: ArgumentHelp("A file or directory to take out first.", valueName: "path"),
        transform: { text in
            do {
                return try EntryPath(text.first == "/" ? String(text.dropFirst()) : text)
            } catch { throw ValidationError("--remove \(error)") }
        })
    var remove: [EntryPath] = []

    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard !add.isEmpty || !remove.isEmpty else {
            throw ValidationError("nothing to do; give --add LOCAL:PATH or --remove PATH")
        }
    }

    func run() throws {
        let source = FilePath(iso)
        try BuildError.requireDistinct(output.path, from: [source])
        var tree = FileTree()
        for addition in add {
            for entry in try addition.entries() {
                if case .file(.file(let path, _)) = entry.kind {
                    try BuildError.requireDistinct(output.path, from: [path])
                }
                try tree.insert(entry)
            }
        }
        let isQuiet = report.quiet
        let graft = ISOGraft(source, epoch: try RecipeFile.epoch(Host.surroundings)) { note in
            if !isQuiet { Console.error("note: \(note)") }
        }
        let written = try graft.write(tree, removing: remove, to: output.path)
        if !report.quiet { Console.print("\(written.path): \(written.size) bytes") }
    }
}
