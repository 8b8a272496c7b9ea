internal import Artefact
internal import SystemPackage

/// Finds out what there is on this host; changes nothing.
public struct HostProbe: Sendable {
    private let distribution: Distribution
    private let goal: HostGoal
    /// What runs a program as root.
    private let elevation: [String]?

    /// Prepares a probe.
    ///
    /// - Parameters:
    ///   - distribution: The family that the host belongs to.
    ///   - goal: What the facts are for.
    ///   - elevation: What runs a program as root without asking anything of the user: nothing for root, `nil` where
    ///     there is no such thing.
    public init(_ distribution: Distribution, _ goal: HostGoal, elevation: [String]?) {
        self.distribution = distribution
        self.goal = goal
        self.elevation = elevation
    }

    /// Gathers the facts.
    ///
    /// - Throws: ``MachineError`` when a program that is there does not answer; `CancellationError`.
    public func facts() async throws -> HostFacts {
        var facts = HostFacts()
        facts.packages = try await installedPackages()
        facts.serviceManager = Self.serviceManager
        facts.services = try await services(facts.serviceManager)
        if let user = goal.user, let account = HostAccount(named: user) {
            facts.groups = Set(["kvm", LibvirtConnection.group].filter(account.isMember(ofGroup:)))
        }
        facts.hasTAP = HostFile.exists("/sys/class/misc/tun")
        if goal.connection.daemon == .system {
            (facts.daemon, facts.network) = try await Self.network(goal.connection)
            if facts.daemon == .refuses, let elevation, let first = elevation.first {
                (facts.daemon, facts.network) = try await Self.network(goal.connection) { command in
                    let words = elevation.dropFirst() + ["env", "LC_ALL=C", "virsh"] + goal.connection.virsh(command)
                    return try await HostProgram.ask(first, Array(words))
                }
            }
            if goal.firewall { facts.firewall = try await firewall() }
        }
        return facts
    }

    /// What starts services here.
    static var serviceManager: HostFacts.ServiceManager {
        if HostFile.exists("/run/systemd/system") { return .systemd }
        return HostFile.exists("/run/openrc") ? .openRC : .none
    }

    private func installedPackages() async throws -> Set<String> {
        let names = distribution.packages.flatMap { [$0.name] + $0.substitutes }
        switch distribution {
        case .debian:
            let answer = try await HostProgram.ask(
                "dpkg-query", ["-W", "-f", "${db:Status-Status} ${Package}\\n"] + names)
            return Self.installed(inStatus: answer?.output ?? "")
        case .arch:
            // Names those that nothing installed provides, and ends with 127 where there are any.
            guard let answer = try await HostProgram.ask("pacman", ["-T"] + names), [0, 127].contains(answer.exitCode)
            else {
                return []
            }
            return Set(names).subtracting(answer.output.split(whereSeparator: \.isNewline).map(String.init))
        case .fedora: return try await names.filtered { ("rpm", ["-q", "--quiet", "--whatprovides", $0]) }
        case .alpine: return try await names.filtered { ("apk", ["info", "-e", "--quiet", $0]) }
        }
    }

    /// Reads lines of a status and a package each, as `dpkg-query` prints them.
    static func installed(inStatus text: String) -> Set<String> {
        Set(
            text.split(whereSeparator: \.isNewline).compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 2 && words[0] == "installed" ? String(words[1]) : nil
            })
    }

    private func services(_ manager: HostFacts.ServiceManager) async throws -> [String: HostFacts.Service] {
        var services: [String: HostFacts.Service] = [:]
        switch manager {
        case .none: break
        case .systemd:
            for name in HostPlan.singleDaemon + HostPlan.splitDaemons {
                services[name] = HostFacts.Service(
                    isRunning: try await succeeds("systemctl", ["is-active", "--quiet", name]),
                    isEnabled: try await succeeds("systemctl", ["is-enabled", "--quiet", name]))
            }
        case .openRC:
            let runlevels = (try? HostFile.names(in: "/etc/runlevels")) ?? []
            for name in HostPlan.openRCServices {
                services[name] = HostFacts.Service(
                    isRunning: try await succeeds("rc-service", [name, "status"]),
                    isEnabled: runlevels.contains { HostFile.exists(FilePath("/etc/runlevels/\($0)/\(name)")) })
            }
        }
        return services
    }

    /// Whether the daemon answers, and the state of its network `default`; over the socket that everybody may use.
    static func network(
        _ connection: LibvirtConnection
    ) async throws -> (daemon: HostFacts.Daemon, network: HostFacts.Network?) {
        try await network(connection) { try await connection.ask($0, readOnly: true) }
    }

    private static func network(
        _ connection: LibvirtConnection, ask: ([String]) async throws -> HostProgram.Outcome?
    ) async throws -> (daemon: HostFacts.Daemon, network: HostFacts.Network?) {
        guard let answer = try await ask(["net-list", "--all", "--name"]) else { return (.silent, nil) }
        guard answer.succeeded else {
            // A question that sudo turned away has not reached the daemon, which refused the one before.
            switch LibvirtRefusal(message: answer.complaint) {
            case .notRunning: return (.silent, nil)
            case .notPermitted, .noPolkit: return (.refuses, nil)
            case .other(let message): return (message.hasPrefix("sudo: ") ? .refuses : .silent, nil)
            }
        }
        let names = answer.output.split(whereSeparator: \.isNewline).map { $0.trimmed }
        guard names.contains("default"), let told = try await ask(["net-info", "default"]), told.succeeded else {
            return (.answers, nil)
        }
        return (.answers, HostFacts.Network(information: told.output))
    }

    private func firewall() async throws -> HostFacts.Firewall {
        guard await HostProgram.find("ufw") != nil,
            let settings = try? HostFile.read("/etc/ufw/ufw.conf", limit: 1 << 20),
            Self.isEnabled(ufwSettings: String(decoding: settings, as: UTF8.self))
        else { return .inactive }
        // Only root can read the rules.
        guard let words = elevation.map({ $0 + ["ufw", "show", "added"] }), let program = words.first,
            let answer = try await HostProgram.ask(program, Array(words.dropFirst())), answer.succeeded
        else { return .active(rules: nil) }
        return .active(rules: Set(answer.output.split(whereSeparator: \.isNewline).map { $0.trimmed }))
    }

    /// Whether `/etc/ufw/ufw.conf` switches the firewall on.
    static func isEnabled(ufwSettings text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { $0.trimmed.lowercased() == "enabled=yes" }
    }

    private func succeeds(_ program: String, _ arguments: [String]) async throws -> Bool {
        try await HostProgram.ask(program, arguments)?.succeeded ?? false
    }
}

extension HostFacts.Network {
    /// Reads what `virsh net-info` prints: `KEY: VALUE`, one a line.
    init(information text: String) {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].trimmed] = line[line.index(after: colon)...].trimmed
        }
        let bridge = fields["Bridge"] ?? ""
        self.init(
            isActive: fields["Active"] == "yes", isAutostarted: fields["Autostart"] == "yes",
            bridge: bridge.isEmpty ? nil : bridge)
    }
}

extension [String] {
    /// Those for which a program ends with 0; none where it is not installed.
    fileprivate func filtered(_ question: (String) -> (String, [String])) async throws -> Set<String> {
        var kept: Set<String> = []
        for name in self {
            let (program, arguments) = question(name)
            guard let answer = try await HostProgram.ask(program, arguments) else { return [] }
            if answer.succeeded { kept.insert(name) }
        }
        return kept
    }
}

extension Substring {
    /// The text without blanks at its ends.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
