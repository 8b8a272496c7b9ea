internal import Node

/// The environment variable that a setting has in releases that read no configuration file.
///
/// It is the flag in capitals, with `KUBESOLO_` before it. Settings and variables go together as in KubeSolo's
/// `internal/config/registry.go`.
struct KubeSoloVariable {
    /// Without `KUBESOLO_`.
    let name: String
    /// The first release that knows it, where that is known to be newer than the first one that runs on Alpine.
    let since: KubeSoloVersion?

    private init(_ name: String, since: KubeSoloVersion? = nil) {
        self.name = name
        self.since = since
    }

    /// The variables of all settings that have one.
    static let all: [String: KubeSoloVariable] = [
        "d2k.enabled": .init("D2K"),
        "d2k.namespace": .init("D2K_NAMESPACE"),
        "kubernetes.apiServer.extraSANs": .init("APISERVER_EXTRA_SANS"),
        "kubernetes.apiServer.startupTimeoutSeconds": .init("STARTUP_TIMEOUT"),
        "kubernetes.kubelet.cpuManager.policy": .init("CPU_MANAGER_POLICY"),
        "kubernetes.kubelet.cpuManager.policyOptions": .init("CPU_MANAGER_POLICY_OPTIONS"),
        "kubernetes.kubelet.cpuManager.reservedCPUs": .init("RESERVED_CPUS"),
        "kubernetes.kubelet.systemReserved": .init("SYSTEM_RESERVED"),
        "logging.debug": .init("DEBUG"),
        "logging.pprof": .init("PPROF_SERVER"),
        "metrics.bindAddress": .init("METRICS_BIND_ADDRESS"),
        "metrics.enabled": .init("METRICS_SERVER"),
        "network.disableIPv6": .init("DISABLE_IPV6"),
        "network.loadBalancer.enabled": .init("LOAD_BALANCER"),
        "network.loadBalancer.ip": .init("LOAD_BALANCER_IP"),
        "network.mtu": .init("MTU"),
        "network.nodeIP": .init("NODE_IP", since: KubeSoloVersion(major: 1, minor: 1, patch: 8)),
        "portainer.async": .init("PORTAINER_EDGE_ASYNC"),
        "portainer.edgeID": .init("PORTAINER_EDGE_ID"),
        "portainer.edgeKey": .init("PORTAINER_EDGE_KEY"),
        "portainer.image": .init("PORTAINER_EDGE_IMAGE"),
        "runtime.containerMode": .init("CONTAINER_MODE"),
        "runtime.endpoint": .init("CONTAINER_RUNTIME_ENDPOINT"),
        "storage.dbWALRepair": .init("DB_WAL_REPAIR", since: KubeSoloVersion(major: 1, minor: 1, patch: 5)),
        "storage.localPath.enabled": .init("LOCAL_STORAGE"),
        "storage.localPath.sharedPath": .init("LOCAL_STORAGE_SHARED_PATH"),
    ]

    /// The settings that are mappings themselves: their keys are data.
    private static let mappings: Set = [
        "kubernetes.kubelet.cpuManager.policyOptions", "kubernetes.kubelet.systemReserved",
    ]

    /// The variables for what a recipe sets, in its order.
    ///
    /// - Throws: ``OverlayError`` for a setting that the release has no variable for, and for a value that no variable
    ///   can hold.
    static func assignments(
        _ configuration: [ConfigValue.Pair], version: KubeSoloVersion
    ) throws(OverlayError) -> [(name: String, value: String)] {
        var assignments: [(name: String, value: String)] = []
        for (path, value) in try leaves(.mapping(configuration), below: "") where path != "path" {
            guard let variable = all[path] else {
                throw OverlayError(
                    .unknownSetting, subject: "kubesolo.config.\(path)",
                    detail:
                        "has no environment variable, and KubeSolo \(version) reads no configuration file; "
                        + "use v1.2.1 or newer, or leave it out")
            }
            if let since = variable.since, version.numbers.lexicographicallyPrecedes(since.numbers) {
                throw OverlayError(
                    .unknownSetting, subject: "kubesolo.config.\(path)",
                    detail: "needs \(since), and KubeSolo \(version) ignores it; use that or newer, or leave it out")
            }
            assignments.append(("KUBESOLO_\(variable.name)", value))
        }
        return assignments
    }

    /// Every leaf with its dotted path; lists become one text with commas and mappings `KEY=VALUE` with commas, as
    /// KubeSolo's flags take them.
    private static func leaves(_ value: ConfigValue, below path: String) throws(OverlayError) -> [(String, String)] {
        guard case .mapping(let pairs) = value else { return text(value).map { [(path, $0)] } ?? [] }
        if mappings.contains(path) { return [(path, try keyValues(pairs, at: path))] }
        var found: [(String, String)] = []
        for pair in pairs { found += try leaves(pair.value, below: path.isEmpty ? pair.key : "\(path).\(pair.key)") }
        return found
    }

    /// A mapping, sorted by its keys.
    private static func keyValues(_ pairs: [ConfigValue.Pair], at path: String) throws(OverlayError) -> String {
        var words: [String] = []
        for pair in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let value = text(pair.value) ?? ""
            guard !pair.key.contains(where: { $0 == "," || $0 == "=" }), !value.contains(",") else {
                throw OverlayError(
                    .invalidValue, subject: "kubesolo.config.\(path).\(pair.key)",
                    detail:
                        "holds a comma or an equals sign, which separate the entries of its environment variable; "
                        + "use KubeSolo v1.2.1 or newer, which reads a file")
            }
            words.append("\(pair.key)=\(value)")
        }
        return words.joined(separator: ",")
    }

    private static func text(_ value: ConfigValue) -> String? {
        switch value {
        case .null: nil
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .real(let value): "\(value)"
        case .string(let value): value
        case .sequence(let values): values.compactMap(text).joined(separator: ",")
        case .mapping: nil
        }
    }
}
