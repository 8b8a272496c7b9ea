internal import FoundationEssentials
public import SystemPackage

/// How one assertion of a boot test came out.
public struct AssertionResult: Hashable, Sendable {
    /// The ways in which it can come out.
    public enum State: String, Hashable, Sendable {
        /// As expected.
        case passed
        /// Otherwise than expected, or not at all in the time there was.
        case failed
        /// It was not looked at.
        case skipped
    }

    /// What was looked at.
    public let assertion: BootAssertion
    /// What was expected of it.
    public let expected: ExpectedOutcome
    /// How it came out.
    public let state: State
    /// The time from the start of the machine to what decided it.
    public let elapsed: Duration?
    /// What decided it.
    public let evidence: String

    /// Joins the parts.
    public init(
        _ assertion: BootAssertion, expected: ExpectedOutcome, state: State, elapsed: Duration?, evidence: String
    ) {
        self.assertion = assertion
        self.expected = expected
        self.state = state
        self.elapsed = elapsed
        self.evidence = evidence
    }
}

/// The outcome of a boot test.
public struct BootReport: Hashable, Sendable {
    /// What was expected.
    public let expectations: BootExpectations
    /// How each assertion came out, in the order of ``BootAssertion``.
    public let results: [AssertionResult]
    /// The time from the start of the machine to the end of the test.
    public let elapsed: Duration
    /// The longest time that the test could have taken to become healthy.
    public let limit: Duration
    /// What ran the machine.
    public let accelerator: Accelerator
    /// The firmware it booted with.
    public let firmware: BootMachine.Firmware
    /// What kept the boot from going on, if anything was recognised.
    public let guestFailure: GuestFailure?
    /// Where everything on the serial line is kept.
    public let serialLog: FilePath
    /// The last lines of the serial line.
    public let consoleTail: [String]

    /// Joins the parts.
    public init(
        expectations: BootExpectations, results: [AssertionResult], elapsed: Duration, limit: Duration,
        accelerator: Accelerator, firmware: BootMachine.Firmware, guestFailure: GuestFailure?, serialLog: FilePath,
        consoleTail: [String]
    ) {
        self.expectations = expectations
        self.results = results
        self.elapsed = elapsed
        self.limit = limit
        self.accelerator = accelerator
        self.firmware = firmware
        self.guestFailure = guestFailure
        self.serialLog = serialLog
        self.consoleTail = consoleTail
    }

    /// How an assertion came out.
    public subscript(assertion: BootAssertion) -> AssertionResult? { results.first { $0.assertion == assertion } }

    /// Whether every assertion came out as expected.
    public var isHealthy: Bool { results.allSatisfy { $0.state != .failed } }

    /// The error that stands for an outcome that is not as expected: its class is ``Artefact/FailureClass/unhealthy``.
    public var failure: MachineError? {
        let failed = results.filter { $0.state == .failed }
        guard let first = failed.first else { return nil }
        let others = failed.count > 1 ? " and \(failed.count - 1) more" : ""
        let why = guestFailure.map(\.description) ?? first.evidence
        return MachineError(
            .unhealthy, subject: "\(expectations.name) \(expectations.version)",
            detail: "failed '\(first.assertion.rawValue)'\(others) (\(why)); the console is in \(serialLog.string)")
    }

    /// The report as a table for a terminal, one assertion a line.
    public var table: String {
        let width = results.map(\.assertion.rawValue.count).max() ?? 0
        var lines = results.map(Self.row(width))
        if let guestFailure { lines.append("the boot ended early: \(guestFailure)") }
        if !isHealthy, !consoleTail.isEmpty {
            lines.append("last lines of the console:")
            lines += consoleTail.suffix(12).map { "    \($0)" }
        }
        lines.append(
            "\(isHealthy ? "healthy" : "NOT healthy") after \(elapsed.secondsText) s"
                + " (\(accelerator.rawValue), \(firmware.rawValue)); console: \(serialLog.string)")
        return lines.map { $0 + "\n" }.joined()
    }

    /// One line of the table, as it can also be shown while the test goes on.
    public static func row(_ width: Int = 16) -> @Sendable (AssertionResult) -> String {
        { result in
            let time = result.elapsed.map { "\($0.secondsText) s" } ?? "-"
            let state = result.state == .failed ? "FAILED" : result.state.rawValue
            let name = result.assertion.rawValue
            let columns = [padded(state, 7), padded(time, 8, onTheLeft: true), padded(name, width), result.evidence]
            var line = columns.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private static func padded(_ text: String, _ width: Int, onTheLeft: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return onTheLeft ? blanks + text : text + blanks
    }

    /// The report as JSON with sorted keys; times are seconds.
    public var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(Document(self)), as: UTF8.self) + "\n"
        }
    }

    /// What is encoded as JSON.
    struct Document: Encodable {
        struct Row: Encodable {
            let assertion: String
            let expected: String
            let state: String
            let elapsed: Double?
            let evidence: String
        }

        let name: String
        let version: String
        let healthy: Bool
        let elapsed: Double
        let accelerator: String
        let firmware: String
        let serialLog: String
        let bootFailure: String?
        let assertions: [Row]

        init(_ report: BootReport) {
            name = report.expectations.name
            version = report.expectations.version
            healthy = report.isHealthy
            elapsed = report.elapsed.milliseconds
            accelerator = report.accelerator.rawValue
            firmware = report.firmware.rawValue
            serialLog = report.serialLog.string
            bootFailure = report.guestFailure?.description
            assertions = report.results.map { result in
                Row(
                    assertion: result.assertion.rawValue, expected: result.expected.rawValue,
                    state: result.state.rawValue, elapsed: result.elapsed?.milliseconds, evidence: result.evidence)
            }
        }
    }
}

extension Duration {
    /// Seconds as a number, rounded down to thousandths.
    var milliseconds: Double {
        let parts = components
        return Double(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000) / 1000
    }
}
