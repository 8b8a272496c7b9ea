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
}
