internal import Node

/// `network-config`, version 2: the interfaces of the node, each under the kernel's own name.
///
/// An interface that only belongs to a bridge, a bond or a VLAN is listed too, because netplan refuses a name that
/// nothing defines. Name servers stand with the first interface that has an address: version 2 has no other place.
struct NetworkConfig {
    /// The text of the file.
    let text: String

    init(_ network: Network) {
        let dependent = Set(network.interfaces.flatMap(\.parts))
        let carrier = network.interfaces.first { !dependent.contains($0.name) || $0.hasAddress }?.name
        var sections: [(name: String, pairs: [(String, YAMLValue?)])] = [
            ("ethernets", []), ("bonds", []), ("bridges", []), ("vlans", []),
        ]
        for interface in network.interfaces {
            let servers = interface.name == carrier ? Self.nameservers(network) : nil
            let value = Self.value(interface, servers: servers, isPart: dependent.contains(interface.name))
            sections[interface.section].pairs.append((interface.name, value))
        }
        let defined = Set(network.interfaces.map(\.name))
        for name in dependent.subtracting(defined).sorted() {
            sections[0].pairs.append((name, .mapping([])))
        }
        let pairs = sections.map { section -> (String, YAMLValue?) in
            (section.name, section.pairs.isEmpty ? nil : .object(section.pairs))
        }
        text = YAMLValue.object([("version", .number(2))] + pairs).document
    }

    private static func value(_ interface: Interface, servers: YAMLValue?, isPart: Bool) -> YAMLValue {
        var pairs: [(String, YAMLValue?)] = []
        switch interface.kind {
        case .physical: break
        case .vlan(let identifier, let link): pairs += [("id", .number(identifier)), ("link", .text(link))]
        case .bridge(let ports):
            pairs += [("interfaces", .texts(ports)), ("parameters", .object([("stp", .bool(false))]))]
        case .bond(let members, let mode):
            pairs += [
                ("interfaces", .texts(members)),
                ("parameters", .object([("mode", .text(mode)), ("mii-monitor-interval", .text("100"))])),
            ]
        }
        if !isPart || interface.hasAddress {
            pairs += [
                ("dhcp4", .bool(interface.dhcp4)), ("accept-ra", .bool(interface.acceptRouterAdvertisements)),
                (
                    "addresses",
                    interface.addresses.isEmpty ? nil : .texts(interface.addresses.map(\.description))
                ),
                ("gateway4", interface.gateway4.map { .text($0.description) }),
                ("gateway6", interface.gateway6.map { .text($0.description) }), ("nameservers", servers),
            ]
        }
        pairs.append(("mtu", interface.mtu.map { .number($0) }))
        return .object(pairs)
    }

    private static func nameservers(_ network: Network) -> YAMLValue? {
        guard !network.nameservers.isEmpty || !network.searchDomains.isEmpty else { return nil }
        return .object([
            ("addresses", network.nameservers.isEmpty ? nil : .texts(network.nameservers.map(\.description))),
            ("search", network.searchDomains.isEmpty ? nil : .texts(network.searchDomains)),
        ])
    }
}

extension Interface {
    /// The interfaces that it stands on.
    fileprivate var parts: [String] {
        switch kind {
        case .physical: []
        case .vlan(_, let link): [link]
        case .bridge(let ports): ports
        case .bond(let members, _): members
        }
    }

    fileprivate var hasAddress: Bool { dhcp4 || acceptRouterAdvertisements || !addresses.isEmpty }

    /// The place of its section in the file.
    fileprivate var section: Int {
        switch kind {
        case .physical: 0
        case .bond: 1
        case .bridge: 2
        case .vlan: 3
        }
    }
}
