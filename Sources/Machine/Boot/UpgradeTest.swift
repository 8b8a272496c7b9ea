internal import FoundationEssentials

/// An upgrade as a node goes through it: the old release until it is healthy, the new one on the same data disk, and the
/// old one again where the new one is not well.
public struct UpgradeTest: Sendable {
    /// A release, the machine that boots it and what is expected of it.
    public struct Release: Sendable {
        /// The machine.
        public var machine: BootMachine
        /// What is expected.
        public var test: BootTest

        /// Joins the two.
        public init(machine: BootMachine, test: BootTest) {
            self.machine = machine
            self.test = test
        }

        /// The version.
        public var version: String { test.expectations.version }
    }

    /// What the upgrade comes to, step by step; whoever keeps the books acts on it before the next step.
    public enum Step: Hashable, Sendable {
        /// A release was healthy; the evidence is the node's own line.
        case proven(version: String, evidence: String)
        /// The medium of the new release comes in the place of the old one's.
        case switched(version: String)
        /// The new release was not healthy, and why; the old one's medium comes back.
        case failed(version: String, why: String, evidence: String)
    }

    /// How it ended.
    public enum Outcome: String, Hashable, Sendable {
        /// The new release is healthy.
        case upgraded
        /// The new release was not, and the old one is healthy again.
        case returned
        /// Neither is.
        case lost
        /// The old release was not healthy to begin with.
        case notBegun = "not-begun"
    }

    /// The old release.
    public var from: Release
    /// The new release.
    public var to: Release

    /// Names both; their machines must have the same data disk, which is kept.
    public init(from: Release, to: Release) {
        self.from = from
        self.to = to
        self.to.test.isImpatient = true
        self.to.test.expectations.isUnhealthyFinal = true
    }

    /// Goes through the upgrade.
    ///
    /// - Parameters:
    ///   - accelerator: What runs the machines.
    ///   - progress: Told of each boot's version, and of each assertion when it is first decided.
    ///   - take: Acts on each step.
    /// - Returns: How it ended, with the report of each boot.
    /// - Throws: ``MachineError`` when a boot could not be carried out, or what the closures throw.
    public func run(
        accelerator: Accelerator, progress: @Sendable (String, AssertionResult) -> Void = { _, _ in },
        take: (Step) async throws -> Void
    ) async throws -> UpgradeReport {
        func boot(_ release: Release) async throws -> BootReport {
            try await release.test.run(
                release.machine, accelerator: accelerator, progress: { progress(release.version, $0) })
        }
        let before = try await boot(from)
        guard before.isHealthy else { return UpgradeReport(outcome: .notBegun, boots: [before]) }
        try await take(.proven(version: from.version, evidence: before.healthLine))
        try await take(.switched(version: to.version))
        let after = try await boot(to)
        if after.isHealthy {
            try await take(.proven(version: to.version, evidence: after.healthLine))
            return UpgradeReport(outcome: .upgraded, boots: [before, after])
        }
        try await take(.failed(version: to.version, why: after.reason, evidence: after.healthLine))
        let back = try await boot(from)
        return UpgradeReport(outcome: back.isHealthy ? .returned : .lost, boots: [before, after, back])
    }
}

/// How an upgrade ended, with the report of each boot.
public struct UpgradeReport: Sendable {
    /// How it ended.
    public let outcome: UpgradeTest.Outcome
    /// The boots, in order: the old release, the new one, and the old one again where it came to that.
    public let boots: [BootReport]

    /// The error that stands for an upgrade that did not come about.
    public var failure: MachineError? {
        let blamed = outcome == .notBegun ? boots.first : boots.dropFirst().first
        guard outcome != .upgraded, let failure = blamed?.failure else { return nil }
        let old = boots.first?.expectations.version ?? ""
        let end =
            switch outcome {
            case .returned: "; \(old) is live again and healthy"
            case .lost: "; \(old) is live again, and \(boots.last?.reason ?? "not healthy")"
            case .upgraded, .notBegun: "; nothing was switched"
            }
        return MachineError(failure.code, subject: failure.subject, detail: failure.detail + end)
    }

    /// The report as JSON: `outcome` and `boots`.
    public var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let document = Document(outcome: outcome.rawValue, boots: boots.map(BootReport.Document.init))
            return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
        }
    }

    private struct Document: Encodable {
        let outcome: String
        let boots: [BootReport.Document]
    }
}

extension BootReport {
    /// What the node said of its health, or what is known instead.
    var healthLine: String { self[.kubesoloHealthy]?.evidence ?? "" }

    /// Why the node is not as expected, in a few words.
    var reason: String {
        guard let failed = results.first(where: { $0.state == .failed }) else { return "healthy" }
        return "failed '\(failed.assertion.rawValue)' (\(guestFailure?.description ?? failed.evidence))"
    }
}
