import Artefact
import Node
import TestSupport
import Testing

@testable import APKOVL

/// What one set of interfaces must come to, whichever implementation of ifupdown reads the file.
struct NetworkCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let interfaces: [Interface]
    /// The facts in any order: `addr IF A`, `route IF GATEWAY [METRIC]`, `mtu IF N`, `dhcp IF`, `add IF KIND`,
    /// `master PART IF`, `up IF`, `believes IF 0|1|2`, `mode IF MODE`.
    let facts: Set<String>

    init(_ name: String, _ interfaces: [Interface], _ facts: Set<String>) {
        testDescription = name
        self.interfaces = interfaces
        self.facts = facts
    }
}

private func addresses(_ texts: String...) -> [InterfaceAddress] { texts.compactMap { InterfaceAddress($0) } }

private let networkCases: [NetworkCase] = [
    NetworkCase(
        "DHCP", [Interface(name: "eth0", dhcp4: true)],
        ["dhcp eth0 node1", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "DHCP and router advertisements", [Interface(name: "eth0", dhcp4: true, acceptRouterAdvertisements: true)],
        ["dhcp eth0 node1", "up eth0", "believes eth0 2"]),
    NetworkCase(
        "DHCP with an MTU", [Interface(name: "eth0", dhcp4: true, mtu: 1400)],
        ["dhcp eth0 node1", "up eth0", "believes eth0 0", "mtu eth0 1400"]),
    NetworkCase(
        "one IPv4 address", [Interface(name: "eth0", addresses: addresses("192.0.2.10/24"))],
        ["addr eth0 192.0.2.10/24", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "an IPv4 address and a gateway",
        [Interface(name: "eth0", addresses: addresses("192.0.2.10/24"), gateway4: IPAddress("192.0.2.1"))],
        ["addr eth0 192.0.2.10/24", "route eth0 192.0.2.1", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "an odd prefix", [Interface(name: "eth0", addresses: addresses("10.1.2.3/13"))],
        ["addr eth0 10.1.2.3/13", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "a host prefix", [Interface(name: "eth0", addresses: addresses("203.0.113.7/32"))],
        ["addr eth0 203.0.113.7/32", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "one IPv6 address",
        [Interface(name: "eth0", addresses: addresses("2001:db8::10/64"), gateway6: IPAddress("2001:db8::1"))],
        ["addr eth0 2001:db8::10/64", "route eth0 2001:db8::1", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "DHCP and an IPv6 address", [Interface(name: "eth0", dhcp4: true, addresses: addresses("fd00::2/48"))],
        ["dhcp eth0 node1", "addr eth0 fd00::2/48", "up eth0", "believes eth0 0"]),
    NetworkCase(
        "several addresses of both families",
        [
            Interface(
                name: "eth0",
                addresses: addresses(
                    "192.0.2.10/24", "192.0.2.11/24", "198.51.100.1/25", "2001:db8::10/64", "2001:db8::11/64"),
                gateway4: IPAddress("192.0.2.1"), gateway6: IPAddress("2001:db8::1"), mtu: 9000)
        ],
        [
            "addr eth0 192.0.2.10/24", "addr eth0 192.0.2.11/24", "addr eth0 198.51.100.1/25",
            "addr eth0 2001:db8::10/64", "addr eth0 2001:db8::11/64", "route eth0 192.0.2.1", "route eth0 2001:db8::1",
            "mtu eth0 9000", "up eth0", "believes eth0 0",
        ]),
    NetworkCase(
        "router advertisements alone", [Interface(name: "eth0", acceptRouterAdvertisements: true)],
        ["up eth0", "believes eth0 2"]),
    NetworkCase(
        "two interfaces with a gateway each: the earlier wins",
        [
            Interface(name: "eth0", addresses: addresses("192.0.2.10/24"), gateway4: IPAddress("192.0.2.1")),
            Interface(name: "eth1", addresses: addresses("198.51.100.10/24"), gateway4: IPAddress("198.51.100.1")),
        ],
        [
            "addr eth0 192.0.2.10/24", "route eth0 192.0.2.1 101", "up eth0", "believes eth0 0",
            "addr eth1 198.51.100.10/24", "route eth1 198.51.100.1 102", "up eth1", "believes eth1 0",
        ]),
    NetworkCase(
        "a VLAN named after its link",
        [
            Interface(name: "eth0", dhcp4: true),
            Interface(name: "eth0.100", kind: .vlan(identifier: 100, link: "eth0"), addresses: addresses("10.0.0.2/8")),
        ],
        [
            "dhcp eth0 node1", "up eth0", "believes eth0 0", "add eth0.100 vlan eth0 100", "addr eth0.100 10.0.0.2/8",
            "up eth0.100", "believes eth0.100 0",
        ]),
    NetworkCase(
        "a VLAN whose name holds another number",
        [Interface(name: "vlan7", kind: .vlan(identifier: 42, link: "eth3"), dhcp4: true)],
        ["add vlan7 vlan eth3 42", "up eth3", "dhcp vlan7 node1", "up vlan7", "believes vlan7 0"]),
    NetworkCase(
        "a bridge over two ports",
        [
            Interface(
                name: "br0", kind: .bridge(ports: ["eth1", "eth2"]), addresses: addresses("192.0.2.10/24"), mtu: 1500)
        ],
        [
            "add br0 bridge", "master eth1 br0", "master eth2 br0", "up eth1", "up eth2", "addr br0 192.0.2.10/24",
            "mtu br0 1500", "up br0", "believes br0 0",
        ]),
    NetworkCase(
        "a bridge without ports",
        [Interface(name: "br0", kind: .bridge(ports: []), addresses: addresses("fd01::1/64"))],
        ["add br0 bridge", "addr br0 fd01::1/64", "up br0", "believes br0 0"]),
    NetworkCase(
        "a bond", [Interface(name: "bond0", kind: .bond(members: ["eth1", "eth2"], mode: "802.3ad"), dhcp4: true)],
        [
            "add bond0 bond", "mode bond0 802.3ad", "master eth1 bond0", "master eth2 bond0", "dhcp bond0 node1",
            "up bond0", "believes bond0 0",
        ]),
    NetworkCase(
        "a VLAN on a bridge on a bond, written the wrong way round",
        [
            Interface(name: "br0.5", kind: .vlan(identifier: 5, link: "br0"), addresses: addresses("10.5.0.1/24")),
            Interface(name: "br0", kind: .bridge(ports: ["bond0"])),
            Interface(name: "bond0", kind: .bond(members: ["eth0", "eth1"], mode: "active-backup")),
        ],
        [
            "add bond0 bond", "mode bond0 active-backup", "master eth0 bond0", "master eth1 bond0", "up bond0",
            "believes bond0 0", "add br0 bridge", "master bond0 br0", "up br0", "believes br0 0",
            "add br0.5 vlan br0 5", "addr br0.5 10.5.0.1/24", "up br0.5", "believes br0.5 0",
        ]),
]

struct InterfacesTests {
    /// Stands in for `ip`, `udhcpc` and `modprobe`: notes what it is asked, and makes the directories that the kernel
    /// would make.
    private static let shim = """
        #!/bin/sh
        case ${0##*/} in
        modprobe) exit 0 ;;
        esac
        printf '%s %s\\n' "${0##*/}" "$*" >>/shared/calls
        case "$*" in
        link\\ add*)
            name=
            while [ $# -gt 0 ]; do
                case $1 in
                link) [ "$2" = add ] || { shift; }; ;;
                add) [ "$2" = link ] || name=$2 ;;
                name) name=$2 ;;
                esac
                shift
            done
            mkdir -p "/sys/class/net/$name/bonding" "/proc/sys/net/ipv6/conf/$name"
            ;;
        esac
        exit 0
        """

    /// Brings every interface up in the order of the file and gives the facts that came of it.
    private func facts(of text: String, implementation: String) async throws -> Set<String> {
        let sandbox = try Sandbox()
        try sandbox.file("etc/network/interfaces", text)
        try sandbox.file("usr/libexec/ksbuild/ip", Self.shim, mode: .executable)
        try sandbox.file("usr/libexec/ksbuild/brctl", Self.shim, mode: .executable)
        try sandbox.file("usr/libexec/ksbuild/modprobe", Self.shim, mode: .executable)
        let program = implementation == "busybox" ? "/bin/busybox ifup" : "/sbin/ifup"
        let result = try await sandbox.run(
            """
            for name in eth0 eth1 eth2 eth3; do mkdir -p /proc/sys/net/ipv6/conf/$name /sys/class/net/$name; done
            for name in $(awk '$1 == "auto" {print $2}' /etc/network/interfaces); do
                [ $name = lo ] && continue
                \(program) -i /etc/network/interfaces $name || echo "$name failed"
            done
            cat /shared/calls
            for file in /proc/sys/net/ipv6/conf/*/accept_ra /sys/class/net/*/bonding/mode; do
                [ -f $file ] && echo "file $file $(cat $file)"
            done
            """,
            before: """
                umount "$root/proc"
                mount -t tmpfs none "$root/proc"
                rm -f "$root/sbin/dhcpcd" "$root/usr/sbin/dhcpcd" "$root/sbin/udhcpc" "$root/usr/sbin/udhcpc"
                for name in ip modprobe; do rm -f "$root/sbin/$name" "$root/usr/sbin/$name" "$root/bin/$name"; done
                cp "$root/usr/libexec/ksbuild/ip" "$root/sbin/ip"
                cp "$root/usr/libexec/ksbuild/ip" "$root/sbin/udhcpc"
                """)
        var facts: Set<String> = []
        for line in result.output.split(separator: "\n") { facts.formUnion(Self.facts(in: String(line))) }
        return facts
    }

    /// The facts in one line of the shim's notes.
    static func facts(in line: String) -> Set<String> {
        let words = line.split(separator: " ").map(String.init)
        func after(_ word: String) -> String? {
            words.firstIndex(of: word).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        }
        if words.first == "file", words.count == 3 {
            let parts = words[1].split(separator: "/").map(String.init)
            if parts.last == "accept_ra" { return ["believes \(parts[5]) \(words[2])"] }
            return ["mode \(parts[3]) \(words[2])"]
        }
        if words.first == "udhcpc" {
            let host = words.first { $0.hasPrefix("hostname:") }?.dropFirst(9) ?? "-"
            return ["dhcp \(after("-i") ?? "?") \(host)"]
        }
        if line == "Loading 8021q kernel module for VLAN support" { return [] }
        guard words.first == "ip" else { return [line] }
        let rest = words.dropFirst().filter { $0 != "-4" && $0 != "-6" }
        switch (rest.first, rest.dropFirst().first) {
        case ("addr", "add"): return ["addr \(after("dev") ?? "?") \(rest[rest.index(rest.startIndex, offsetBy: 2)])"]
        case ("route", "add"):
            let metric = after("metric").flatMap { $0 == "1" ? nil : " \($0)" } ?? ""
            return ["route \(after("dev") ?? "?") \(after("via") ?? "?")\(metric)"]
        case ("link", "add"):
            let name = after("name") ?? after("add") ?? "?"
            let kind = after("type") ?? "?"
            let vlan = kind == "vlan" && words.count > 4 ? " \(words[4]) \(after("id") ?? "?")" : ""
            return ["add \(name) \(kind)\(vlan)"]
        case ("link", "set"):
            var facts: Set<String> = []
            let name = after("dev") ?? (words[3] == "up" ? words[4] : words[3])
            if words.contains("up") { facts.insert("up \(name)") }
            if let mtu = after("mtu") { facts.insert("mtu \(name) \(mtu)") }
            if let master = after("master") { facts.insert("master \(name) \(master)") }
            return facts
        case ("address", "show"), ("addr", "show"), ("link", "show"): return []
        default: return [line]
        }
    }

    @Test(arguments: networkCases, ["busybox", "ifupdown-ng"])
    func `both implementations make the same of the file`(network: NetworkCase, implementation: String) async throws {
        let text = try InterfacesFile(Network(interfaces: network.interfaces), hostname: "node1").text()
        let facts = try await facts(of: text, implementation: implementation)
        #expect(facts.subtracting(network.facts) == [], "\(text)")
        #expect(network.facts.subtracting(facts) == [], "\(text)")
    }

    @Test(arguments: [
        [Interface(name: "eth0"), Interface(name: "eth0")],
        [Interface(name: "lo")],
        [Interface(name: "")],
        [Interface(name: "a234567890123456")],
        [Interface(name: "eth 0")],
        [Interface(name: "eth0\nup reboot")],
        [Interface(name: "eth0", mtu: 67)],
        [Interface(name: "v", kind: .vlan(identifier: 0, link: "eth0"))],
        [Interface(name: "v", kind: .vlan(identifier: 4095, link: "eth0"))],
        [Interface(name: "eth0.5", kind: .vlan(identifier: 6, link: "eth0"))],
        [Interface(name: "eth0.5", kind: .vlan(identifier: 5, link: "eth1"))],
        [Interface(name: "b", kind: .bond(members: ["eth0"], mode: "fast; reboot"))],
        [Interface(name: "b", kind: .bridge(ports: ["b"]))],
        [Interface(name: "a", kind: .bridge(ports: ["b"])), Interface(name: "b", kind: .bridge(ports: ["a"]))],
        [Interface(name: "a", kind: .bridge(ports: ["x"])), Interface(name: "b", kind: .bridge(ports: ["x"]))],
        [Interface(name: "a", kind: .bridge(ports: ["eth0"])), Interface(name: "eth0", dhcp4: true)],
    ])
    func `contradictions and names that are none are refused`(interfaces: [Interface]) {
        #expect(throws: OverlayError.self) {
            try InterfacesFile(Network(interfaces: interfaces), hostname: "node1").text()
        }
    }

    @Test func `a VLAN whose dotted name says otherwise is told its right name`() {
        let interface = Interface(name: "eth0.5", kind: .vlan(identifier: 6, link: "eth0"))
        #expect {
            try InterfacesFile(Network(interfaces: [interface]), hostname: "node1").text()
        } throws: { error in
            "\(error)" == "interface \"eth0.5\": means VLAN 5 on eth0; call it eth0.6"
        }
    }
}

struct ResolverTests {
    private func tree(_ network: Network) throws -> FileTree {
        try Overlay(node: .example { $0.network = network }, binary: nil, resources: resources).tree
    }

    private let dhcp = [Interface(name: "eth0", dhcp4: true)]

    @Test func `name servers of the recipe stay when DHCP names others`() async throws {
        let servers = ["192.0.2.53", "2001:db8::53"].compactMap { IPAddress($0) }
        let tree = try tree(Network(interfaces: dhcp, nameservers: servers, searchDomains: ["example.org", "b.test"]))
        let text = "search example.org b.test\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n"
        #expect(try tree.text("etc/resolv.conf") == text)
        #expect(try await bound(tree) == text)
    }

    @Test func `without name servers DHCP's are taken, under the recipe's search domains`() async throws {
        #expect(try await bound(tree(Network(interfaces: dhcp))) == "search of.dhcp\nnameserver 198.51.100.53\n")
        let domains = Network(interfaces: dhcp, searchDomains: ["example.org", "b.test"])
        #expect(try await bound(tree(domains)) == "search example.org b.test\nnameserver 198.51.100.53\n")
    }

    @Test func `the file is there before any lease`() throws {
        #expect(try tree(Network(interfaces: dhcp)).text("etc/resolv.conf") == "# DHCP writes this file.\n")
        let fixed = [Interface(name: "eth0", addresses: addresses("192.0.2.10/24"))]
        #expect(
            try tree(Network(interfaces: fixed)).text("etc/resolv.conf")
                == "# The recipe names no name servers, and no interface uses DHCP.\n")
    }

    /// What Alpine's own script for udhcpc leaves in the file after a lease.
    private func bound(_ tree: FileTree) async throws -> String {
        let sandbox = try Sandbox(tree)
        try sandbox.file("sbin/ip", "#!/bin/sh\nexit 0\n", mode: .executable)
        return try await sandbox.run(
            """
            export interface=eth0 ip=198.51.100.9 mask=24 dns=198.51.100.53 domain=of.dhcp
            /usr/share/udhcpc/default.script bound
            cat /etc/resolv.conf
            """
        ).output
    }

    @Test func `a node that nobody tells its name servers is warned of`() throws {
        func warnings(_ interface: Interface, servers: [String] = []) throws -> [String] {
            let network = Network(interfaces: [interface], nameservers: servers.compactMap { IPAddress($0) })
            return try Overlay(node: .example { $0.network = network }, binary: nil, resources: resources).warnings
                .filter { $0.contains("name servers") }
        }
        let fixed = Interface(name: "eth0", addresses: addresses("192.0.2.10/24"))
        #expect(try warnings(fixed).count == 1)
        #expect(try warnings(fixed, servers: ["192.0.2.53"]) == [])
        #expect(try warnings(Interface(name: "eth0", dhcp4: true)) == [])
    }
}
