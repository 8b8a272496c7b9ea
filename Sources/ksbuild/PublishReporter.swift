import Artefact
import Bundle
import Glibc
import Publish
import Recipe

/// Shows how a bundle is published or pulled, and what it came to.
final class PublishReporter {
    private let options: ReportOptions
    private let verb: String
    private let reporter: Reporter
    /// The bytes of the files that are done, and of all.
    private var counts: (done: UInt64, total: UInt64) = (0, 0)

    init(_ options: ReportOptions, _ verb: String) {
        self.options = options
        self.verb = verb
        reporter = Reporter(options)
        // A server that goes away while something is sent to it is no reason to end without a word.
        signal(SIGPIPE, SIG_IGN)
        Interrupt.watch()
        reporter.show(.step(verb))
    }

    /// Shows one event.
    func show(_ event: PublishEvent) {
        switch event {
        case .began(let name, let size): reporter.show(.detail("\(name), \(size) bytes"))
        case .ended(let name, let isMoved): if !isMoved { reporter.show(.detail("\(name): there already")) }
        case .progress(let done, let total):
            counts = (done, total)
            reporter.show(.progress(done: done, total: total))
        }
    }

    /// Shows how far the file has come that is being moved.
    func show(movedBytes: UInt64) {
        reporter.show(.progress(done: counts.done + movedBytes, total: counts.total))
    }

    /// Says that something is waited for.
    func show(waiting reason: String, seconds: Int64) {
        guard !options.quiet else { return }
        Console.error(printable("\(reason); again in \(seconds) s"))
    }

    /// Prints what it came to.
    func conclude(_ outcome: PublishReport, json: Bool) throws {
        for warning in outcome.warnings { reporter.show(.warning(warning)) }
        if json { return Console.print(try JSONText.of(Document(outcome, isPull: verb == "pull"))) }
        guard !options.quiet else { return }
        let moved = "\(outcome.movedBytes) bytes moved, \(outcome.presentBytes) there already"
        let mounted = outcome.mountedBytes > 0 ? ", \(outcome.mountedBytes) from another repository" : ""
        Console.print("\(outcome.place): version \(outcome.version), \(moved)\(mounted)")
        Console.print("  sha256:\(outcome.digest)")
    }

    /// The report of `--json`.
    private struct Document: Encodable {
        let destination: String?
        let source: String?
        let version: String
        let digest: String
        let movedBytes: UInt64
        let skippedBytes: UInt64
        let mountedBytes: UInt64
        let names: [String]
        let warnings: [String]

        init(_ outcome: PublishReport, isPull: Bool) {
            destination = isPull ? nil : outcome.place
            source = isPull ? outcome.place : nil
            version = outcome.version.description
            digest = "sha256:\(outcome.digest)"
            movedBytes = outcome.movedBytes
            skippedBytes = outcome.presentBytes
            mountedBytes = outcome.mountedBytes
            names = outcome.names
            warnings = outcome.warnings
        }
    }
}
