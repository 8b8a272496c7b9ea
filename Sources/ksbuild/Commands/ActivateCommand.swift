import ArgumentParser
import Bundle
import SystemPackage

struct ActivateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Make a bundle the live one, after reading every byte of it again.")

    @Argument(help: "The version.")
    var version: String

    @Option(help: ArgumentHelp("The reason, for the history.", valueName: "text"))
    var reason = "activated by hand"

    @OptionGroup var output: OutputFolder
    @OptionGroup var report: ReportOptions

    func run() throws {
        let change = try BundleStore(output.path).activate(Version(version), Host.occasion(why: reason))
        if !report.quiet { Console.print(change.sentence(in: output.path)) }
    }
}

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Make the bundle live that was live before.")

    @Option(help: ArgumentHelp("The version to go back to.", valueName: "version"))
    var to: String?

    @Option(help: ArgumentHelp("The reason, for the history.", valueName: "text"))
    var reason = "rolled back by hand"

    @OptionGroup var output: OutputFolder
    @OptionGroup var report: ReportOptions

    func run() throws {
        let target = try to.map { try Version($0) }
        let change = try BundleStore(output.path).rollback(to: target, Host.occasion(why: reason))
        if !report.quiet { Console.print(change.sentence(in: output.path)) }
    }
}

extension BundleStore.Switch {
    /// What a switch came to, in a sentence.
    func sentence(in out: FilePath) -> String {
        guard isChange else { return "\(to) is live already" }
        let before = from.map { " (before: \($0))" } ?? ""
        return "\(to) is live\(before): \(out.appending("current")) -> bundles/\(to)"
    }
}
