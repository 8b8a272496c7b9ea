import ArgumentParser
import Artefact
import Bundle
import Diff
import Recipe
import SystemPackage

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract:
            "Show what differs between two bundles, overlays or images, and whether a node's data allows the way back.",
        discussion: "What holds a secret is told to differ, and never shown. The exit code is 1 where anything differs."
    )

    @Argument(
        help: ArgumentHelp("A version, 'current', a bundle's directory, an overlay or an image.", valueName: "a"),
        completion: .file())
    var a: String

    @Argument(help: ArgumentHelp("The same.", valueName: "b"), completion: .file())
    var b: String

    @Flag(help: "Show the lines that differ of small texts.")
    var text = false

    @Flag(help: "Print notes on B, the newer one, in Markdown; the exit code is 0 whatever differs.")
    var changes = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var node: NodeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if changes, json || text { throw ValidationError("--changes goes with neither --json nor --text") }
    }

    func run() throws {
        let choice: NodeChoice = node.node.map { .named($0) } ?? .all
        let difference = Difference(
            try ComparedSubject.read(a, in: folder, node: choice),
            try ComparedSubject.read(b, in: folder, node: choice),
            showsText: text || report.verbose)
        if changes { return Console.print(ReleaseNotes(difference).text) }
        try ComparedSubject.conclude(difference, json: json, report)
    }
}
