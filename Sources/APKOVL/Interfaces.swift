internal import Artefact
internal import Node

/// `/etc/network/interfaces` in the syntax that busybox ifupdown and ifupdown-ng both read alike.
///
/// - busybox takes no `address 192.0.2.10/24`, so the prefix stands in `netmask`, dotted for IPv4.
/// - Further addresses, MTU and what routers announce are set by commands, which both run with `sh -c`.
/// - VLANs, bridges and bonds are made by commands of busybox `ip` too: the keywords for them need the packages `vlan`,
///   `bridge` and `bonding`, ifupdown-ng does VLANs alone and excludes the first, and it reads a number in the name as
///   the identifier of the VLAN whatever `vlan-id` says.
struct InterfacesFile {
    private let network: Network
    private let hostname: String

    /// How udhcpc asks: three times in six seconds before it goes on in the background, so that a missing server holds
    /// up the boot no longer than that.
    static let requests = "-t 3 -T 2 -A 10"

    /// Joins the parts.
    init(_ network: Network, hostname: String) {
        self.network = network
        self.hostname = hostname
    }

    /// The file.
    ///
    /// - Throws: ``OverlayError`` for names that contradict each other, loops, and numbers out of range.
    func text() throws -> String {
        try checkNames()
        var text = "auto lo\niface lo inet loopback\n"
        for interface in try ordered() { text += try "\n" + stanzas(interface) }
        return text
    }

    // MARK: - Order

    /// Every interface after those that it stands on, otherwise in the order written: busybox goes by the file.
    private func ordered() throws -> [Interface] {
        var done: [Interface] = []
        var left = network.interfaces
        while !left.isEmpty {
            let open = Set(left.map(\.name))
            guard let next = left.firstIndex(where: { open.isDisjoint(with: Self.parents($0)) }) else {
                throw OverlayError(
                    .contradiction, subject: "interface \(left[0].name)",
                    detail:
                        "stands on itself by way of \(Self.parents(left[0]).joined(separator: ", ")); break the loop")
            }
            done.append(left.remove(at: next))
        }
        return done
    }

    private static func parents(_ interface: Interface) -> [String] {
        switch interface.kind {
        case .physical: []
        case .vlan(_, let link): [link]
        case .bridge(let ports): ports
        case .bond(let members, _): members
        }
    }

    // MARK: - Checks

    private func checkNames() throws {
        func refuse(_ name: String, _ why: String) -> OverlayError {
            OverlayError(.invalidValue, subject: "interface \(String(reflecting: name))", detail: why)
        }
        var seen: Set<String> = []
        var owner: [String: String] = [:]
        for interface in network.interfaces {
            for name in [interface.name] + Self.parents(interface) {
                guard Self.isName(name) else {
                    throw refuse(name, "is no interface name; use at most 15 letters, digits and - . _")
                }
            }
            guard interface.name != "lo", seen.insert(interface.name).inserted else {
                throw refuse(interface.name, "is there already; give each interface one entry")
            }
            if let mtu = interface.mtu, !(68...65535).contains(mtu) {
                throw refuse(interface.name, "MTU \(mtu) is out of range; use 68 to 65535")
            }
            switch interface.kind {
            case .physical: break
            case .vlan(let identifier, let link):
                guard (1...4094).contains(identifier) else {
                    throw refuse(interface.name, "VLAN \(identifier) is out of range; use 1 to 4094")
                }
                // ifupdown-ng makes a VLAN of any name with a dot before it looks at our commands.
                if let dot = interface.name.lastIndex(of: ".") {
                    let said = (interface.name[..<dot], interface.name[interface.name.index(after: dot)...])
                    guard said == (link[...], "\(identifier)"[...]) else {
                        throw refuse(interface.name, "means VLAN \(said.1) on \(said.0); call it \(link).\(identifier)")
                    }
                }
            case .bridge(let parts), .bond(let parts, _):
                for part in parts {
                    if let other = owner.updateValue(interface.name, forKey: part) {
                        throw refuse(part, "belongs to \(other) and to \(interface.name); it can be part of one only")
                    }
                }
                if case .bond(_, let mode) = interface.kind, !Self.bondModes.contains(mode) {
                    throw refuse(
                        interface.name,
                        "has no bond mode \(mode); use one of \(Self.bondModes.sorted().joined(separator: ", "))")
                }
            }
        }
        for interface in network.interfaces {
            if let other = owner[interface.name], interface.dhcp4 || !interface.addresses.isEmpty {
                throw refuse(interface.name, "is part of \(other) and cannot have addresses; give them to \(other)")
            }
        }
    }

    private static func isName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        return isPlain && (1...15).contains(name.utf8.count) && name != "." && name != ".."
    }

    /// The names that the kernel's bonding driver knows (`Documentation/networking/bonding.rst`).
    private static let bondModes: Set<String> = [
        "802.3ad", "active-backup", "balance-alb", "balance-rr", "balance-tlb", "balance-xor", "broadcast",
    ]

    // MARK: - Text

    private func stanzas(_ interface: Interface) throws -> String {
        let name = interface.name
        let v4 = interface.addresses.filter { $0.address.family == .ipv4 }
        let v6 = interface.addresses.filter { $0.address.family == .ipv6 }
        var first: [String] = []
        let method: String
        if interface.dhcp4 {
            method = "dhcp"
            first += ["hostname \(hostname)", "udhcpc_opts \(Self.requests)"]
        } else if let address = v4.first {
            method = "static"
            first += ["address \(address.address)", "netmask \(Self.mask(address.prefixLength))"]
            first += gateway(interface.gateway4, of: interface, \.gateway4)
        } else {
            method = "manual"
        }
        first += creation(interface)
        if method == "manual" { first.append("up ip link set dev \(name) up") }
        if let mtu = interface.mtu { first.append("up ip link set dev \(name) mtu \(mtu)") }
        for address in v4.dropFirst(interface.dhcp4 ? 0 : 1) {
            first.append("up ip -4 addr add \(address) dev \(name)")
        }
        if method != "static", let gateway = interface.gateway4 {
            first.append("up ip -4 route add default via \(gateway) dev \(name)\(metric(of: interface, \.gateway4))")
        }
        if method == "manual" { first.append("down ip link set dev \(name) down") }
        if interface.kind != .physical {
            first.append("post-down ip link del \(name) 2>/dev/null || true")
        }
        var text = "auto \(name)\niface \(name) inet \(method)\n" + first.map { "\t\($0)\n" }.joined()
        if let address = v6.first {
            var second = ["address \(address.address)", "netmask \(address.prefixLength)"]
            second += gateway(interface.gateway6, of: interface, \.gateway6)
            second += v6.dropFirst().map { "up ip -6 addr add \($0) dev \(name)" }
            text += "\niface \(name) inet6 static\n" + second.map { "\t\($0)\n" }.joined()
        }
        return text
    }

    /// The commands that make an interface and tell the kernel whether it believes routers.
    private func creation(_ interface: Interface) -> [String] {
        let name = interface.name
        var lines: [String] = []
        let absent = "[ -e /sys/class/net/\(name) ] ||"
        switch interface.kind {
        case .physical: break
        case .vlan(let identifier, let link):
            lines.append("pre-up ip link set dev \(link) up")
            lines.append("pre-up \(absent) ip link add link \(link) name \(name) type vlan id \(identifier)")
        case .bridge(let ports):
            lines.append("pre-up \(absent) ip link add \(name) type bridge")
            for port in ports {
                lines.append("pre-up ip link set dev \(port) master \(name)")
                lines.append("pre-up ip link set dev \(port) up")
            }
        case .bond(let members, let mode):
            let driver = "/sys/class/net/\(name)/bonding"
            // Without max_bonds=0 the module makes a bond0 of its own when it is loaded.
            lines.append("pre-up modprobe -q bonding max_bonds=0 || true")
            lines.append("pre-up \(absent) ip link add \(name) type bond")
            lines.append("pre-up echo \(mode) > \(driver)/mode")
            lines.append("pre-up echo 100 > \(driver)/miimon")
            for member in members {
                lines.append("pre-up ip link set dev \(member) down")
                lines.append("pre-up ip link set dev \(member) master \(name)")
            }
        }
        // 2 believes routers also when the node forwards packets, which it does for its pods.
        let believed = interface.acceptRouterAdvertisements ? 2 : 0
        lines.append("pre-up echo \(believed) > /proc/sys/net/ipv6/conf/\(name)/accept_ra || true")
        return lines
    }

    private func gateway(_ gateway: IPAddress?, of interface: Interface, _ key: KeyPath<Interface, IPAddress?>)
        -> [String]
    {
        guard let gateway else { return [] }
        let metric = metric(of: interface, key)
        return ["gateway \(gateway)"] + (metric.isEmpty ? [] : [String(metric.dropFirst())])
    }

    /// With several gateways of one family the earlier interface wins: 101, 102, …; one alone needs no metric.
    private func metric(of interface: Interface, _ key: KeyPath<Interface, IPAddress?>) -> String {
        let sharing = network.interfaces.filter { $0[keyPath: key] != nil }
        guard sharing.count > 1, let place = sharing.firstIndex(of: interface) else { return "" }
        return " metric \(101 + place)"
    }

    private static func mask(_ length: Int) -> String {
        (0..<4).map { index in
            let bits = min(8, max(0, length - index * 8))
            return String((0xff00 >> bits) & 0xff)
        }.joined(separator: ".")
    }
}

extension FileTree {
    /// Adds interfaces and name servers.
    ///
    /// Servers of the recipe stay, because `/etc/udhcpc/udhcpc.conf` tells udhcpc's script to leave `/etc/resolv.conf`
    /// alone. Without any, that file is there all the same, for KubeSolo hands it to pods; DHCP, where an interface uses
    /// it, fills it (`default.script`).
    mutating func addNetwork(_ network: Network, hostname: String) throws {
        let text = try InterfacesFile(network, hostname: hostname).text()
        try addFile("etc/network/interfaces", text, origin: "network")
        for domain in network.searchDomains where !Self.isDomain(domain) {
            throw OverlayError(
                .invalidValue, subject: "search domain \(String(reflecting: domain))", detail: "is no domain name")
        }
        var lines: [String] = []
        if !network.searchDomains.isEmpty { lines.append("search \(network.searchDomains.joined(separator: " "))") }
        lines += network.nameservers.map { "nameserver \($0)" }
        if lines.isEmpty {
            lines.append(
                network.interfaces.contains(where: \.dhcp4)
                    ? "# DHCP writes this file." : "# The recipe names no name servers, and no interface uses DHCP.")
        }
        try addFile("etc/resolv.conf", lines.map { $0 + "\n" }.joined(), origin: "network")
        guard network.interfaces.contains(where: \.dhcp4) else { return }
        if !network.nameservers.isEmpty {
            try addFile(
                "etc/udhcpc/udhcpc.conf", "# The name servers are those of the recipe.\nRESOLV_CONF=no\n",
                origin: "network")
        } else if !network.searchDomains.isEmpty {
            var settings = ShellSettings("Search domains of the recipe, name servers of DHCP.")
            try settings.assign("search", network.searchDomains.joined(separator: " "))
            try addFile("etc/udhcpc/udhcpc.conf", settings.text, origin: "network")
        }
    }

    private static func isDomain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }
}
