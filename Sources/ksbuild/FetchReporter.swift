import Artefact
import Fetch
import Synchronization

/// Shows on standard error how inputs come: a line for each that is there, and how all of them get on.
final class FetchReporter: Sendable {
    private struct State {
        var received: [String: UInt64] = [:]
        var totals: [String: UInt64] = [:]
        /// The bytes that were there already when each began, which say nothing of the rate.
        var resumed: [String: UInt64] = [:]
        var begun = ContinuousClock.now
        var shownAt: ContinuousClock.Instant?
        var isLineShown = false
    }

    private let options: (isQuiet: Bool, isVerbose: Bool)
    private let state = Mutex(State())

    init(_ options: ReportOptions) { self.options = (options.quiet, options.verbose) }

    /// Shows one event.
    func show(_ event: FetchEvent) {
        state.withLock { state in
            switch event {
            case .began(let name):
                if options.isVerbose { line("fetch \(name)", &state) }
            case .received(let name, let bytes, let total):
                state.received[name] = bytes
                state.totals[name] = total
                if state.resumed[name] == nil { state.resumed[name] = bytes }
                progress(&state)
            case .waiting(let name, let pause, let reason):
                if !options.isQuiet { line("\(name): \(reason); again in \(pause.components.seconds) s", &state) }
            case .done(let name, let size, let address):
                state.received[name] = nil
                state.totals[name] = nil
                state.resumed[name] = nil
                guard let address else { return options.isVerbose ? line("\(name): in the cache", &state) : () }
                if !options.isQuiet { line("fetched \(name), \(size) bytes, from \(address)", &state) }
            }
        }
    }

    private func line(_ text: String, _ state: inout State) {
        if state.isLineShown { Console.progress("") }
        state.isLineShown = false
        Console.error(printable(text))
    }

    private func progress(_ state: inout State) {
        guard !options.isQuiet else { return }
        let now = ContinuousClock.now
        let pause: Duration = Console.isInteractive ? .milliseconds(200) : .seconds(10)
        guard now - (state.shownAt ?? state.begun) > pause else { return }
        state.shownAt = now
        let received = state.received.values.reduce(0, +)
        let total = state.totals.values.reduce(0, +)
        let fresh = received - min(received, state.resumed.values.reduce(0, +))
        let seconds = Double((now - state.begun).components.seconds) + 0.001
        let rate = UInt64(Double(fresh) / seconds)
        var text = "fetch: \(received >> 20) MiB"
        if total > 0 { text += " of \(total >> 20) MiB" }
        text += ", \(rate >> 10) KiB/s"
        if total > received, rate > 0 { text += ", \(Self.clock((total - received) / rate)) left" }
        if Console.isInteractive {
            Console.progress(text)
            state.isLineShown = true
        } else {
            Console.error(text)
        }
    }

    private static func clock(_ seconds: UInt64) -> String {
        "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
    }
}
