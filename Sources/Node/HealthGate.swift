/// When a node counts as healthy.
///
/// What is asked is what KubeSolo's own upgrades ask (`internal/upgrade/executor/health.go`): the API server is ready, the
/// node is ready and of this version, CoreDNS is ready.
public struct HealthGate: Hashable, Sendable {
    /// The time in seconds, from when the gate begins to ask, after which the node counts as unhealthy.
    public var timeout: Int
    /// The time in seconds for which all must hold under one process.
    public var stable: Int

    /// Makes a gate; the defaults are those of KubeSolo's own upgrades.
    public init(timeout: Int = 600, stable: Int = 30) {
        self.timeout = timeout
        self.stable = stable
    }
}
