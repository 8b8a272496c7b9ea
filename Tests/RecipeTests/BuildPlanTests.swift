import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct BuildPlanTests {
    private func plan(
        _ text: String, _ scratch: borrowing Scratch, hostKey: String
    ) throws -> BuildPlan {
        let recipe = try decoded(text, directory: scratch.path, environment: surroundingValues)
        var overlay = FileTree()
        try overlay.addFile("etc/hostname", "edge\n", origin: "network")
        try overlay.addFile("etc/shadow.d/alice", hashOfAlice, mode: .secret, origin: "access", isSecret: true)
        try overlay.addFile("etc/ssh/ssh_host_ed25519_key", hostKey, mode: .secret, origin: "access", isSecret: true)
        try overlay.addSymlink("etc/runlevels/default/sshd", to: "/etc/init.d/sshd", origin: "services")
        try overlay.insert(
            TreeEntry(
                path: EntryPath("usr/libexec/big"),
                kind: .file(.file(scratch.path.pushing("overlays/site/etc/motd"), size: 6)), mode: .executable,
                owner: 7,
                group: 8, origin: "layer overlays/site"))
        var seed = FileTree()
        try seed.addFile("user-data", "user-data-secret", mode: .secret, origin: "seed", isSecret: true)
        return try BuildPlan(
            recipe: recipe, node: recipe.node(version: "1.4.0"),
            outputs: [
                BuildPlan.Output(role: "overlay", name: "edge.apkovl.tar.gz", holdsSecrets: true),
                BuildPlan.Output(role: "seed", name: "cidata.iso", holdsSecrets: true),
            ], trees: [("overlay", overlay), ("seed", seed)],
            covered: [BuildPlan.Covered(path: try EntryPath("etc/hostname"), origin: "base")],
            inputs: [
                BuildPlan.Input(role: "alpine", name: "alpine-standard-3.23.6-aarch64.iso", state: .missing, size: 5),
                BuildPlan.Input(
                    role: "token", name: "token", state: .present, digest: Digest(of: [1]), isSecret: true),
            ], warnings: ["something is odd"], unchecked: ["packages: no image at hand"])
    }

    @Test func `no rendering shows a secret`() async throws {
        let scratch = try Scratch()
        let hostKey = try await makeSite(scratch)
        let plan = try plan(fullRecipe, scratch, hostKey: hostKey)
        let secrets =
            [
                hashOfAlice, hashOfBob, "user-data-secret", "vendor-data-secret", "top-secret-edge-key", "PRIVATE KEY",
                "portainer-edge-key", "proxy-password",
            ]
            + hostKey.split(separator: "\n").map(String.init)
        let digests = [hashOfAlice, hashOfAlice + "\n", hostKey, "user-data-secret"].map {
            Digest(of: Array($0.utf8)).hex
        }
        for rendering in [plan.text, plan.json] {
            for secret in secrets + digests + [Digest(of: [1]).hex] {
                #expect(!rendering.contains(secret), "\(secret)")
            }
            #expect(rendering.contains("etc/shadow.d/alice") && rendering.contains("(secret)"))
        }
    }

    @Test func `no rendering shows what the overlay holds as a secret`() throws {
        let text = """
            apiVersion: ksbuild/v1
            kubesolo:
              config:
                portainer: { tokens: [hunter2], edge_key_b64: hunter2, edgeKeys: [hunter2] }
                auth: { passwd: hunter2 }
                credentials: { pass: hunter2 }
                kubelet: { taints: [{ key: dedicated }] }
            """
        let recipe = try decoded(text)
        let plan = try BuildPlan(recipe: recipe, node: recipe.node(), outputs: [], trees: [])
        for rendering in [plan.text, plan.json] {
            #expect(!rendering.contains("hunter2") && rendering.contains("dedicated"))
        }
        let paths = ["portainer.tokens", "portainer.edge_key_b64", "portainer.edgeKeys", "auth.passwd", "credentials"]
        let warned = recipe.warnings.filter { $0.problem.hasPrefix("is a secret") }.map(\.keyPath)
        #expect(Set(warned) == Set(paths.map { "kubesolo.config.\($0)" }))
    }

    @Test func `the plan lists every entry with mode, owner, origin and size`() async throws {
        let scratch = try Scratch()
        let hostKey = try await makeSite(scratch)
        let plan = try plan(fullRecipe, scratch, hostKey: hostKey)
        let digest = Digest(of: Array("edge\n".utf8)).hex
        let text = plan.text
        func hasRow(_ words: String) -> Bool {
            text.split(separator: "\n").contains { $0.split(separator: " ").joined(separator: " ") == words }
        }
        #expect(hasRow("0644 0:0 5 etc/hostname network, over base"))
        #expect(hasRow("0755 7:8 6 usr/libexec/big layer overlays/site"))
        #expect(hasRow("0777 0:0 - etc/runlevels/default/sshd -> /etc/init.d/sshd services"))
        #expect(hasRow("0755 0:0 - etc/ network"))
        #expect(hasRow("overlay edge.apkovl.tar.gz holds secrets"))
        #expect(hasRow("alpine alpine-standard-3.23.6-aarch64.iso missing 5 bytes"))
        #expect(hasRow("something is odd") && hasRow("packages: no image at hand"))
        #expect(text.contains("hostname") && text.contains("edge-001.example.org"))
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).allSatisfy { $0.last != " " })
        #expect(plan.json.contains(digest) && plan.json.contains(Digest(of: Array("hello\n".utf8)).hex))
        #expect(!plan.isComplete)
    }

    @Test func `the JSON of a plan is JSON with sorted keys`() async throws {
        let scratch = try Scratch()
        let hostKey = try await makeSite(scratch)
        let json = try plan(fullRecipe, scratch, hostKey: hostKey).json
        let again = try await run(
            "/usr/bin/python3",
            [
                "-c",
                "import json, sys; print(json.dumps(json.load(sys.stdin), indent=2, sort_keys=True, ensure_ascii=False))",
            ],
            input: json)
        let python = again.output.replacing("[]", with: "").replacing("{}", with: "")
        #expect(again.succeeded && python == json.replacing("[]", with: "").replacing("{}", with: ""))
    }

    @Test func `text that JSON must escape comes back as it was`() async throws {
        let odd = String(String.UnicodeScalarView((1...0x2ff).compactMap(Unicode.Scalar.init))) + "\u{0}😀\u{2028}\"\\"
        let again = try await run(
            "/usr/bin/python3", ["-c", "import json, sys; sys.stdout.write(json.load(sys.stdin)['a'])"],
            input: ConfigValue.object(("a", .string(odd))).json)
        #expect(again.output == odd)
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `the order of keys changes nothing`(seed: UInt64) async throws {
        let scratch = try Scratch()
        let hostKey = try await makeSite(scratch)
        var chance = SeededGenerator(state: seed)
        let good = try plan(fullRecipe, scratch, hostKey: hostKey)
        let tree = try #require(reading(fullRecipe).source).configValue
        let text = shuffled(tree, &chance).json
        #expect(text != tree.json)
        let other = try plan(text, scratch, hostKey: hostKey)
        #expect(other.node == good.node, "seed \(seed)")
        let facts = [good, other].map {
            $0.json.split(separator: "\n").filter {
                !$0.contains("r.yaml") && !$0.contains("\"sha256\"") && !$0.contains("\"size\"")
            }
        }
        #expect(facts[0] == facts[1], "seed \(seed)")
    }

    private func shuffled(_ value: ConfigValue, _ chance: inout SeededGenerator) -> ConfigValue {
        switch value {
        case .mapping(let pairs):
            return .mapping(
                pairs.map { ConfigValue.Pair($0.key, shuffled($0.value, &chance)) }.shuffled(using: &chance))
        case .sequence(let values): return .sequence(values.map { shuffled($0, &chance) })
        default: return value
        }
    }

    @Test func `a file that changed since its tree was made is noticed`() async throws {
        let scratch = try Scratch()
        let recipe = try decoded("apiVersion: ksbuild/v1\n")
        var tree = FileTree()
        let file = try scratch.file("x", "12345")
        try tree.insert(
            TreeEntry(path: EntryPath("x"), kind: .file(.file(file, size: 4)), mode: .file, origin: "layer"))
        #expect(throws: ArtefactError.self) {
            try BuildPlan(recipe: recipe, node: recipe.node(), outputs: [], trees: [("overlay", tree)])
        }
    }
}
