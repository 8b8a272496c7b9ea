internal import SystemPackage

/// What a node is to be, once it is up.
public struct NodeRelease: Codable, Hashable, Sendable {
    /// The version of its bundle.
    public var version: String
    /// The name in its release line.
    public var name: String

    /// Joins the two.
    public init(version: String, name: String) {
        self.version = version
        self.name = name
    }
}

/// Waits until a node that was started is healthy, or is known not to become so.
struct NodeWatch: Sendable {
    /// How it ended.
    enum Outcome: Hashable, Sendable {
        /// It is healthy; the node's own line.
        case healthy(evidence: String)
        /// It is not, why, and the node's last line about it.
        case failed(why: String, evidence: String)
    }

    let machine: any Hypervisor
    let log: ConsoleLog
    let release: NodeRelease
    /// The longest time.
    let limit: Duration
    /// Whether the user wants to end it.
    let isInterrupted: @Sendable () -> Bool

    /// How often the log is read, and how often whoever runs the machine is asked.
    private static let interval = Duration.milliseconds(250)
    private static let askedEvery = 12

    /// Waits.
    ///
    /// - Parameter progress: Told of each fact when it comes.
    /// - Returns: How it ended, and what the console said last.
    /// - Throws: ``MachineError`` with ``MachineError/Code/interrupted``; the machine goes on then.
    func untilHealthy(_ progress: (SerialFact) -> Void) async throws -> (outcome: Outcome, tail: [String]) {
        let clock = ContinuousClock()
        let begin = clock.now
        var offset = log.start
        var record = SerialRecord()
        var told = 0
        for round in 0... {
            while true {
                // A log that was begun anew, by whoever keeps it, is read from its start.
                if log.size < offset { offset = 0 }
                let bytes = try log.read(from: offset)
                if bytes.isEmpty || clock.now - begin >= limit { break }
                offset += UInt64(bytes.count)
                record.take(bytes, at: clock.now - begin)
            }
            for fact in record.facts.dropFirst(told) { progress(fact) }
            told = record.facts.count
            if let outcome = judge(record) { return (outcome, record.shownTail) }
            if round % Self.askedEvery == Self.askedEvery - 1 {
                switch try await state() {
                case nil, .running?: break
                case let state?:
                    return (.failed(why: "the machine is \(state)", evidence: health(record)), record.shownTail)
                }
            }
            guard clock.now - begin < limit else {
                return (
                    .failed(why: "not healthy within \(limit.secondsText) s", evidence: health(record)),
                    record.shownTail
                )
            }
            guard !isInterrupted() else {
                throw MachineError(
                    .interrupted, subject: release.version, detail: "is being waited for no longer; the machine goes on"
                )
            }
            try await Task.sleep(for: Self.interval)
        }
        return (.failed(why: "", evidence: ""), [])
    }

    /// What the machine is doing; `nil` while nobody answers who would know: a daemon that is started anew leaves its
    /// machines alone.
    private func state() async throws -> MachineState? {
        do {
            return try await machine.state()
        } catch let error as MachineError where error.code == .hostUnavailable {
            return nil
        }
    }

    private func health(_ record: SerialRecord) -> String { record.latest("health")?.description ?? "" }

    /// What the facts so far come to; `nil` while they decide nothing.
    private func judge(_ record: SerialRecord) -> Outcome? { Self.judge(record, release) }

    /// What the facts of a record come to for a release; `nil` while they decide nothing.
    static func judge(_ record: SerialRecord, _ release: NodeRelease) -> Outcome? {
        if let fact = record.latest("release"), fact["version"] != release.version || fact["name"] != release.name {
            return .failed(
                why:
                    "the node is \(fact["name"] ?? "?") \(fact["version"] ?? "?"), not \(release.name) \(release.version)",
                evidence: fact.description)
        }
        if let failure = record.failure { return .failed(why: failure.description, evidence: failure.line) }
        if let fact = record.latest("kubesolo"), fact["state"] == "refused" {
            return .failed(why: "KubeSolo was not started: \(fact["reason"] ?? "")", evidence: fact.description)
        }
        guard let fact = record.latest("health"), fact["release"] ?? release.version == release.version else {
            return nil
        }
        switch fact["state"] {
        case "healthy": return .healthy(evidence: fact.description)
        case "unhealthy":
            return .failed(
                why: "the node says that it is not healthy: \(fact["reason"] ?? "")", evidence: fact.description)
        default: return nil
        }
    }
}
