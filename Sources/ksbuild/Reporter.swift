import Artefact
import Glibc
import Recipe

/// Shows the events of a build on standard error: plain lines, and a line that follows the progress where a person
/// watches.
final class Reporter {
    private let options: ReportOptions
    private var step = ""
    private var stepBegan = ContinuousClock.now
    private var shownAt: ContinuousClock.Instant?

    init(_ options: ReportOptions) { self.options = options }

    deinit { clearProgress() }

    /// Shows one event.
    func show(_ event: BuildEvent) {
        if case .progress(let done, let total) = event { return showProgress(done, total) }
        clearProgress()
        switch event {
        case .step(let text):
            step = text
            stepBegan = .now
            if options.verbose { Console.error("==> \(text)") }
        case .detail(let text): if options.verbose { Console.error("    \(text)") }
        case .warning(let text): if !options.quiet { Console.error("warning: \(printable(text))") }
        case .unchecked(let text): if !options.quiet { Console.error("not checked: \(printable(text))") }
        case .progress: break
        }
    }

    /// On a terminal progress appears when a step takes over half a second and is renewed five times a second;
    /// elsewhere it is a line every ten seconds.
    private func showProgress(_ done: UInt64, _ total: UInt64) {
        guard !options.quiet, total > 0 else { return }
        let now = ContinuousClock.now
        let (first, pause): (Duration, Duration) =
            Console.isInteractive ? (.milliseconds(500), .milliseconds(200)) : (.seconds(10), .seconds(10))
        guard now - stepBegan > first, shownAt.map({ now - $0 > pause }) ?? true else { return }
        shownAt = now
        let percent = UInt64(min(100, Double(done) / Double(total) * 100))
        let text = "\(step): \(percent)% of \(total >> 20) MiB"
        if Console.isInteractive { Console.progress(text) } else { Console.error(text) }
    }

    private func clearProgress() {
        guard shownAt != nil else { return }
        shownAt = nil
        if Console.isInteractive { Console.progress("") }
    }
}
