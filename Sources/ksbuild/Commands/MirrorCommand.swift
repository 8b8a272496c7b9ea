import ArgumentParser
import Fetch
import SystemPackage
import Upstream

struct MirrorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror", abstract: "Make a directory of all that the lock names, for a host without a network.",
        discussion: """
            'ksbuild fetch --from DIR' takes it in over there; served over HTTP, 'ksbuild fetch --mirror URL' does. \
            SHA256SUMS in it lists every file.
            """)

    @Argument(help: ArgumentHelp("The directory.", valueName: "dir"), completion: .directory)
    var directory: String

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var cache: CacheOption
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var report: ReportOptions

    func run() async throws {
        let lock = try LockFile(recipe).required()
        let entries = lock.entries
        let fetcher = try InputFetcher(cache.open(), MirrorList(), transfer, report, for: lock)
        _ = try await fetcher.fetch(entries)
        try LockedView.copy(entries, with: fetcher, to: FilePath(directory)) { name in
            if report.verbose { Console.error("copy \(name)") }
        }
        let bytes = entries.reduce(0) { $0 + $1.size }
        if !report.quiet { Console.print("\(directory): \(entries.count) inputs, \(bytes >> 20) MiB") }
    }
}
