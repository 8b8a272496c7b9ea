extension HostPlan {
    /// The services of libvirt that a host with systemd starts: those of the one daemon, or of the daemons that it was
    /// split into, which start when somebody connects.
    static let singleDaemon = ["libvirtd.service"]
    static let splitDaemons = ["virtqemud.socket", "virtnetworkd.socket"]
    /// The services on a host with OpenRC; virtlogd comes with libvirtd, which needs it.
    static let openRCServices = ["dbus", "libvirtd"]

    /// The services that a host is to start.
    ///
    /// Where one of the two forms of libvirt runs, it stays: both use the same sockets.
    static func wantedServices(_ distribution: Distribution, _ facts: HostFacts) -> [String] {
        switch facts.serviceManager {
        case .none: return []
        case .openRC: return distribution == .alpine ? openRCServices : ["libvirtd"]
        case .systemd:
            let (single, split) = (facts.services["libvirtd.service"], facts.services["virtqemud.socket"])
            if split?.isEnabled ?? false { return splitDaemons }
            if single?.isEnabled ?? false { return singleDaemon }
            return distribution == .fedora ? splitDaemons : singleDaemon
        }
    }

    static func services(_ distribution: Distribution, _ facts: HostFacts) -> [HostStep] {
        let wanted = wantedServices(distribution, facts)
        switch facts.serviceManager {
        case .none:
            return [
                HostStep(
                    "service", "start libvirt's daemon", why: "it runs the virtual machines",
                    .byHand("no service manager was found; start virtlogd and libvirtd, then run this again"),
                    evidence: "virsh gets an answer", isDone: facts.daemon != .silent)
            ]
        case .systemd:
            let isDone = wanted.allSatisfy { name in
                facts.services[name].map { $0.isRunning && $0.isEnabled } ?? false
            }
            return [
                HostStep(
                    "service", "start \(wanted.joined(separator: " and ")) now and with the host",
                    why: "libvirt's daemon runs the virtual machines",
                    .run(["systemctl", "enable", "--now"] + wanted, input: nil),
                    evidence: "systemctl is-active and is-enabled say so", isDone: isDone,
                    advice: "see 'systemctl status \(wanted[0])'")
            ]
        case .openRC:
            return wanted.flatMap { name in
                let service = facts.services[name] ?? HostFacts.Service()
                let why =
                    name == "dbus"
                    ? "polkit, which decides who may use libvirt, is asked by it" : "it runs the virtual machines"
                return [
                    HostStep(
                        "service \(name) with the host", "start \(name) with the host", why: why,
                        .run(["rc-update", "add", name, "default"], input: nil),
                        evidence: "it is in a runlevel below /etc/runlevels", isDone: service.isEnabled),
                    HostStep(
                        "service \(name)", "start \(name)", why: why, .run(["rc-service", name, "start"], input: nil),
                        evidence: "rc-service \(name) status says so", isDone: service.isRunning),
                ]
            }
        }
    }
}
