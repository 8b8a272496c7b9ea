import Testing

@testable import Machine

/// What is done on which host, in which order.
@Suite struct HostPlanTests {
    static let goal = HostGoal(connection: .system, user: "ann", firewall: true)

    /// A host on which everything that a distribution needs is there.
    static func complete(_ distribution: Distribution) -> HostFacts {
        var facts = HostFacts()
        facts.packages = Set(distribution.packages.map(\.name))
        facts.serviceManager = distribution == .alpine ? .openRC : .systemd
        for name in HostPlan.wantedServices(distribution, facts) {
            facts.services[name] = HostFacts.Service(isRunning: true, isEnabled: true)
        }
        facts.groups = ["libvirt", "kvm"]
        facts.daemon = .answers
        facts.network = HostFacts.Network(isActive: true, isAutostarted: true, bridge: "virbr0")
        facts.firewall = .active(rules: [
            "ufw allow in on virbr0 to any port 67 proto udp", "ufw allow in on virbr0 to any port 53 proto udp",
            "ufw allow in on virbr0 to any port 53 proto tcp", "ufw route allow in on virbr0",
        ])
        facts.hasTAP = true
        return facts
    }

    /// A host fresh from its installer.
    static func bare(_ distribution: Distribution) -> HostFacts {
        var facts = HostFacts()
        facts.serviceManager = distribution == .alpine ? .openRC : .systemd
        return facts
    }

    /// The commands of the open steps, without the network's definition.
    static func commands(_ plan: HostPlan) -> [String] {
        plan.open.map { step in
            guard case .run(let words, _) = step.action else { return "by hand" }
            return ShellLine(words).description
        }
    }

    static let virsh = [
        "env LC_ALL=C virsh --quiet -c qemu:///system net-define /dev/stdin",
        "env LC_ALL=C virsh --quiet -c qemu:///system net-autostart default",
        "env LC_ALL=C virsh --quiet -c qemu:///system net-start default",
    ]

    @Test(arguments: Distribution.allCases)
    func `where everything is there nothing is left to do`(_ distribution: Distribution) {
        let plan = HostPlan(distribution, Self.goal, Self.complete(distribution))
        #expect(plan.open.map(\.name) == [])
        #expect(plan.steps.count >= 10)
        #expect(Set(plan.steps.map(\.name)).count == plan.steps.count)
    }

    @Test(arguments: [
        (
            Distribution.alpine,
            [
                "apk add --update-cache qemu-system-x86_64 qemu-img ovmf libvirt-daemon libvirt-client libvirt-qemu "
                    + "openssh-client dnsmasq iptables dbus polkit",
                "modprobe tun", "rc-update add dbus default", "rc-service dbus start",
                "rc-update add libvirtd default", "rc-service libvirtd start", "addgroup ann libvirt",
                "addgroup ann kvm",
            ]
        ),
        (
            .arch,
            [
                "pacman -S --needed --noconfirm qemu-base edk2-ovmf libvirt openssh dnsmasq iptables-nft",
                "systemctl enable --now libvirtd.service", "usermod -aG libvirt ann", "usermod -aG kvm ann",
            ]
        ),
        (
            .debian,
            [
                "apt-get -o DPkg::Lock::Timeout=300 update",
                "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y "
                    + "--no-install-recommends qemu-system-x86 qemu-utils ovmf libvirt-daemon-driver-qemu "
                    + "libvirt-clients openssh-client libvirt-daemon-system dnsmasq-base",
                "systemctl enable --now libvirtd.service", "usermod -aG libvirt ann", "usermod -aG kvm ann",
            ]
        ),
        (
            .fedora,
            [
                "dnf -y install qemu-kvm qemu-img edk2-ovmf libvirt-daemon-kvm libvirt-client openssh-clients "
                    + "libvirt-daemon-config-network dnsmasq",
                "systemctl enable --now virtqemud.socket virtnetworkd.socket", "usermod -aG libvirt ann",
                "usermod -aG kvm ann",
            ]
        ),
    ])
    func `a bare host gets everything, in order`(_ distribution: Distribution, _ commands: [String]) {
        let plan = HostPlan(distribution, Self.goal, Self.bare(distribution))
        #expect(Self.commands(plan) == commands + Self.virsh)
        #expect(plan.open.allSatisfy { $0.needsRoot })
    }

    @Test(arguments: Distribution.allCases)
    func `a host that has some of it gets the rest alone`(_ distribution: Distribution) {
        var facts = Self.complete(distribution)
        let missing = distribution.packages.last?.name ?? ""
        facts.packages.remove(missing)
        facts.groups = ["libvirt"]
        facts.network = HostFacts.Network(isActive: false, isAutostarted: true, bridge: "virbr7")
        let plan = HostPlan(distribution, Self.goal, facts)
        let updates = distribution == .debian ? ["apt-get -o DPkg::Lock::Timeout=300 update"] : []
        let kvm = distribution == .alpine ? "addgroup ann kvm" : "usermod -aG kvm ann"
        #expect(
            Self.commands(plan)
                == updates + [ShellLine(distribution.installing([missing])).description, kvm, Self.virsh[2]] + [
                    "ufw allow in on virbr7 to any port 67 proto udp",
                    "ufw allow in on virbr7 to any port 53 proto udp",
                    "ufw allow in on virbr7 to any port 53 proto tcp", "ufw route allow in on virbr7",
                ])
    }

    @Test(arguments: [("qemu-desktop", true), ("qemu-full", true), ("qemu-common", false)])
    func `another QEMU of Arch will do, and so does the iptables that is there`(_ name: String, _ isEnough: Bool) {
        var facts = Self.complete(.arch)
        facts.packages.subtract(["qemu-base", "iptables-nft"])
        facts.packages.formUnion([name, "iptables"])
        #expect(HostPlan(.arch, Self.goal, facts).open.map(\.name) == (isEnough ? [] : ["packages"]))
    }

    @Test func `the form of libvirt that runs stays`() {
        var facts = Self.complete(.debian)
        facts.services = [
            "virtqemud.socket": HostFacts.Service(isRunning: true, isEnabled: true),
            "virtnetworkd.socket": HostFacts.Service(isRunning: false, isEnabled: true),
        ]
        let split = HostPlan(.debian, Self.goal, facts)
        #expect(Self.commands(split) == ["systemctl enable --now virtqemud.socket virtnetworkd.socket"])
        facts = Self.complete(.fedora)
        facts.services = ["libvirtd.service": HostFacts.Service(isRunning: false, isEnabled: true)]
        #expect(Self.commands(HostPlan(.fedora, Self.goal, facts)) == ["systemctl enable --now libvirtd.service"])
    }

    @Test func `without a service manager a person starts the daemon, unless it answers`() {
        var facts = Self.complete(.debian)
        facts.serviceManager = .none
        #expect(HostPlan(.debian, Self.goal, facts).open.isEmpty)
        facts.daemon = .silent
        #expect(Self.commands(HostPlan(.debian, Self.goal, facts)) == ["by hand"])
    }

    @Test(arguments: Distribution.allCases)
    func `a session needs no service, no network and no firewall`(_ distribution: Distribution) throws {
        let goal = HostGoal(connection: try LibvirtConnection("qemu:///session"), user: "ann", firewall: true)
        var facts = Self.bare(distribution)
        facts.firewall = .active(rules: [])
        let names = HostPlan(distribution, goal, facts).open.map(\.name)
        #expect(names == (distribution == .debian ? ["package lists"] : []) + ["packages", "group kvm"])
    }

    @Test func `root joins no group, and UFW is left alone where that is wanted or it is off`() {
        var facts = Self.bare(.debian)
        facts.firewall = .active(rules: [])
        var goal = Self.goal
        #expect(HostPlan(.debian, goal, facts).open.count(where: { $0.name.hasPrefix("ufw ") }) == 4)
        goal.firewall = false
        goal.user = nil
        let names = HostPlan(.debian, goal, facts).open.map(\.name)
        #expect(!names.contains { $0.hasPrefix("ufw ") || $0.hasPrefix("group ") })
        facts.firewall = .inactive
        #expect(!HostPlan(.debian, Self.goal, facts).steps.contains { $0.name.hasPrefix("ufw ") })
    }

    @Test func `a daemon that tells this user nothing is no daemon to be started by hand`() {
        var facts = Self.complete(.debian)
        (facts.serviceManager, facts.daemon, facts.network) = (.none, .refuses, nil)
        let open = HostPlan(.debian, Self.goal, facts).open
        #expect(open.map(\.name) == ["net-define", "net-autostart", "net-start"])
        #expect(open.allSatisfy { !$0.isVerifiable })
    }

    @Test func `rules that only root can read are added, and not looked for afterwards`() {
        var facts = Self.complete(.debian)
        facts.firewall = .active(rules: nil)
        let open = HostPlan(.debian, Self.goal, facts).open
        #expect(open.count == 4)
        #expect(open.allSatisfy { !$0.isVerifiable })
    }

    @Test func `a line for the shell runs as root what needs it, and as the user what does not`() {
        let step = HostStep("a", "do it", why: "so", .run(["echo", "a b"], input: nil), evidence: "", isDone: false)
        #expect(step.shellText(elevation: "doas") == "# do it: so\ndoas echo 'a b'")
        #expect(step.shellText(elevation: nil) == "# do it: so\necho 'a b'")
        let own = HostStep(
            "b", "do", why: "so", .run(["cat"], input: "x\n"), needsRoot: false, evidence: "", isDone: false)
        #expect(own.shellText(elevation: "sudo") == "# do: so\ncat <<'EOF'\nx\nEOF")
    }
}
