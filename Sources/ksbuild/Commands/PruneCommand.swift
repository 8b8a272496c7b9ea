import ArgumentParser
import Bundle

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove all but the newest bundles, never one that is live, to be gone back to, or in use.")

    @Option(help: ArgumentHelp("How many of the newest bundles stay in any case.", valueName: "n"))
    var keep: Int

    @Flag(help: "Say what would go, and remove nothing.")
    var dryRun = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var change: ChangeOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard keep >= 0 else { throw ValidationError("--keep takes 0 or a larger number") }
    }

    func run() throws {
        let outcome = try change.store.prune(
            keeping: keep, Host.occasion(why: change.reason ?? "kept the newest \(keep)"), dryRun: dryRun)
        if json { return Console.print(try JSONText.of(Report(outcome))) }
        guard !report.quiet else { return }
        for version in outcome.removed { Console.print("\(version): \(dryRun ? "would be removed" : "removed")") }
        for (version, reason) in outcome.kept.sorted(by: { $0.key < $1.key }) where reason != .newest {
            Console.print("\(version): kept, \(reason.rawValue)")
        }
        let bytes = "\(outcome.freedBytes >> 20) MiB"
        Console.print(dryRun ? "\(bytes) would be free" : "\(bytes) freed")
    }

    /// What `--json` says.
    private struct Report: Encodable {
        let removed: [String]
        let kept: [String: String]
        let freedBytes: UInt64

        init(_ outcome: BundleStore.Pruning) {
            removed = outcome.removed.map(\.description)
            kept = Dictionary(uniqueKeysWithValues: outcome.kept.map { ($0.key.description, $0.value.rawValue) })
            freedBytes = outcome.freedBytes
        }
    }
}
