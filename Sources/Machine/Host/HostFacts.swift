/// What there is on a host of what virtual machines need.
public struct HostFacts: Hashable, Sendable {
    /// What starts the host's services.
    public enum ServiceManager: String, Hashable, Sendable {
        /// systemd: `/run/systemd/system` is there.
        case systemd
        /// OpenRC: `/run/openrc` is there.
        case openRC
        /// Neither.
        case none
    }

    /// The state of a service.
    public struct Service: Hashable, Sendable {
        /// Whether it runs, or is started when somebody connects.
        public var isRunning: Bool
        /// Whether it starts with the host.
        public var isEnabled: Bool

        /// Describes a service; one of which nothing is known is neither.
        public init(isRunning: Bool = false, isEnabled: Bool = false) {
            self.isRunning = isRunning
            self.isEnabled = isEnabled
        }
    }

    /// What became of asking the libvirt daemon.
    public enum Daemon: Hashable, Sendable {
        /// It answers.
        case answers
        /// It runs, and tells this user nothing.
        case refuses
        /// It does not run, or nothing is there to ask it with.
        case silent
    }

    /// The state of libvirt's network `default`.
    public struct Network: Hashable, Sendable {
        /// Whether it is up.
        public var isActive: Bool
        /// Whether it starts with the daemon.
        public var isAutostarted: Bool
        /// The name of its bridge.
        public var bridge: String?

        /// Describes a network that is defined.
        public init(isActive: Bool, isAutostarted: Bool, bridge: String?) {
            self.isActive = isActive
            self.isAutostarted = isAutostarted
            self.bridge = bridge
        }
    }

    /// The state of the firewall UFW.
    public enum Firewall: Hashable, Sendable {
        /// UFW is not installed, or switched off.
        case inactive
        /// It filters by these rules, each as the command that adds it; `nil` where only root could tell.
        case active(rules: Set<String>?)
    }

    /// The packages that are there, of those that were asked for.
    public var packages: Set<String> = []
    /// What starts services.
    public var serviceManager = ServiceManager.none
    /// The services that are known to the service manager, by their names.
    public var services: [String: Service] = [:]
    /// The groups that the user is in, by the host's databases.
    public var groups: Set<String> = []
    /// The libvirt daemon.
    public var daemon = Daemon.silent
    /// The network `default`; `nil` where it is not defined, or nobody could be asked.
    public var network: Network?
    /// The firewall.
    public var firewall = Firewall.inactive
    /// Whether the kernel can make TAP devices without further ado.
    public var hasTAP = false

    /// A bare host.
    public init() {}
}
