/// What is to be prepared on a host.
public struct HostGoal: Hashable, Sendable {
    /// The daemon that is to run virtual machines.
    public var connection: LibvirtConnection
    /// The user who is to use them, unless that is root.
    public var user: String?
    /// Whether rules of the firewall are added.
    public var firewall: Bool

    /// Describes a goal.
    public init(connection: LibvirtConnection, user: String?, firewall: Bool) {
        self.connection = connection
        self.user = user
        self.firewall = firewall
    }
}

/// The steps that bring a host to where virtual machines can run, in their order; those that were done are marked.
///
/// It is a pure function of its arguments: nothing is asked and nothing changed.
public struct HostPlan: Hashable, Sendable {
    /// All steps.
    public let steps: [HostStep]

    /// The steps that are yet to be done.
    public var open: [HostStep] { steps.filter { !$0.isDone } }

    /// Plans the way from facts to a goal.
    public init(_ distribution: Distribution, _ goal: HostGoal, _ facts: HostFacts) {
        var steps = Self.packages(distribution, goal, facts)
        if goal.connection.daemon == .system {
            steps += Self.kernel(distribution, facts)
            steps += Self.services(distribution, facts)
        }
        steps += Self.groups(distribution, goal, facts)
        if goal.connection.daemon == .system {
            steps += Self.network(goal.connection, facts)
            if goal.firewall { steps += Self.firewall(facts) }
        }
        self.steps = steps
    }

    private static func packages(_ distribution: Distribution, _ goal: HostGoal, _ facts: HostFacts) -> [HostStep] {
        let needed = distribution.packages.filter { goal.connection.daemon == .system || !$0.isForSystem }
        let missing = needed.filter { !$0.isInstalled(among: facts.packages) }
        let evidence = "the package database has them"
        var steps: [HostStep] = []
        if distribution == .debian && !missing.isEmpty {
            steps.append(
                HostStep(
                    "package lists", "update the package lists", why: "packages are looked up in them",
                    .run(["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"], input: nil), evidence: evidence,
                    isDone: false, isVerifiable: false,
                    advice: "see that the host reaches its package servers"))
        }
        let names = (missing.isEmpty ? needed : missing).map(\.name)
        steps.append(
            HostStep(
                "packages", "install packages", why: "QEMU, its firmware, libvirt, and what libvirt's network needs",
                .run(distribution.installing(names), input: nil), evidence: evidence, isDone: missing.isEmpty,
                advice: distribution.packageAdvice))
        return steps
    }

    /// Everywhere but on Alpine opening `/dev/net/tun` loads the module; there libvirt's package has it loaded from the
    /// next start of the host on.
    private static func kernel(_ distribution: Distribution, _ facts: HostFacts) -> [HostStep] {
        guard distribution == .alpine else { return [] }
        return [
            HostStep(
                "kernel module", "load the kernel module tun",
                why: "the network cards of virtual machines are TAP devices",
                .run(["modprobe", "tun"], input: nil), evidence: "/sys/class/misc/tun is there", isDone: facts.hasTAP,
                advice: "where the kernel was updated, restart the host")
        ]
    }

    private static func groups(_ distribution: Distribution, _ goal: HostGoal, _ facts: HostFacts) -> [HostStep] {
        guard let user = goal.user else { return [] }
        var groups = [("kvm", "its members may use /dev/kvm")]
        if goal.connection.daemon == .system {
            groups.insert((LibvirtConnection.group, "its members may use \(goal.connection)"), at: 0)
        }
        return groups.map { group, why in
            let words = distribution == .alpine ? ["addgroup", user, group] : ["usermod", "-aG", group, user]
            return HostStep(
                "group \(group)", "add \(user) to the group \(group)", why: why, .run(words, input: nil),
                evidence: "the group database has it", isDone: facts.groups.contains(group))
        }
    }

    private static func network(_ connection: LibvirtConnection, _ facts: HostFacts) -> [HostStep] {
        let network = facts.network
        func virsh(
            _ command: [String], _ what: String, why: String, input: String? = nil, isDone: Bool, advice: String? = nil
        ) -> HostStep {
            HostStep(
                command[0], what, why: why,
                .run(["env", "LC_ALL=C", "virsh"] + connection.virsh(command), input: input),
                evidence: "virsh net-info default says so", isDone: isDone, isVerifiable: facts.daemon != .refuses,
                advice: advice)
        }
        return [
            virsh(
                ["net-define", "/dev/stdin"], "define libvirt's network 'default'",
                why: "virtual machines get their addresses in it", input: defaultNetwork, isDone: network != nil),
            virsh(
                ["net-autostart", "default"], "start the network with the daemon",
                why: "it is there again after the host has restarted", isDone: network?.isAutostarted ?? false),
            virsh(
                ["net-start", "default"], "start the network", why: "a virtual machine does not start without it",
                isDone: network?.isActive ?? false,
                advice:
                    "where 192.168.122.0/24 is in use already, give it another one: virsh -c \(connection) net-edit "
                    + "default"),
        ]
    }

    /// The network as libvirt's own packages define it.
    private static let defaultNetwork = """
        <network>
          <name>default</name>
          <forward mode='nat'/>
          <bridge name='virbr0' stp='on' delay='0'/>
          <ip address='192.168.122.1' netmask='255.255.255.0'>
            <dhcp>
              <range start='192.168.122.2' end='192.168.122.254'/>
            </dhcp>
          </ip>
        </network>

        """

    /// UFW drops what it was not told of, also between the bridge and libvirt's own DHCP and DNS server.
    ///
    /// Answers to what a machine has asked for pass by UFW's own rules; nothing else is let in to a machine.
    private static func firewall(_ facts: HostFacts) -> [HostStep] {
        guard case .active(let rules) = facts.firewall else { return [] }
        let bridge = facts.network?.bridge ?? "virbr0"
        let wanted = [
            ("allow in on \(bridge) to any port 67 proto udp", "virtual machines ask for their addresses (DHCP)"),
            ("allow in on \(bridge) to any port 53 proto udp", "virtual machines look up names (DNS)"),
            ("allow in on \(bridge) to any port 53 proto tcp", "long answers to that come by TCP"),
            ("route allow in on \(bridge)", "virtual machines reach what the host reaches"),
        ]
        return wanted.map { rule, why in
            HostStep(
                "ufw \(rule)", "let UFW \(rule)", why: why,
                .run(["ufw"] + rule.split(separator: " ").map(String.init), input: nil),
                evidence: "ufw show added lists it", isDone: rules?.contains("ufw \(rule)") ?? false,
                isVerifiable: rules != nil)
        }
    }
}
