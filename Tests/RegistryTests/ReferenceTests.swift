import Artefact
import Registry
import Testing

/// References, by the grammar of the OCI distribution specification.
struct ReferenceTests {
    private static let hex = String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        ("ghcr.io/team/edge", "ghcr.io", "team/edge", nil, false),
        ("ghcr.io/team/edge:1.4.0", "ghcr.io", "team/edge", "1.4.0", false),
        ("GHCR.io/team/edge:V1", "ghcr.io", "team/edge", "V1", false),
        ("localhost:5000/edge", "localhost:5000", "edge", nil, false),
        ("localhost:5000/a/b/c:latest", "localhost:5000", "a/b/c", "latest", false),
        ("[::1]:5000/edge:_x", "[::1]:5000", "edge", "_x", false),
        ("[::1]/edge", "[::1]", "edge", nil, false),
        ("10.0.0.1:443/a.b_c__d---e/f:1.0.0-rc.1_7", "10.0.0.1:443", "a.b_c__d---e/f", "1.0.0-rc.1_7", false),
        ("r/e@sha256:\(hex)", "r", "e", nil, true),
        ("r.example/e:1@sha256:\(hex)", "r.example", "e", "1", true),
    ])
    func `a reference is taken apart`(
        _ text: String, _ registry: String, _ repository: String, _ tag: String?, _ isPinned: Bool
    ) throws {
        let reference = try RegistryReference(text)
        #expect(reference.registry == registry)
        #expect(reference.repository == repository)
        #expect(reference.tag == tag)
        #expect((reference.digest?.hex == Self.hex) == isPinned)
        #expect(try RegistryReference(reference.description) == reference)
    }

    @Test(arguments: [
        "", "edge", "edge:1.0", "/edge", "ghcr.io/", "ghcr.io//edge", "ghcr.io/edge/", "ghcr.io/Edge", "ghcr.io/a..b",
        "ghcr.io/a___b", "ghcr.io/.a", "ghcr.io/a.", "ghcr.io/a._b", "ghcr.io/../b", "ghcr.io/a b", "ghcr.io/a:",
        "ghcr.io/a:-x", "ghcr.io/a:.x", "ghcr.io/a:b:c", "ghcr.io/a:b+c", "ghcr.io:0/a", "ghcr.io:65536/a",
        "ghcr.io:x/a",
        "ghcr.io:/a", "-ghcr.io/a", "ghcr..io/a", "[::1/a", "[zz]/a", "user@ghcr.io/a", "user:secret@ghcr.io/a",
        "https://ghcr.io/a", "ghcr.io/a@sha256:12", "ghcr.io/a@sha512:\(hex)", "ghcr.io/a@sha256:\(hex)0",
        "ghcr.io/a@sha256:\(hex.uppercased())", "ghcr.io/ä", "ghcr.io/a?b", "ghcr.io/a#b", "ghcr.io/a%2fb",
        "ghcr.io/a\n",
        "ghcr.io/\(String(repeating: "a", count: 256))", "ghcr.io/a:\(String(repeating: "t", count: 129))",
    ])
    func `what is no reference is refused with the reason`(_ text: String) {
        let error = #expect(throws: RegistryError.self) { try RegistryReference(text) }
        #expect(error?.code == .invalidReference)
        #expect(error?.failureClass == .usage)
        #expect(error?.description.contains("\n") == false)
    }

    @Test(arguments: [
        "somebody:hunter2@ghcr.io/a", "hunter2@ghcr.io/a", "somebody:hunter2@ghcr.io/a@sha256:\(hex)",
        "somebody:hun/ter2@ghcr.io/a:1", "somebody:hun@ter2@ghcr.io/a", "somebody:hunter2@ghcr.io",
        "somebody:hun/ter2@ghcr.io:5000", "somebody:hunter2@sha256:\(hex)", "@ghcr.io/a", "ghcr.io/hunter2@latest",
    ])
    func `a login in a reference is refused, and nothing before its sign is shown`(_ text: String) throws {
        let error = try #require(throws: RegistryError.self) { try RegistryReference(text) }
        #expect(error.code == .invalidReference)
        #expect(error.failureClass == .usage)
        for part in ["somebody", "hunter2", "hun", "ter2"] { #expect(!error.description.contains(part), "\(error)") }
        #expect(error.description.contains("docker login or REGISTRY_AUTH_FILE"), "\(error)")
    }

    @Test(arguments: ["ghcr.io/a@sha512:12", "ghcr.io/a@sha256:12", "ghcr.io/a@SHA256:12"])
    func `a digest that is none is told of as such`(_ text: String) throws {
        let error = try #require(throws: RegistryError.self) { try RegistryReference(text) }
        #expect(error.description.contains("has a digest that is not"), "\(error)")
        #expect(error.description.contains(text), "\(error)")
    }

    @Test(arguments: [
        ("localhost/a", true), ("localhost:5000/a", true), ("127.0.0.1:5000/a", true), ("127.9.9.9/a", true),
        ("[::1]:5000/a", true), ("127.0.0.1.example.org/a", false), ("localhost.example.org/a", false),
        ("128.0.0.1/a", false), ("[::2]/a", false), ("127.1/a", false),
    ])
    func `loopback is known by its own names only`(_ text: String, _ isLoopback: Bool) throws {
        #expect(try RegistryReference(text).isLoopback == isLoopback)
    }
}
