import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct FleetTests {
    private func fleet(_ text: String, version: String = "1.4.0") throws -> [String: NodeImage] {
        let recipe = try decoded("apiVersion: ksbuild/v1\nname: edge\n" + text)
        let fleet = try #require(recipe.fleet(version: version))
        return Dictionary(fleet.nodes.map { ($0.name, fleet.image(of: $0)) }) { first, _ in first }
    }

    @Test func `a node is the recipe with what it says laid over it`() throws {
        let nodes = try fleet(
            """
            hostname: base.example.org
            network:
              nameservers: [192.0.2.53]
              interfaces: { eth0: { dhcp4: true, mtu: 1400 }, eth1: { dhcp4: true } }
            kubesolo: { release: v1.2.3, config: { network: { mtu: 1400, nodeIP: 192.0.2.1 }, extra: { a: 1 } } }
            storage: { data: { serial: base, label: STATE } }
            packages: [nftables]
            health: { timeout: 700, stable: 40 }
            nodes:
              b: { hostname: bee.example.org }
              a:
                network: { interfaces: { eth0: { addresses: [192.0.2.9/24] } } }
                kubesolo: { config: { network: { mtu: 1300 }, extra: { b: 2 } } }
                storage: { data: { size: 8GiB } }
                health: { stable: 60 }
            """)
        #expect(nodes.count == 2)
        let a = try #require(nodes["a"])
        let b = try #require(nodes["b"])
        #expect(a.hostname == "a" && b.hostname == "bee.example.org")
        #expect(a.releaseName == "edge-a-1.4.0-x86_64" && b.releaseName == "edge-b-1.4.0-x86_64")
        // An interface is given whole; the others stay.
        let card = try #require(a.network.interfaces.first { $0.name == "eth0" })
        #expect(!card.dhcp4 && card.mtu == nil && card.addresses.map(\.description) == ["192.0.2.9/24"])
        #expect(a.network.interfaces.contains { $0.name == "eth1" && $0.dhcp4 })
        #expect(a.network.nameservers == b.network.nameservers && a.network.nameservers.count == 1)
        #expect(a.kubesolo.configuration["network"]?["mtu"] == .integer(1300))
        #expect(a.kubesolo.configuration["network"]?["nodeIP"] == .string("192.0.2.1"))
        #expect(a.kubesolo.configuration["extra"]?["a"] == .integer(1))
        #expect(a.kubesolo.configuration["extra"]?["b"] == .integer(2))
        #expect(a.kubesolo.version.description == "v1.2.3")
        #expect(a.dataDisk.match == .size(8 << 30) && a.dataDisk.label == "STATE")
        #expect(b.dataDisk.match == .serial("base"))
        #expect(a.health == HealthGate(timeout: 700, stable: 60) && b.health == HealthGate(timeout: 700, stable: 40))
        #expect(a.packages == b.packages && a.packages.contains("nftables"))
    }

    @Test func `the order of keys and nodes does not matter`() throws {
        let one = try fleet("nodes: { a: {}, b: { hostname: x, health: { stable: 60 } } }\n")
        let other = try fleet("nodes: { b: { health: { stable: 60 }, hostname: x }, a: {} }\n")
        #expect(one == other)
    }

    @Test func `the instance-id follows from node and version, unless the recipe gives one`() throws {
        let text = "nodes: { a: {}, b: { seed: { instanceID: mine } }, c: { seed: { instanceID: content } } }\n"
        let first = try fleet(text)
        let second = try fleet(text, version: "1.5.0")
        #expect(first["a"]?.seed.instanceIdentifier == .fixed("a-1.4.0"))
        #expect(second["a"]?.seed.instanceIdentifier == .fixed("a-1.5.0"))
        #expect(first["b"]?.seed.instanceIdentifier == .fixed("mine"))
        #expect(first["c"]?.seed.instanceIdentifier == .content)
    }

    @Test func `every name, hardware address, UUID, instance-id and static address that two nodes have is reported`() {
        let uuid = "01234567-89ab-cdef-0123-456789abcdef"
        let text = """
            apiVersion: ksbuild/v1
            seed: { instanceID: same }
            nodes:
              a: { mac: 52:54:00:12:34:56, uuid: \(uuid), network: { interfaces: { eth0: { addresses: [192.0.2.9/24] } } } }
              b: { mac: 52:54:00:12:34:56, uuid: \(uuid), network: { interfaces: { eth0: { addresses: [192.0.2.9/25] } } } }
              c: { hostname: a, network: { interfaces: { eth0: { addresses: ['fe80::1/64', 192.0.2.9/24] } } } }
              d: { network: { interfaces: { eth0: { addresses: ['fe80::1/64', 192.0.2.10/24] } } } }
              e: { site: far, network: { interfaces: { eth0: { addresses: [192.0.2.9/24] } } } }
            """
        let problems = reading(text).faults.map { "\($0.keyPath): \($0.problem)" }.sorted()
        #expect(
            problems == [
                "nodes.b.mac: 52:54:00:12:34:56 is also the hardware address of a (4:13)",
                "nodes.b.network.interfaces.eth0.addresses[0]: 192.0.2.9 is also the address of a (4:121)",
                "nodes.b.uuid: \(uuid) is also the UUID of a (4:38)",
                "nodes.b: same is also the instance-id of a (4:3)",
                "nodes.c.hostname: a is also the host name of a (4:3)",
                "nodes.c.network.interfaces.eth0.addresses[1]: 192.0.2.9 is also the address of a (4:121)",
                "nodes.c: same is also the instance-id of a (4:3)",
                "nodes.d: same is also the instance-id of a (4:3)",
                "nodes.e: same is also the instance-id of a (4:3)",
            ])
    }

    @Test func `what is wrong with the recipe itself is told once, however many nodes it has`() {
        let nodes = (0..<20).map { "  n\($0): {}" }.joined(separator: "\n")
        let found = reading("apiVersion: ksbuild/v1\naccess: { users: [{ name: root }] }\nnodes:\n\(nodes)\n")
        #expect(found.faults.count == 1 && found.faults.first?.keyPath == "access.users[0].name")
        let doubtful = reading("apiVersion: ksbuild/v1\nnodes:\n\(nodes)\n")
        #expect(doubtful.faults.isEmpty && doubtful.warnings.count == 1)
    }

    @Test func `a host key of the recipe is one key for all, which is doubtful`() async throws {
        let scratch = try Scratch()
        _ = try await makeSite(scratch)
        let text = "apiVersion: ksbuild/v1\naccess: { hostKeys: file:host_key }\nnodes: { a: {}, b: {} }\n"
        let found = reading(text, directory: scratch.path)
        #expect(found.faults.isEmpty && found.warnings.contains { $0.keyPath == "access.hostKeys" })
    }

    @Test func `a choice that is made after reading counts for every node`() throws {
        let recipe = try decoded("apiVersion: ksbuild/v1\nalpine: { release: '3.22' }\nnodes: { a: {} }\n")
            .choosing(alpine: "3.23.4", named: "--alpine")
        let fleet = try #require(recipe.fleet())
        #expect(fleet.nodes.map { fleet.image(of: $0).alpine.version } == ["3.23.4"])
    }
}
