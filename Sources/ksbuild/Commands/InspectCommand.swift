import ArgumentParser
import Artefact
import Bundle
import SystemPackage

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what an overlay, an ISO image or a bundle holds and what Alpine's init would make of it.")

    @Argument(
        help: ArgumentHelp("The overlay, image or bundle, made by ksbuild or by others.", valueName: "file|bundle"),
        completion: .file())
    var subject: String

    @OptionGroup var format: FindingOptions

    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    func run() throws {
        let inspection = try inspect()
        if format.sarif {
            Console.print(try JSONText.of(SARIF(inspection.placedFindings)))
        } else if format.json {
            Console.print(try JSONText.of(inspection))
        } else {
            if !report.quiet { for line in inspection.lines { Console.print(printable(line)) } }
            for finding in inspection.findings { Console.print(printable(finding.line)) }
        }
        if !inspection.findings.isEmpty { throw Outcome(failureClass: .findings) }
    }

    private func inspect() throws -> any Inspection {
        let path = FilePath(subject)
        if !HostFile.exists(path), let version = try? Version(subject) {
            return try BundleInspection(BundleStore(folder.path).path(of: version))
        }
        switch try HostFile.status(of: path).kind {
        case .directory: return try BundleInspection(path)
        case .file: return try ImageMark.isOn(path) ? ImageInspection(path) : OverlayInspection(path)
        case .symlink, .special:
            throw ArtefactError(
                .unsupportedKind, subject: subject, detail: "is no regular file and no bundle; name one of those")
        }
    }
}
