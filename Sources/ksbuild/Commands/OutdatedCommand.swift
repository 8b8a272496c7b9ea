import ArgumentParser
import Artefact
import Fetch
import Recipe
import SystemPackage

struct OutdatedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outdated", abstract: "List what is newer than what the lock names; ends with 1 where anything is."
    )

    @Flag(help: "Print one JSON document.")
    var json = false

    @Option(
        name: .long,
        help: ArgumentHelp("Ask here instead of upstream's servers: an address or a directory.", valueName: "url"))
    var mirror: [String] = []

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var cache: CacheOption
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var report: ReportOptions

    func run() async throws {
        let file = try LockFile(recipe)
        let lock = try file.required()
        let decoded = try recipe.decode()
            .locked(by: lock, named: file.path.string)
        let mirrors = MirrorList(mirror, relativeTo: Host.workingDirectory.string)
        let fetcher = try InputFetcher(cache.open(), mirrors, transfer, report)
        let work = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-")
        let rows = try await Outdated(fetcher: fetcher, scratch: work.path).rows(decoded, lock)
        if json {
            Console.print(try JSONText.of(rows.map(Row.init)))
        } else if rows.isEmpty {
            Console.print("nothing is newer than what \(file.path) names")
        } else {
            for row in rows {
                Console.print("\(row.name)  \(row.locked) → \(row.newest)\(row.note.isEmpty ? "" : "  (\(row.note))")")
            }
        }
        if !rows.isEmpty { throw Outcome(failureClass: .findings) }
    }

    private struct Row: Encodable {
        let name: String
        let locked: String
        let newest: String
        let note: String

        init(_ row: Outdated.Row) {
            name = row.name
            locked = row.locked
            newest = row.newest
            note = row.note
        }
    }
}
