import Glibc
import Recipe

/// Shows the events of a build on standard error: plain lines, and a progress line where a person watches.
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
        case .warning(let text): if !options.quiet { Console.error("warning: \(text)") }
        case .unchecked(let text): if !options.quiet { Console.error("not checked: \(text)") }
        case .progress: break
        }
    }

    /// A progress line appears when a step takes over half a second, and is renewed five times a second.
    private func showProgress(_ done: UInt64, _ total: UInt64) {
        guard Console.isInteractive, !options.quiet, total > 0 else { return }
        let now = ContinuousClock.now
        guard now - stepBegan > .milliseconds(500), shownAt.map({ now - $0 > .milliseconds(200) }) ?? true else {
            return
        }
        shownAt = now
        let percent = min(100, done * 100 / max(total, 1))
        Console.progress("\(step): \(percent)% of \(total >> 20) MiB")
    }

    private func clearProgress() {
        guard shownAt != nil else { return }
        shownAt = nil
        Console.progress("")
    }
}
