/// What a boot test looks at, in the order of its report.
public enum BootAssertion: String, Hashable, Sendable, CaseIterable {
    /// Alpine's init found the overlay and applied it: the node reports name and version of this very build.
    case overlayApplied = "overlay applied"
    /// The node has the host name of the recipe.
    case hostname = "hostname"
    /// An interface has an IPv4 address.
    case networkAddress = "network address"
    /// The data disk is mounted.
    case dataMounted = "data mounted"
    /// The node has an SSH host key and says where it comes from.
    case hostKey = "host key"
    /// KubeSolo's binary is on the data disk, with the digest that the overlay pins.
    case binaryStaged = "binary staged"
    /// KubeSolo was started.
    case kubesoloStarted = "kubesolo started"
    /// KubeSolo reports that it is healthy.
    case kubesoloHealthy = "kubesolo healthy"
    /// The default runlevel is complete.
    case bootComplete = "boot complete"
    /// The SSH server answers, with the host key that the serial line reported.
    case sshReachable = "ssh reachable"
    /// The Kubernetes API port answers.
    case apiReachable = "API reachable"
    /// The node powers itself off when its power button is pressed.
    case acpiShutdown = "ACPI shutdown"
}

/// What a boot test wants of an assertion.
public enum ExpectedOutcome: String, Hashable, Sendable {
    /// It must hold.
    case holds
    /// The node must say that it does not: a service that refuses, not one that never speaks.
    case refused
    /// It is not looked at.
    case notAsked
}

/// What a node is expected to be.
public struct BootExpectations: Hashable, Sendable {
    /// The name in the node's release line.
    public var name: String
    /// The version in the node's release line.
    public var version: String
    /// The host name.
    public var hostname: String
    /// A static address in CIDR form; `nil` takes whatever address comes.
    public var address: String?
    /// Where the host key must come from: `kept`, `made`, `fresh`; `nil` takes any.
    public var hostKeyState: String?
    /// Whether a node that says it is not healthy has decided that; it may still become so later.
    public var isUnhealthyFinal = false
    /// Assertions that are not expected to hold.
    public var outcomes: [BootAssertion: ExpectedOutcome]

    /// Expects a node that is well.
    public init(
        name: String, version: String, hostname: String, address: String? = nil, hostKeyState: String? = nil,
        outcomes: [BootAssertion: ExpectedOutcome] = [:]
    ) {
        self.name = name
        self.version = version
        self.hostname = hostname
        self.address = address
        self.hostKeyState = hostKeyState
        self.outcomes = outcomes
    }

    /// What is expected of an assertion.
    public func outcome(_ assertion: BootAssertion) -> ExpectedOutcome { outcomes[assertion] ?? .holds }
}

/// What is known about an assertion at one moment, and from what.
public enum BootVerdict: Hashable, Sendable {
    /// Nothing decides it yet; what there is so far is told.
    case pending(String)
    /// It holds.
    case holds(String)
    /// The node says that it does not hold.
    case refused(String)

    /// What it rests on.
    public var evidence: String {
        switch self {
        case .pending(let text), .holds(let text), .refused(let text): text
        }
    }
}

/// Judges the assertions that the facts on the serial line decide.
struct BootJudge {
    let expectations: BootExpectations

    /// The assertions that need more than facts.
    static let overTheNetwork: Set<BootAssertion> = [.sshReachable, .apiReachable, .acpiShutdown]

    /// What the facts say about an assertion, and when they first said so.
    func verdict(_ assertion: BootAssertion, _ facts: [SerialFact]) -> (BootVerdict, Duration?) {
        switch assertion {
        case .overlayApplied:
            return compare(facts, "release", ["name": expectations.name, "version": expectations.version])
        case .hostname: return compare(facts, "release", ["hostname": expectations.hostname])
        case .networkAddress: return address(facts)
        case .dataMounted:
            return state(facts, "data", holds: ["mounted", "formatted"], refused: ["missing", "refused"])
        case .hostKey: return hostKey(facts)
        case .binaryStaged:
            // Where the data disk is refused, staging is not even tried: KubeSolo's own refusal stands for it.
            let service = state(facts, "kubesolo", holds: [], refused: ["refused"])
            let stage = state(facts, "stage", holds: ["ready"], refused: ["refused"])
            if stage.1 == nil, case .refused = service.0 { return service }
            return stage
        case .kubesoloStarted: return state(facts, "kubesolo", holds: ["starting"], refused: ["refused"])
        case .kubesoloHealthy:
            let service = state(facts, "kubesolo", holds: [], refused: ["refused"])
            if case .refused = service.0 { return service }
            return state(
                facts, "health", holds: ["healthy"],
                refused: expectations.isUnhealthyFinal ? ["unhealthy"] : [])
        case .bootComplete: return state(facts, "boot", holds: ["complete"], refused: [])
        case .sshReachable, .acpiShutdown: return (.pending(""), nil)
        case .apiReachable:
            let service = state(facts, "kubesolo", holds: [], refused: ["refused"])
            if case .refused = service.0 { return service }
            return (.pending(""), nil)
        }
    }

    /// The latest `state` of a subject decides.
    private func state(
        _ facts: [SerialFact], _ subject: String, holds: Set<String>, refused: Set<String>
    ) -> (BootVerdict, Duration?) {
        guard let fact = facts.last(where: { $0.subject == subject }) else { return (.pending(""), nil) }
        let state = fact["state"] ?? ""
        if holds.contains(state) { return (.holds(fact.description), fact.time) }
        return (refused.contains(state) ? .refused(fact.description) : .pending(fact.description), fact.time)
    }

    private func compare(
        _ facts: [SerialFact], _ subject: String, _ expected: [String: String]
    ) -> (BootVerdict, Duration?) {
        guard let fact = facts.last(where: { $0.subject == subject }) else { return (.pending(""), nil) }
        let wrong = expected.keys.sorted().filter { fact[$0] != expected[$0] }
        guard !wrong.isEmpty else { return (.holds(fact.description), fact.time) }
        let wanted = wrong.map { "\($0)=\(expected[$0] ?? "")" }.joined(separator: " ")
        return (.refused("\(fact.description); expected \(wanted)"), fact.time)
    }

    private func address(_ facts: [SerialFact]) -> (BootVerdict, Duration?) {
        let reported = facts.filter { $0.subject == "address" }
        let usable = reported.filter { fact in
            guard let address = fact["ipv4"], !address.isEmpty else { return false }
            if let expected = expectations.address { return address == expected }
            return !address.hasPrefix("169.254.") && !address.hasPrefix("127.")
        }
        if let fact = usable.first { return (.holds(fact.description), fact.time) }
        guard let last = reported.last else { return (.pending(""), nil) }
        let wanted = expectations.address.map { "; expected ipv4=\($0)" } ?? ""
        return (.pending(last.description + wanted), last.time)
    }

    private func hostKey(_ facts: [SerialFact]) -> (BootVerdict, Duration?) {
        guard let fact = facts.last(where: { $0.subject == "hostkey" }) else { return (.pending(""), nil) }
        guard let fingerprint = fact["fingerprint"], fingerprint.hasPrefix("SHA256:") else {
            return (.refused("\(fact.description); expected a SHA256 fingerprint"), fact.time)
        }
        if let wanted = expectations.hostKeyState, fact["state"] != wanted {
            return (.refused("\(fact.description); expected state=\(wanted)"), fact.time)
        }
        return (.holds(fact.description), fact.time)
    }
}
