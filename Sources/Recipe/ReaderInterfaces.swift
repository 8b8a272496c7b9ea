internal import Node

/// What holds between interfaces.
extension RecipeReader {
    /// Checks interfaces against each other and orders them: those that others stand on first, else by name.
    mutating func arrange(_ written: [WrittenInterface]) -> [Interface] {
        let byName = Dictionary(written.map { ($0.interface.name, $0) }) { first, _ in first }
        refuseSharedAddresses(written)
        refuseSecondGateways(written)
        var masters: [String: String] = [:]
        for one in written {
            let isVLAN = if case .vlan = one.interface.kind { true } else { false }
            for link in one.links {
                guard let lower = byName[link.name] else {
                    let near = NearestWord.find(link.name, among: byName.keys.sorted(), orKin: .prefix)
                    fault(
                        link.node, "\(shown(link.name)) is not among the interfaces",
                        near.map { "did you mean '\($0)'?" } ?? "add '\(link.name): {}' to network.interfaces")
                    continue
                }
                if link.name == one.interface.name {
                    fault(link.node, "\(shown(link.name)) cannot stand on itself")
                } else if !isVLAN {
                    if let other = masters[link.name], other != one.interface.name {
                        fault(
                            link.node, "\(shown(link.name)) already belongs to \(other)", "an interface has one master")
                    } else if lower.interface.isAddressed {
                        fault(
                            link.node,
                            "\(shown(link.name)) has addresses of its own, which stop working inside \(one.interface.name)",
                            "move them to \(one.interface.name)")
                    }
                    masters[link.name] = one.interface.name
                }
            }
        }
        for one in written where !one.interface.isAddressed && masters[one.interface.name] == nil {
            let carries = written.contains { $0.links.contains { $0.name == one.interface.name } }
            if !carries { warn(one.node, one.node.path, "gets no address from anywhere", "set dhcp4 or addresses") }
        }
        let ordered = order(written)
        if !ordered.contains(where: { $0.dhcp4 || $0.hasStaticIPv4 }), !ordered.isEmpty {
            warn(
                nil, "network.interfaces", "gives the node no IPv4 address, and KubeSolo waits for one",
                "set dhcp4 or addresses")
        }
        return ordered
    }

    private mutating func refuseSharedAddresses(_ written: [WrittenInterface]) {
        var owners: [IPAddress: String] = [:]
        var nets: [(address: InterfaceAddress, owner: String)] = []
        for one in written {
            let name = one.interface.name
            for address in one.interface.addresses {
                let item = one.addresses.first { $0.text.flatMap(InterfaceAddress.init) == address } ?? one.node
                if let owner = owners[address.address], owner != name {
                    fault(
                        item, "\(address.address) is also the address of \(owner)",
                        "each address belongs to one interface")
                    continue
                }
                owners[address.address] = name
                let isShared = nets.contains {
                    $0.owner != name && ($0.address.contains(address.address) || address.contains($0.address.address))
                }
                if isShared, !address.address.isLinkLocal {
                    warn(
                        item, item.path, "\(address.network) is reached by two interfaces, and answers take one of them"
                    )
                }
                nets.append((address, name))
            }
        }
    }

    private mutating func refuseSecondGateways(_ written: [WrittenInterface]) {
        for (key, value) in [("gateway4", \Interface.gateway4), ("gateway6", \Interface.gateway6)] {
            let owners = written.filter { $0.interface[keyPath: value] != nil }
            for other in owners.dropFirst() {
                let place = other.node.entries.first { $0.key == key }?.value ?? other.node
                fault(
                    place, "is a second default gateway; \(owners[0].interface.name) has the first",
                    "keep the one that leads to the Internet")
            }
        }
    }

    private mutating func order(_ written: [WrittenInterface]) -> [Interface] {
        var waiting = written.sorted { $0.interface.name.utf8.lexicographicallyPrecedes($1.interface.name.utf8) }
        let names = Set(waiting.map(\.interface.name))
        var placed: Set<String> = []
        var ordered: [Interface] = []
        while !waiting.isEmpty {
            let next = waiting.firstIndex { one in
                one.links.allSatisfy {
                    placed.contains($0.name) || !names.contains($0.name) || $0.name == one.interface.name
                }
            }
            guard let next else {
                let circle = Self.circle(in: waiting)
                if let first = circle.first {
                    fault(
                        first.keyPosition, first.node.path,
                        "stands on itself by way of \(circle.dropFirst().map(\.interface.name).joined(separator: ", "))",
                        "break the circle")
                }
                return ordered
            }
            let one = waiting.remove(at: next)
            placed.insert(one.interface.name)
            ordered.append(one.interface)
        }
        return ordered
    }

    /// The interfaces of one circle, each standing on the next, where all of `waiting` stand on others of it.
    ///
    /// The one that comes first in `waiting` is the first.
    private static func circle(in waiting: [WrittenInterface]) -> [WrittenInterface] {
        var path: [Int] = []
        var next: Int? = waiting.startIndex
        while let index = next, !path.contains(index) {
            path.append(index)
            let one = waiting[index]
            next =
                one.links.lazy.filter { $0.name != one.interface.name }.compactMap { link in
                    waiting.firstIndex { $0.interface.name == link.name }
                }.first
        }
        guard let entry = next, let start = path.firstIndex(of: entry) else { return [] }
        let circle = path[start...]
        guard let first = circle.min(), let turn = circle.firstIndex(of: first) else { return [] }
        return (circle[turn...] + circle[..<turn]).map { waiting[$0] }
    }
}

extension Interface {
    /// Whether it has or asks for an address of its own.
    var isAddressed: Bool { dhcp4 || acceptRouterAdvertisements || !addresses.isEmpty }

    /// Whether it has an IPv4 address that no server gives.
    var hasStaticIPv4: Bool { addresses.contains { $0.address.family == .ipv4 } }
}
