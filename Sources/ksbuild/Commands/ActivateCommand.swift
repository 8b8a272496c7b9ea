import ArgumentParser
import Bundle
import SystemPackage

struct ActivateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Make a bundle the live one, after reading every byte of it again.")

    @Argument(help: "The version.", completion: Completion.version)
    var version: String

    @Flag(help: "Take a version again that was left by rolling back.")
    var force = false

    @Flag(help: "Take an unconfirmed version that is older than a confirmed one.")
    var allowDowngrade = false

    @OptionGroup var trust: TrustOptions
    @OptionGroup var change: ChangeOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let outcome = try change.store.activate(
            Version(version), Host.occasion(why: change.reason ?? "activated by hand"), insisting: force,
            allowingDowngrade: allowDowngrade, trusting: trust.keys())
        if !report.quiet { Console.print(outcome.sentence(in: change.folder.path)) }
    }
}

struct ConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Note that the live bundle has proven itself: it is the one to go back to from now on.")

    @Argument(help: "The version that is meant; without it, whichever is live.", completion: Completion.version)
    var version: String?

    @Option(help: ArgumentHelp("What shows it, for the history.", valueName: "text"))
    var evidence: String?

    @OptionGroup var change: ChangeOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        var occasion = Host.occasion(why: change.reason ?? "confirmed by hand")
        occasion.evidence = evidence
        let outcome = try change.store.confirm(version.map { try Version($0) }, occasion)
        guard !report.quiet else { return }
        Console.print("\(outcome.version) is confirmed\(outcome.isChange ? "" : " already")")
    }
}

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to the bundle that was confirmed last; the one that is left counts as failed.")

    @Option(help: ArgumentHelp("The version to go back to.", valueName: "version"), completion: Completion.version)
    var to: String?

    @Flag(help: "Take a version again that was itself left by rolling back.")
    var force = false

    @OptionGroup var trust: TrustOptions
    @OptionGroup var change: ChangeOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if force && to == nil { throw ValidationError("--force goes with --to VERSION") }
    }

    func run() throws {
        let outcome = try change.store.rollback(
            to: to.map { try Version($0) }, Host.occasion(why: change.reason ?? "rolled back by hand"),
            insisting: force, trusting: trust.keys())
        if !report.quiet { Console.print(outcome.sentence(in: change.folder.path)) }
    }
}

/// What every command takes that changes which bundles are there or live.
struct ChangeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The reason, for the history.", valueName: "text"))
    var reason: String?

    @OptionGroup var folder: OutputFolder
    @OptionGroup var patience: PatienceOption

    /// The store that is changed.
    var store: BundleStore { BundleStore(folder.path, isPatient: patience.wait) }
}

/// What to do while another command changes the store.
struct PatienceOption: ParsableArguments {
    @Flag(help: "Wait while another command changes the same store, instead of ending with exit code 75.")
    var wait = false
}

extension BundleStore.Switch {
    /// What a switch came to, in a sentence.
    func sentence(in out: FilePath) -> String {
        let state = isPending ? ", pending until 'ksbuild confirm'" : ", confirmed"
        guard isChange else { return "\(to) is live already\(state)" }
        let before = from.map { " (before: \($0))" } ?? ""
        return "\(to) is live\(before)\(state): \(out.appending("current")) -> bundles/\(to)"
    }
}
