import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

/// What is found in a recipe with nodes: for whom it holds, where it is told and how often.
struct FleetFindingsTests {
    private func faults(_ text: String) -> [String] { lines(reading("apiVersion: ksbuild/v1\n" + text).faults) }

    private func warnings(_ text: String, _ directory: FilePath = "/nonexistent") -> [String] {
        lines(reading("apiVersion: ksbuild/v1\n" + text, directory: directory).warnings)
    }

    private func lines(_ found: [ConfigurationFault]) -> [String] {
        found.sorted(by: ConfigurationFault.precedes)
            .map { "\($0.line):\($0.column) \($0.keyPath): \($0.problem)" }
    }

    private let keyed = "access: { users: [{ name: ops, authorizedKeys: ['\(publicKey)'] }] }\n"

    @Test func `a fault of the recipe that only a node makes is told at the node, once for all that make it`() {
        let found = faults(
            """
            health: { timeout: 600, stable: 90 }
            nodes:
              v: {}
              w: { health: { timeout: 70 } }
              x: { health: { timeout: 80 } }
              y: { health: { timeout: 80 } }
              z: { health: { stable: 700 } }
            """)
        #expect(
            found == [
                "5:3 nodes.w: health.stable (2:33): is 90 s, which never pass within the timeout of 70 s",
                "6:3 nodes.x: health.stable (2:33): is 90 s, which never pass within the timeout of 80 s (nodes x and y)",
                "8:26 nodes.z.health.stable: is 700 s, which never pass within the timeout of 600 s",
            ])
    }

    @Test func `what is wrong in the recipe's configuration is told once, there, and a node's at the node`() {
        let found = faults(
            """
            kubesolo: { config: { path: /x, kind: z } }
            nodes:
              a: { kubesolo: { config: { extra: { b: 2 } } } }
              b: { kubesolo: { config: { extra: { b: 3 }, path: /z } } }
            """)
        #expect(
            found.map { String($0.prefix { $0 != " " }) } == ["2:23", "2:33", "5:47"]
                && found.last?.contains(" nodes.b.kubesolo.config.path: follows from") == true, "\(found)")
        let doubts = warnings(
            keyed + """
                kubesolo: { config: { extra: { token: x, list: [{ token: y }] }, api: { enabled: true } } }
                nodes:
                  a: { kubesolo: { config: { extra: { b: 2 } } } }
                  b: { kubesolo: { config: { extra: { token: z }, api: { enabled: false } } } }
                  c: { kubesolo: { config: { extra: { list: [{ token: y }] } } } }
                """)
        let secret = "is a secret that stands in the recipe for all to read"
        #expect(
            doubts.filter { $0.contains(secret) } == [
                "3:21 kubesolo.config.extra.list[0].token: \(secret) (nodes a and b)",
                "3:21 kubesolo.config.extra.token: \(secret) (nodes a and c)",
                "6:28 nodes.b.kubesolo.config.extra.token: \(secret)",
                "7:28 nodes.c.kubesolo.config.extra.list[0].token: \(secret)",
            ], "\(doubts)")
        #expect(doubts.count == 5 && doubts.contains { $0.hasPrefix("3:21 kubesolo.config.api: lets") })
    }

    @Test func `a warning about the recipe holds where it holds for a node, and names the nodes unless it is all`() {
        let own = "{ access: { users: [{ name: ops, authorizedKeys: ['\(publicKey)'] }] } }"
        #expect(warnings("nodes:\n  a: \(own)\n  b: \(own)\n").isEmpty)
        let text = "gives no user a key, so that nobody can log in over SSH"
        #expect(warnings("nodes:\n  a: {}\n  b: { hostname: x }\n") == ["0:0 access.users: \(text)"])
        #expect(
            warnings("nodes:\n  a: \(own)\n  b: {}\n  c: {}\n  d: {}\n  e: {}\n  f: {}\n")
                == ["0:0 access.users: \(text) (nodes b, c, d and 2 more)"])
        #expect(
            warnings(keyed + "nodes:\n  a: {}\n  b: { access: { users: [{ name: x }] } }\n")
                == ["5:25 nodes.b.access.users: \(text)"])
        #expect(warnings("nodes:\n  a: { access: { hostKeys: fresh } }\n  b: {}\n").count == 1)
    }

    @Test func `nodes that have one host key are named, key by key`() async throws {
        let scratch = try Scratch()
        _ = try await makeSite(scratch)
        let other = scratch.path.appending("other_key").string
        _ = try await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "other", "-f", other])
        let bytes = try HostFile.read(scratch.path.appending("host_key"), limit: 9999)
        try scratch.file("same_key", String(decoding: bytes, as: UTF8.self))
        let text = """
            access: { hostKeys: file:host_key, users: [{ name: ops, authorizedKeys: ['\(publicKey)'] }] }
            nodes:
              a: { access: { hostKeys: file:other_key } }
              b: {}
              c: { access: { hostKeys: persistent } }
              d: { access: { hostKeys: file:same_key } }
              e: { access: { hostKeys: file:other_key } }
              f: { access: { hostKeys: file:other_key } }
              g: { access: { hostKeys: file:other_key } }
            """
        func problem(_ nodes: String) -> String {
            "gives \(nodes) the same host key, so that each can pass for the others"
        }
        #expect(
            warnings(text, scratch.path) == [
                "2:21 access.hostKeys: \(problem("nodes b and d"))",
                "4:28 nodes.a.access.hostKeys: \(problem("nodes a, e, f and 1 more"))",
            ])
        let alone = text.split(separator: "\n").prefix(4).joined(separator: "\n") + "\n"
        #expect(warnings(alone, scratch.path).isEmpty)
    }

    @Test func `no two nodes are one edge device`() {
        let device = "portainer: { edgeID: shared-1, edgeKey: file:/dev/null }\n"
        let problem = "shared-1 is also the portainer.edgeID of a (4:3)"
        let found = faults(device + "nodes:\n  a: {}\n  b: { portainer: { edgeID: own-2 } }\n  c: {}\n")
        #expect(found.filter { $0.contains("is also") } == ["6:3 nodes.c: \(problem)"], "\(found)")
        let given = faults(device + "nodes:\n  a: {}\n  b: { portainer: { edgeID: shared-1 } }\n")
        #expect(given.contains("5:29 nodes.b.portainer.edgeID: \(problem)"), "\(given)")
        let passed = "kubesolo: { config: { portainer: { edgeID: shared-1 } } }\nnodes:\n  a: {}\n  c: {}\n"
        #expect(faults(passed) == ["5:3 nodes.c: \(problem)"])
    }

    @Test func `an instance-id that another node has by its name and the version is reported`() {
        let found = faults(
            """
            nodes:
              d: { seed: { instanceID: e-1.0.0 } }
              e: {}
              f-1: {}
              g: { seed: { instanceID: f-1-2.0.0-rc.1 } }
              h: { seed: { instanceID: h-1.0.0 } }
              i: { seed: { instanceID: e-1 } }
            """)
        #expect(
            found == [
                "3:28 nodes.d.seed.instanceID: e-1.0.0 is also the instance-id of e (4:3) at version 1.0.0",
                "6:28 nodes.g.seed.instanceID: f-1-2.0.0-rc.1 is also the instance-id of f-1 (5:3) at version 2.0.0-rc.1",
            ])
    }

    @Test func `nodes without a site are at one of their own where others have one, which is doubtful`() {
        let card = "network: { interfaces: { eth0: { addresses: [192.0.2.9/24] } } }"
        let text = keyed + "nodes:\n  a: { \(card) }\n  b: { site: s1, \(card) }\n  c: {}\n"
        #expect(faults(text).isEmpty)
        let found = warnings(text)
        #expect(found.count == 1 && found.first?.hasPrefix("4:3 nodes.a: has no site") == true, "\(found)")
        #expect(found.first?.hasSuffix("(node a)") == true)
        #expect(warnings(keyed + "nodes:\n  a: { \(card) }\n  b: { site: s1 }\n").isEmpty)
        #expect(warnings(keyed + "nodes:\n  a: { site: s2, \(card) }\n  b: { site: s1, \(card) }\n").isEmpty)
    }

    @Test func `a hardware address is that of one card`() {
        let found = reading(
            """
            apiVersion: ksbuild/v1
            nodes:
              a: { mac: 01:00:5e:00:00:01 }
              b: { mac: 00:00:00:00:00:00 }
              c: { mac: ff:ff:ff:ff:ff:ff }
              d: { mac: 0a:00:5E:00:00:01 }
            """
        ).faults
        #expect(found.map(\.keyPath).sorted() == ["nodes.a.mac", "nodes.b.mac", "nodes.c.mac"])
        let group = "is not a hardware address: it is the address of a group of cards"
        #expect(found.count { $0.problem.hasSuffix(group) } == 2)
        #expect(found.contains { $0.problem == "is all zeros, which is no card's address" })
    }

    @Test func `what Portainer is told may be split between the recipe and its nodes`() throws {
        let text = """
            apiVersion: ksbuild/v1
            portainer: { image: registry.example.org/agent:2, async: true }
            nodes:
              a: { portainer: { edgeID: one, edgeKey: env:KEY } }
              b: { portainer: { edgeID: two, edgeKey: env:KEY } }

            """
        let environment = ["KEY": "portainer-edge-key"]
        let fleet = try #require(try decoded(text, environment: environment).fleet())
        #expect(fleet.nodes.map { fleet.image(of: $0).portainer?.edgeID } == ["one", "two"])
        #expect(fleet.nodes.allSatisfy { fleet.image(of: $0).portainer?.isAsynchronous == true })
        let found = reading(text + "  c: {}\n  d: { portainer: { edgeID: four } }\n", environment: environment).faults
        #expect(
            lines(found) == [
                "6:3 nodes.c: portainer.edgeID (2:12): is missing", "6:3 nodes.c: portainer.edgeKey (2:12): is missing",
                "7:19 nodes.d.portainer.edgeKey: is missing",
            ])
        let refused = reading(text + "  c: { portainer: { edgeID: c, edgeKey: x } }\n", environment: environment).faults
        #expect(refused.map(\.keyPath) == ["nodes.c.portainer.edgeKey"])
    }

    @Test func `a node takes the recipe's mirrors back without a warning, and is told how to say nothing`() throws {
        let mirrors = "registries: { docker.io: { mirrors: ['https://m.example.org'] } }\n"
        let text = "\(keyed)\(mirrors)nodes: { a: { registries: { docker.io: { mirrors: [] } } }, b: {} }\n"
        let recipe = try decoded("apiVersion: ksbuild/v1\n" + text)
        #expect(recipe.warnings.isEmpty)
        let fleet = try #require(recipe.fleet())
        #expect(fleet.nodes.map { fleet.image(of: $0).registries.count } == [0, 1])
        #expect(warnings(keyed + "registries: { docker.io: { mirrors: [] } }\n").count == 1)
        let found = reading("apiVersion: ksbuild/v1\nnodes:\n  a:\n  b: { proxy: }\n").faults
        #expect(
            Dictionary(found.map { ($0.keyPath, $0.hint) }) { first, _ in first } == [
                "nodes.a": "write {} for a node with nothing of its own",
                "nodes.b.proxy": "leave the key out; what the recipe gives stays in force",
            ])
    }

    @Test func `a file is read once, and everything that refers to it sees the same bytes`() throws {
        let scratch = try Scratch()
        let references = ReferenceReader(
            directory: scratch.path, surroundings: Surroundings(environment: [:], workingDirectory: scratch.path))
        try scratch.file("data", "first")
        #expect(try references.bytes(of: .file("data"), limit: 9).bytes == Array("first".utf8))
        try scratch.file("data", "other")
        #expect(try references.bytes(of: .file("./data"), limit: 9).bytes == Array("first".utf8))
        #expect(throws: ReferenceProblem.self) { try references.bytes(of: .file("data"), limit: 4) }
    }
}
