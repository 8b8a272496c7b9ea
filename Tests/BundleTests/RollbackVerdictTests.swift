import Bundle
import BundleSamples
import Testing

struct RollbackVerdictTests {
    private static func description(_ change: (inout BundleDescription) -> Void) throws -> BundleDescription {
        var description = try Samples.description("1.0.0")
        change(&description)
        return description
    }

    private static func verdict(
        leaving: (inout BundleDescription) -> Void = { _ in }, to target: (inout BundleDescription) -> Void
    ) throws -> RollbackVerdict {
        RollbackVerdict(leaving: try description(leaving), for: try description(target))
    }

    @Test func `within a minor release of KubeSolo the data is used as it is`() throws {
        let verdict = try Self.verdict { $0.kubesolo.version = "v1.2.0" }
        #expect(verdict.kind == .safe && verdict.reason == "both are KubeSolo 1.2")
    }

    @Test(arguments: [("1.1", "1.2"), ("1.9", "1.10"), ("1.9", "2.0")])
    func `an older minor release needs the data of its time, a newer one takes over`(
        older: String, newer: String
    ) throws {
        let back = try Self.verdict(leaving: { $0.datastore.kubesolo = newer }) { $0.datastore.kubesolo = older }
        #expect(back.kind == .needsSnapshot)
        #expect(back.reason == "KubeSolo \(older) does not start on what \(newer) has written")
        let forth = try Self.verdict(leaving: { $0.datastore.kubesolo = older }) { $0.datastore.kubesolo = newer }
        #expect(forth.kind == .safe)
    }

    @Test func `another format needs the data of its time in either direction`() throws {
        let there = try Self.verdict { $0.datastore = .init(kubesolo: "1.3", format: "etcd") }
        let back = try Self.verdict(leaving: { $0.datastore = .init(kubesolo: "1.3", format: "etcd") }) { _ in }
        #expect(there.kind == .needsSnapshot && back.kind == .needsSnapshot)
        #expect(there.reason == "it stores its data as etcd, and the data is kine-sqlite")
    }

    @Test(arguments: ["", "1", "1.x", "1.2.3", "v1.1", "-1.2"])
    func `a version that cannot be compared is not called safe`(odd: String) throws {
        let verdict = try Self.verdict { $0.datastore.kubesolo = odd }
        #expect(verdict.kind == .needsSnapshot && verdict.reason.hasPrefix("nobody knows"), "\(verdict)")
        #expect(
            try Self.verdict(leaving: { $0.datastore.kubesolo = odd }) { $0.datastore.kubesolo = odd }.kind == .safe)
    }

    @Test func `another node or another processor is impossible, whatever the data`() throws {
        let processor = try Self.verdict { $0.architecture = "aarch64" }
        #expect(processor.kind == .impossible && processor.reason == "it is for aarch64, and the node is x86_64")
        let node = try Self.verdict { $0.hostname = "edge-002" }
        #expect(node.kind == .impossible && node.reason == "it is the node edge-002, and the data is that of edge-001")
        let older = try Self.verdict {
            $0.hostname = "edge-002"
            $0.datastore.kubesolo = "1.0"
        }
        #expect(older.kind == .impossible)
        // Without a host name the name of the bundle is that of the node.
        let named = try Self.verdict(leaving: { $0.hostname = "edge" }) { $0.hostname = nil }
        #expect(named.kind == .safe)
    }

    // MARK: Fleets

    /// A change that makes it a bundle of nodes with these host names.
    private static func fleet(_ nodes: KeyValuePairs<String, String>) -> (inout BundleDescription) -> Void {
        { description in
            description.hostname = nil
            description.nodes = nodes.map { BundleNode(name: $0.key, hostname: $0.value) }
        }
    }

    private static func ofFleet(
        _ present: KeyValuePairs<String, String>, to target: KeyValuePairs<String, String>, node: String? = nil
    ) throws -> RollbackVerdict {
        RollbackVerdict(leaving: try description(fleet(present)), for: try description(fleet(target)), node: node)
    }

    @Test func `a fleet goes back safely where each node does, whatever the fleet is called`() throws {
        #expect(try Self.ofFleet(["a": "a", "b": "till"], to: ["a": "a", "b": "till"]).kind == .safe)
        // What only the target has has left no data.
        #expect(try Self.ofFleet(["a": "a"], to: ["a": "a", "b": "b"]).kind == .safe)
        let renamed = try Self.verdict(leaving: Self.fleet(["a": "a"])) { description in
            Self.fleet(["a": "a"])(&description)
            description.name = "other"
        }
        #expect(renamed.kind == .safe)
        let older = try Self.verdict(leaving: Self.fleet(["a": "a"])) { description in
            Self.fleet(["a": "a"])(&description)
            description.datastore.kubesolo = "1.1"
        }
        #expect(older.kind == .needsSnapshot)
    }

    @Test func `the nodes of a fleet that cannot go back are named, the first few of many`() throws {
        let one = try Self.ofFleet(["a": "other", "b": "b"], to: ["a": "a", "b": "b"])
        #expect(one.kind == .impossible && one.reason == "a there is the node a, and the data is that of other")
        let both = try Self.ofFleet(
            ["a": "x", "b": "y", "c": "c", "d": "d"], to: ["a": "a", "b": "b", "c": "c"])
        #expect(both.kind == .impossible)
        #expect(both.reason == "the nodes a, b have other host names there than their data; it has no node d")
        let many = try Self.ofFleet(["a": "a", "b": "b", "c": "c", "d": "d", "e": "e", "f": "f"], to: ["f": "f"])
        #expect(many.kind == .impossible && many.reason == "it has no nodes a, b, c and 2 more")
    }

    @Test func `one node of a fleet is judged by itself`() throws {
        let (present, target): (KeyValuePairs, KeyValuePairs) = (
            ["a": "other", "b": "b", "c": "c"], ["a": "a", "b": "b"]
        )
        let other = try Self.ofFleet(present, to: target, node: "a")
        #expect(other.kind == .impossible && other.reason == "it is the node a, and the data is that of other")
        #expect(try Self.ofFleet(present, to: target, node: "b").kind == .safe)
        let missing = try Self.ofFleet(present, to: target, node: "c")
        #expect(missing.kind == .impossible && missing.reason == "it has no node c")
        let foreign = try Self.ofFleet(present, to: target, node: "d")
        #expect(foreign.kind == .impossible && foreign.reason == "the data is that of a fleet without the node d")
    }

    @Test func `between a fleet and one node there is no way, even with the same names`() throws {
        let single: (inout BundleDescription) -> Void = { $0.hostname = "edge" }
        let there = try Self.verdict(leaving: Self.fleet(["edge": "edge"]), to: single)
        #expect(there.kind == .impossible)
        #expect(there.reason == "it is for one node, and the data is that of a fleet's nodes")
        let back = try Self.verdict(leaving: single, to: Self.fleet(["edge": "edge"]))
        #expect(back.kind == .impossible && back.reason == "it is for a fleet, and the data is that of one node")
    }

    @Test func `the name of a node of a fleet is in its evidence`() throws {
        let fleet = try Self.description(Self.fleet(["a": "a", "b": "b"]))
        #expect(fleet.evidence("health state=healthy", of: "a") == "node a, one of 2: health state=healthy")
        #expect(try Self.description { _ in }.evidence("health state=healthy", of: "a") == "health state=healthy")
    }
}
