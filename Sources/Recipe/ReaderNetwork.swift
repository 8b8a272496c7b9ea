internal import Node

/// Reading `network`.
extension RecipeReader {
    mutating func readNetwork(_ network: CheckedNode) {
        var servers = addresses(take("nameservers", of: network))
        recipe.searchDomains = distinctTexts(take("search", of: network))
        if let table = take("interfaces", of: network) {
            let written = table.entries.map { readInterface($0) }
            if table.entries.isEmpty {
                fault(table, "is empty, and KubeSolo needs an IPv4 address", "leave the key out for DHCP on eth0")
            }
            let arranged = arrange(written)
            recipe.interfaces = arranged
            for interface in arranged {
                let own = written.first { $0.interface.name == interface.name }?.servers ?? []
                for server in own where !servers.contains(server) { servers.append(server) }
            }
        }
        if servers.count > 3 {
            warn(
                network, joined(network.path, "nameservers"), "names \(servers.count) servers, of which musl asks three"
            )
        }
        recipe.nameservers = servers
    }

    /// Name servers: addresses that a query can be sent to from the node and from its pods.
    private mutating func addresses(_ list: CheckedNode?) -> [IPAddress] {
        var found: [IPAddress] = []
        for item in list?.items ?? [] {
            guard let address = address(item) else { continue }
            if address.isLoopback {
                fault(item, "\(address) is the node itself, and pods, which get the same servers, would ask themselves")
            } else if found.contains(address) {
                fault(item, "\(address) is listed twice", "keep one of them")
            } else {
                found.append(address)
            }
        }
        return found
    }

    /// An address of one host.
    private mutating func address(_ node: CheckedNode) -> IPAddress? {
        guard let text = node.text else { return nil }
        guard let address = IPAddress(text) else {
            fault(node, "\(shown(text)) is not an IP address", TextForm.address.hint)
            return nil
        }
        if let problem = Self.problem(with: address) {
            fault(node, "\(address) \(problem)", "give the address of one host")
            return nil
        }
        return address
    }

    private static func problem(with address: IPAddress) -> String? {
        if address.isUnspecified { return "is no host's address" }
        if address.isMulticast { return "is a multicast address" }
        if address.family == .ipv4, address.bytes.allSatisfy({ $0 == 255 }) { return "is the broadcast address" }
        if address.family == .ipv6, address.bytes.prefix(10).allSatisfy({ $0 == 0 }), address.bytes[10] == 255,
            address.bytes[11] == 255
        {
            return "is an IPv4 address written as IPv6"
        }
        return nil
    }

    private mutating func readInterface(_ entry: CheckedNode.Entry) -> WrittenInterface {
        let node = entry.value
        var interface = Interface(name: entry.key)
        if InterfaceName.reserved.contains(entry.key), let problem = InterfaceName.problem(with: entry.key) {
            fault(
                entry.keyPosition, node.path, "\(shown(entry.key)) is not an interface name: it \(problem)", "remove it"
            )
        }
        interface.dhcp4 = take("dhcp4", of: node)?.flag ?? false
        interface.acceptRouterAdvertisements = take("acceptRA", of: node)?.flag ?? false
        let list = take("addresses", of: node)
        for item in list?.items ?? [] {
            guard let address = interfaceAddress(item) else { continue }
            if interface.addresses.contains(where: { $0.address == address.address }) {
                fault(item, "\(address.address) is listed twice", "keep one of them")
            } else {
                interface.addresses.append(address)
            }
        }
        interface.gateway4 = gateway("gateway4", .ipv4, of: node, interface)
        interface.gateway6 = gateway("gateway6", .ipv6, of: node, interface)
        if let mtu = take("mtu", of: node), let value = mtu.integer {
            interface.mtu = Int(value)
            let usesIPv6 =
                interface.acceptRouterAdvertisements || interface.addresses.contains { $0.address.family == .ipv6 }
            if usesIPv6, value < 1280 {
                fault(mtu, "is \(value), and IPv6 needs at least 1280 (RFC 8200 §5)", "raise it")
            }
        }
        let servers = addresses(take("nameservers", of: node))
        let links = readKind(node, &interface)
        return WrittenInterface(
            interface: interface, node: node, keyPosition: entry.keyPosition, addresses: list?.items ?? [],
            links: links, servers: servers)
    }

    private mutating func interfaceAddress(_ item: CheckedNode) -> InterfaceAddress? {
        guard let text = item.text else { return nil }
        guard let address = InterfaceAddress(text) else {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if let host = parts.first.flatMap(IPAddress.init), parts.count == 2 {
                fault(
                    item, "\(shown(text)) has no prefix length that \(host.family == .ipv4 ? "IPv4" : "IPv6") knows",
                    "write 1 to \(host.family.bits)")
            } else {
                fault(
                    item, "\(shown(text)) is not an address with the length of its prefix",
                    TextForm.interfaceAddress.hint)
            }
            return nil
        }
        if let problem = Self.problem(with: address.address) {
            fault(item, "\(address.address) \(problem)", "give an address of this node")
            return nil
        }
        if address.address.isLoopback {
            fault(item, "\(address.address) is a loop-back address", "give an address that others can reach")
            return nil
        }
        if let role = address.reservedRole {
            fault(item, "\(address.address) is \(role) of \(address.network)", "give the address of one host in it")
            return nil
        }
        return address
    }

    private mutating func gateway(
        _ key: String, _ family: IPAddress.Family, of node: CheckedNode, _ interface: Interface
    ) -> IPAddress? {
        guard let item = take(key, of: node), let address = address(item) else { return nil }
        let name = family == .ipv4 ? "IPv4" : "IPv6"
        guard address.family == family else {
            fault(
                item, "\(address) is not an \(name) address", "use \(family == .ipv4 ? "gateway6" : "gateway4") for it")
            return nil
        }
        if family == .ipv6, address.isLinkLocal { return address }
        let nets = interface.addresses.filter { $0.address.family == family }
        if nets.contains(where: { $0.address == address }) {
            fault(item, "\(address) is this interface's own address", "give the router's")
            return nil
        }
        // An address that was refused may have been the one whose net this is.
        if faults.contains(where: { $0.keyPath.hasPrefix(joined(node.path, "addresses")) }) { return address }
        guard nets.contains(where: { $0.contains(address) }) else {
            let known = nets.map(\.network).joined(separator: ", ")
            fault(
                item,
                nets.isEmpty
                    ? "\(address) cannot be reached: the interface has no static \(name) address"
                    : "\(address) is outside the net of this interface (\(known))",
                nets.isEmpty ? "add one to addresses, or remove the gateway" : "check both")
            return nil
        }
        return address
    }

    /// What makes the interface exist, and the interfaces that it stands on with the places that name them.
    private mutating func readKind(
        _ node: CheckedNode, _ interface: inout Interface
    ) -> [(name: String, node: CheckedNode)] {
        let vlan = take("vlan", of: node)
        let bridge = take("bridge", of: node)
        let bond = take("bond", of: node)
        let given = [vlan, bridge, bond].compactMap { $0 }.sorted { $0.position < $1.position }
        for extra in given.dropFirst() {
            fault(extra, "is one thing too many: an interface is a VLAN, a bridge or a bond", "keep one of them")
        }
        func named(_ items: [CheckedNode]) -> [(name: String, node: CheckedNode)] {
            items.compactMap { item in item.text.map { ($0, item) } }
        }
        if let vlan {
            let link = take("link", of: vlan)
            if let identifier = take("id", of: vlan)?.integer, let name = link?.text {
                interface.kind = .vlan(identifier: Int(identifier), link: name)
            }
            return named([link].compactMap { $0 })
        }
        if let bridge {
            let ports = take("ports", of: bridge)
            interface.kind = .bridge(ports: distinctTexts(ports))
            return named(ports?.items ?? [])
        }
        if let bond {
            let members = take("members", of: bond)
            let mode = take("mode", of: bond)?.text ?? "active-backup"
            interface.kind = .bond(members: distinctTexts(members), mode: mode)
            if let members, members.items.isEmpty {
                fault(members, "is empty, and a bond without members carries nothing", "name at least one interface")
            }
            return named(members?.items ?? [])
        }
        return []
    }
}

/// An interface as it is read, with the places that later checks may have to blame.
struct WrittenInterface {
    var interface: Interface
    let node: CheckedNode
    let keyPosition: SourcePosition
    let addresses: [CheckedNode]
    let links: [(name: String, node: CheckedNode)]
    let servers: [IPAddress]
}

extension InterfaceAddress {
    /// The net as `ADDRESS/LENGTH`.
    var network: String { "\(address.network(prefixLength: prefixLength))/\(prefixLength)" }

    /// What the address is where it is no host's: RFC 1122 §3.2.1.3, but for RFC 3021; RFC 4291 §2.6.1.
    var reservedRole: String? {
        let bits = address.family.bits
        guard prefixLength < bits - 1 else { return nil }
        if address == address.network(prefixLength: prefixLength) {
            return address.family == .ipv4 ? "the address" : "the anycast address of the routers"
        }
        guard address.family == .ipv4 else { return nil }
        let host = address.bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(prefixLength)
        return host == UInt32.max << UInt32(prefixLength) ? "the broadcast address" : nil
    }
}
