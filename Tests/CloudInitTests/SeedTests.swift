import Artefact
import CloudInit
import Node
import SystemPackage
import TestSupport
import Testing

struct SeedTests {
    @Test func `the files of a plain node are these, byte for byte`() throws {
        let seed = try Seed(node: Samples.node())
        #expect(seed.files.entries.map(\.path.string) == ["meta-data", "network-config", "user-data"])
        #expect(
            try seed.files.text("user-data") == """
                #cloud-config
                # For images that run cloud-init. A diskless node is configured by its overlay and does not read this.
                hostname: edge-001
                manage_etc_hosts: localhost
                users:
                  - name: alpine
                    uid: 1000
                    shell: /bin/sh
                    lock_passwd: false
                    hashed_passwd: "*"
                    ssh_authorized_keys:
                      - "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFRJrQpVbUb2QgJVNe0uUGRFBlPpwkzTJq0CUlFQv3Kk alice@example"
                disable_root: true
                ssh_pwauth: false
                mounts:
                  - - "LABEL=KUBESOLO"
                    - /var/lib/kubesolo
                    - ext4
                    - "defaults,noatime,nofail"
                    - "0"
                    - "0"
                write_files:
                  - path: /etc/doas.d/ksbuild.conf
                    permissions: "0600"
                    content: |
                      permit nopass alpine

                """)
        #expect(
            try seed.files.text("network-config") == """
                version: 2
                ethernets:
                  eth0:
                    dhcp4: true
                    accept-ra: false

                """)
        #expect(
            try seed.files.text("meta-data") == """
                instance-id: \(seed.instanceIdentifier)
                local-hostname: edge-001

                """)
    }

    @Test func `the instance-id changes when the other files do, and only then`() throws {
        let seed = try Seed(node: Samples.node())
        #expect(try Seed(node: Samples.node()).instanceIdentifier == seed.instanceIdentifier)
        #expect(seed.instanceIdentifier.hasPrefix("iid-") && seed.instanceIdentifier.utf8.count == 20)
        var released = try Samples.node()
        released.stamp = BuildStamp(version: "9.9.9", epoch: 1)
        released.kubesolo.variant = .online
        #expect(try Seed(node: released).instanceIdentifier == seed.instanceIdentifier)
        let variations = [
            try Samples.node(hostname: "edge-002"), try Samples.node(network: Network(interfaces: [])),
            try Samples.node(users: []), try Samples.node(seed: SeedSettings(vendorData: [])),
            try Samples.node(seed: SeedSettings(vendorData: [1])), try Samples.node(userData: "#cloud-config\n{}\n"),
            try Samples.node(userData: "#cloud-config\ntimezone: UTC\n"),
        ]
        let identifiers = try variations.map { try Seed(node: $0).instanceIdentifier }
        #expect(Set(identifiers + [seed.instanceIdentifier]).count == 7)
        #expect(identifiers[5] == seed.instanceIdentifier)
    }

    @Test func `a fixed instance-id stays whatever changes`() throws {
        for hostname in ["a", "b"] {
            let seed = try Seed(
                node: Samples.node(hostname: hostname, seed: SeedSettings(instanceIdentifier: .fixed("node-7"))))
            #expect(try seed.files.text("meta-data").hasPrefix("instance-id: node-7\n"))
        }
    }

    @Test(arguments: ["", ".", "..", "a/b", "a b", "a\nb", "ä", String(repeating: "a", count: 256)])
    func `an instance-id that names no directory is refused`(identifier: String) throws {
        let node = try Samples.node(seed: SeedSettings(instanceIdentifier: .fixed(identifier)))
        let error = #expect(throws: CloudInitError.self) { try Seed(node: node) }
        #expect(error?.code == .invalidSetting)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `what holds a secret is marked and for its owner alone`() throws {
        func secrets(_ node: NodeImage) throws -> [String] {
            let entries = try Seed(node: node).files.entries
            for entry in entries { #expect((entry.mode == .secret) == entry.isSecret) }
            return entries.filter(\.isSecret).map(\.path.string)
        }
        #expect(try secrets(Samples.node()) == [])
        let hashed = User(name: "a", identifier: 1000, passwordHash: "$6$salt$hash")
        #expect(try secrets(Samples.node(users: [hashed])) == ["user-data"])
        let key = Access.HostKey(algorithm: "ed25519", privateKey: Array("PRIVATE\n".utf8))
        #expect(try secrets(Samples.node(hostKeys: .provided([key]))) == ["user-data"])
        #expect(try secrets(Samples.node(userData: "#cloud-config\n{}\n")) == ["user-data"])
        #expect(try secrets(Samples.node(seed: SeedSettings(vendorData: [0xff]))) == ["vendor-data"])
    }

    @Test func `vendor-data is taken as it is`() throws {
        let bytes = (0...255).map { UInt8($0) }
        let seed = try Seed(node: Samples.node(seed: SeedSettings(vendorData: bytes)))
        #expect(seed.files[try EntryPath("vendor-data")]?.kind == .file(.bytes(bytes)))
    }

    @Test func `the installed command accepts the user-data`() async throws {
        let scratch = try Scratch()
        let key = Access.HostKey(algorithm: "ed25519", privateKey: Array("-----BEGIN\nkey\n-----END\n".utf8))
        let users = [
            User(name: "alpine", identifier: 1000, doas: true, passwordHash: "$6$a$b"),
            User(name: "b", identifier: 1001),
        ]
        let seed = try Seed(node: Samples.node(hostname: "edge.example.com", users: users, hostKeys: .provided([key])))
        let path = try scratch.file("user-data", seed.files.text("user-data"))
        let result = try await run(
            CloudInitPeer.python, ["-m", "cloudinit.cmd.main", "schema", "--config-file", path.string],
            environment: CloudInitPeer.environment)
        #expect(result.succeeded, "\(result.output) \(result.errors)")
        #expect(result.output.contains("Valid cloud-config"))
        let wrong = try scratch.file("wrong", seed.files.text("user-data") + "bootcmd: 3\n")
        let refusal = try await run(
            CloudInitPeer.python, ["-m", "cloudinit.cmd.main", "schema", "--config-file", wrong.string],
            environment: CloudInitPeer.environment)
        #expect(!refusal.succeeded)
    }
}

/// cloud-init's own code reads what is written, and takes every value for what it is.
struct CloudInitReadingTests {
    /// A node and what cloud-init must find.
    private static func judge(_ nodes: [NodeImage]) async throws -> [(Seed, CloudInitPeer.Verdict)] {
        let scratch = try Scratch()
        var seeds: [Seed] = []
        var directories: [FilePath] = []
        for (index, node) in nodes.enumerated() {
            let seed = try Seed(node: node)
            let directory = scratch.path.appending("\(index)")
            try seed.files.write(into: directory)
            seeds.append(seed)
            directories.append(directory)
        }
        let verdicts = try await CloudInitPeer.judge(directories, in: scratch.path)
        #expect(verdicts.count == nodes.count)
        for (node, verdict) in zip(nodes, verdicts) {
            #expect(verdict.refusals == [], "\(node.hostname) \(node.network)")
        }
        return Array(zip(seeds, verdicts))
    }

    @Test func `host names and identifiers that look like something else stay text`() async throws {
        let names = [
            "edge-001", "edge.example.com", "1", "0x1f", "1e3", "true", "null", "no", "y", "on", "2001-01-01", "1.5",
            "0",
            "007", "1-1", "a--b", "0b1", "0o7", "12e03", "685.230", "nan", "inf", "off", "0.0.0.0",
            String(repeating: "a", count: 63),
        ]
        let results = try await Self.judge(names.map { try Samples.node(hostname: $0) })
        for (name, (seed, verdict)) in zip(names, results) {
            #expect(verdict.localHostname == name)
            #expect(verdict.instanceID == seed.instanceIdentifier)
            #expect(verdict.config.contains("\"hostname\": \"\(name)\""))
            #expect(verdict.config.contains("\"fqdn\"") == name.contains("."))
        }
        let identifiers = [
            "true", "1e3", "0x10", "null", "~", "1:30", "#x", "'", "\"", "-", "2001-01-01", "[a]", "{a}", "*a", "&a",
            "!a",
            "|", ">", "%a", "@a", "`a`", "a:", "a#b", "<<", "=", "\\n", "?", ",", "---", "iid-0123456789abcdef",
        ]
        let others = try await Self.judge(
            identifiers.map { try Samples.node(seed: SeedSettings(instanceIdentifier: .fixed($0))) })
        #expect(others.map(\.1.instanceID) == identifiers)
    }

    @Test func `users, keys, hashes, labels and mount points arrive as they were given`() async throws {
        let comments = [
            "", "true", "a: b # c", "\"quoted\" 'it' \\n", "über ✓ 🚀", "  two  blanks", "-", "#cloud-config",
        ]
        let keys = comments.map { SSHPublicKey(type: "ssh-ed25519", base64: "AAAA+/==", comment: $0) }
        let users = [
            User(name: "null", identifier: 1000, doas: true, authorizedKeys: keys),
            User(name: "yes", identifier: 59999, passwordHash: "$6$rounds=5000$a.b/c$d"),
            User(name: "_a-1", identifier: 1002, doas: true, passwordHash: "$y$j9T$"),
        ]
        let text = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n\n  B\n-----END OPENSSH PRIVATE KEY-----\n"
        let key = Access.HostKey(algorithm: "ed25519", privateKey: Array(text.utf8))
        let odd = Access.HostKey(algorithm: "rsa", privateKey: Array(" x\r\n\ty \n\n".utf8))
        let disk = DataDisk(label: "no: #1 'a' \"b\"", mountPoint: "/srv/a b\\c")
        let nodes = [
            try Samples.node(users: users, hostKeys: .provided([key, odd]), dataDisk: disk),
            try Samples.node(users: []),
        ]
        let results = try await Self.judge(nodes)
        let config = try JSONValue(results[0].1.config)
        let found = config["users"]?.items ?? []
        #expect(found.compactMap { $0["name"]?.text } == ["null", "yes", "_a-1"])
        #expect(found.compactMap { $0["uid"]?.number } == [1000, 59999, 1002])
        #expect(found[0]["ssh_authorized_keys"]?.items.compactMap(\.text) == keys.map(\.description))
        #expect(found.compactMap { $0["hashed_passwd"]?.text } == ["*", "$6$rounds=5000$a.b/c$d", "$y$j9T$"])
        #expect(found.allSatisfy { $0["lock_passwd"]?.bool == false })
        #expect(config["ssh_keys"]?["ed25519_private"]?.text == text)
        #expect(config["ssh_keys"]?["rsa_private"]?.text == " x\r\n\ty \n\n")
        #expect(config["mounts"]?.items.first?.items.first?.text == "LABEL=no: #1 'a' \"b\"")
        #expect(config["mounts"]?.items.first?.items[1].text == "/srv/a b\\c")
        #expect(config["write_files"]?.items.first?["content"]?.text == "permit nopass null\npermit nopass _a-1\n")
        let empty = try JSONValue(results[1].1.config)
        #expect(empty["users"]?.items.compactMap { $0["name"]?.text } == ["root"])
        #expect(empty["users"]?.items.first?["lock_passwd"]?.bool == true)
        #expect(empty["write_files"] == nil)
    }

    @Test func `user-data and vendor-data are handed on byte for byte`() async throws {
        let vendor = Array("#!/bin/sh\necho ä\n".utf8)
        let (seed, verdict) = try await Self.judge([Samples.node(seed: SeedSettings(vendorData: vendor))])[0]
        #expect(verdict.userData == Digest(of: Array(try seed.files.text("user-data").utf8)).hex)
        #expect(verdict.vendorData == Digest(of: vendor).hex)
    }

    /// A network, the interfaces that cloud-init must know, and lines that Alpine's interfaces file must hold.
    private struct Variant {
        let network: Network
        let names: [String]
        let lines: [String]
    }

    private static func variants() throws -> [Variant] {
        func address(_ text: String) throws -> InterfaceAddress { try #require(InterfaceAddress(text)) }
        func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
        let plain = { (name: String) in Interface(name: name) }
        return [
            Variant(network: .dhcpOnFirstInterface, names: ["eth0"], lines: ["iface eth0 inet dhcp"]),
            Variant(
                network: Network(interfaces: [Interface(name: "eth0", dhcp4: true, acceptRouterAdvertisements: true)]),
                names: ["eth0"], lines: ["iface eth0 inet dhcp", "accept_ra 1"]),
            Variant(
                network: Network(
                    interfaces: [
                        Interface(
                            name: "eth0", addresses: [try address("192.0.2.10/24")], gateway4: try ip("192.0.2.1"))
                    ], nameservers: [try ip("192.0.2.53"), try ip("2001:db8::53")],
                    searchDomains: ["example.com", "a.b"]),
                names: ["eth0"],
                lines: [
                    "address 192.0.2.10/24", "gateway 192.0.2.1", "dns-nameservers 192.0.2.53 2001:db8::53",
                    "dns-search example.com a.b",
                ]),
            Variant(
                network: Network(interfaces: [
                    Interface(
                        name: "eth0", addresses: [try address("2001:db8::10/64")], gateway6: try ip("2001:db8::1"))
                ]), names: ["eth0"],
                lines: ["iface eth0 inet6 static", "address 2001:db8::10/64", "gateway 2001:db8::1"]),
            Variant(
                network: Network(interfaces: [
                    Interface(
                        name: "eth0",
                        addresses: [
                            try address("192.0.2.10/24"), try address("192.0.2.11/32"), try address("2001:db8::1/64"),
                        ],
                        gateway4: try ip("192.0.2.1"), mtu: 9000)
                ]), names: ["eth0"], lines: ["address 192.0.2.11/32", "address 2001:db8::1/64", "mtu 9000"]),
            Variant(
                network: Network(interfaces: [
                    Interface(name: "eth0", dhcp4: true),
                    Interface(name: "eth1", addresses: [try address("198.51.100.2/24")]),
                ]), names: ["eth0", "eth1"], lines: ["iface eth1 inet static"]),
            Variant(
                network: Network(interfaces: [
                    plain("eth0"), Interface(name: "eth0.100", kind: .vlan(identifier: 100, link: "eth0"), dhcp4: true),
                ]), names: ["eth0", "eth0.100"], lines: ["vlan-raw-device eth0", "iface eth0.100 inet dhcp"]),
            Variant(
                network: Network(interfaces: [
                    Interface(
                        name: "office", kind: .vlan(identifier: 4094, link: "eth7"),
                        addresses: [try address("192.0.2.9/24")])
                ]), names: ["eth7", "office"], lines: ["vlan-raw-device eth7", "vlan_id 4094"]),
            Variant(
                network: Network(interfaces: [
                    Interface(name: "br0", kind: .bridge(ports: ["eth0", "eth1"]), dhcp4: true)
                ]), names: ["br0", "eth0", "eth1"], lines: ["bridge_ports eth0 eth1", "bridge_stp off"]),
            Variant(
                network: Network(interfaces: [
                    Interface(name: "br0", kind: .bridge(ports: []), addresses: [try address("192.0.2.1/24")])
                ]), names: ["br0"], lines: ["iface br0 inet static"]),
            Variant(
                network: Network(interfaces: [
                    plain("eth0"), plain("eth1"),
                    Interface(
                        name: "bond0", kind: .bond(members: ["eth0", "eth1"], mode: "active-backup"), dhcp4: true),
                ]), names: ["bond0", "eth0", "eth1"],
                lines: ["bond-mode active-backup", "bond-miimon 100", "bond-master bond0"]),
            Variant(
                network: Network(interfaces: [
                    Interface(name: "bond0", kind: .bond(members: ["eth0", "eth1"], mode: "802.3ad"), mtu: 9000),
                    Interface(name: "bond0.7", kind: .vlan(identifier: 7, link: "bond0")),
                    Interface(
                        name: "br7", kind: .bridge(ports: ["bond0.7"]), addresses: [try address("192.0.2.1/24")],
                        gateway4: try ip("192.0.2.254")),
                ]), names: ["bond0", "bond0.7", "br7", "eth0", "eth1"],
                lines: ["bond-mode 802.3ad", "bridge_ports bond0.7", "gateway 192.0.2.254"]),
            Variant(
                network: Network(
                    interfaces: [
                        Interface(name: "bond0", kind: .bond(members: ["eth0"], mode: "balance-rr")),
                        Interface(name: "eth9", addresses: [try address("192.0.2.1/24")]),
                    ], nameservers: [try ip("192.0.2.53")]), names: ["bond0", "eth0", "eth9"],
                lines: ["dns-nameservers 192.0.2.53"]),
            Variant(
                network: Network(interfaces: [
                    Interface(name: "1e3", dhcp4: true), Interface(name: "no", dhcp4: true),
                    Interface(name: "0x1", dhcp4: true),
                ]),
                names: ["0x1", "1e3", "no"], lines: ["iface 1e3 inet dhcp"]),
            Variant(network: Network(interfaces: [plain("eth0")]), names: ["eth0"], lines: ["iface eth0 inet manual"]),
        ]
    }

    @Test func `cloud-init makes of every kind of network what the recipe says`() async throws {
        let variants = try Self.variants()
        let results = try await Self.judge(variants.map { try Samples.node(network: $0.network) })
        for (variant, (_, verdict)) in zip(variants, results) {
            #expect(verdict.names.filter { $0 != "lo" } == variant.names)
            for line in variant.lines { #expect(verdict.interfaces.contains(line), "\(verdict.interfaces)") }
        }
    }
}
