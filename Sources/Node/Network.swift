/// How a node reaches its networks.
public struct Network: Hashable, Sendable {
    /// The interfaces in the order in which they are brought up, without `lo`.
    public var interfaces: [Interface]
    /// Name servers for `/etc/resolv.conf`; empty leaves that to DHCP.
    public var nameservers: [IPAddress]
    /// Search domains for `/etc/resolv.conf`.
    public var searchDomains: [String]

    /// Joins the parts.
    public init(interfaces: [Interface], nameservers: [IPAddress] = [], searchDomains: [String] = []) {
        self.interfaces = interfaces
        self.nameservers = nameservers
        self.searchDomains = searchDomains
    }

    /// DHCP on `eth0`.
    public static let dhcpOnFirstInterface = Network(interfaces: [Interface(name: "eth0", dhcp4: true)])

    /// Whether the node gets an IPv4 address without any server answering.
    public var hasStaticIPv4: Bool {
        interfaces.contains { $0.addresses.contains { $0.address.family == .ipv4 } }
    }
}

/// One network interface, all choices made.
public struct Interface: Hashable, Sendable {
    /// What makes the interface exist.
    public enum Kind: Hashable, Sendable {
        /// A device that the kernel finds.
        case physical
        /// 802.1Q on top of another interface; the identifier is 1 to 4094.
        case vlan(identifier: Int, link: String)
        /// A bridge over the interfaces named; the list may be empty.
        case bridge(ports: [String])
        /// A bond of the interfaces named; `mode` is the kernel's name of it, such as `active-backup`.
        case bond(members: [String], mode: String)
    }

    /// The kernel's name, at most 15 bytes.
    public var name: String
    /// What makes it exist.
    public var kind: Kind
    /// Whether an IPv4 address is asked for by DHCP.
    public var dhcp4: Bool
    /// Whether an IPv6 address is taken from router advertisements.
    public var acceptRouterAdvertisements: Bool
    /// Static addresses of either family, in the order written.
    public var addresses: [InterfaceAddress]
    /// The default gateway for IPv4.
    public var gateway4: IPAddress?
    /// The default gateway for IPv6.
    public var gateway6: IPAddress?
    /// The largest packet in bytes, or `nil` for the device's own.
    public var mtu: Int?

    /// Makes an interface; everything but the name has a neutral default.
    public init(
        name: String, kind: Kind = .physical, dhcp4: Bool = false, acceptRouterAdvertisements: Bool = false,
        addresses: [InterfaceAddress] = [], gateway4: IPAddress? = nil, gateway6: IPAddress? = nil, mtu: Int? = nil
    ) {
        self.name = name
        self.kind = kind
        self.dhcp4 = dhcp4
        self.acceptRouterAdvertisements = acceptRouterAdvertisements
        self.addresses = addresses
        self.gateway4 = gateway4
        self.gateway6 = gateway6
        self.mtu = mtu
    }
}
