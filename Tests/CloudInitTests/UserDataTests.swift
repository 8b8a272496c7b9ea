import Artefact
import CloudInit
import Node
import SystemPackage
import TestSupport
import Testing

struct UserDataTests {
    private func merged(_ userData: String) throws -> String {
        try Seed(node: Samples.node(userData: userData)).files.text("user-data")
    }

    @Test func `a user's document is laid over the generated one key by key`() throws {
        let text = try merged("#cloud-config\ntimezone: Europe/Berlin\nssh_pwauth: true\nruncmd: [[ls, -l], 'a b']\n")
        #expect(text.contains("hostname: edge-001\n"))
        #expect(text.contains("ssh_pwauth: true\n") && !text.contains("ssh_pwauth: false"))
        #expect(text.hasSuffix("timezone: Europe/Berlin\nruncmd:\n  - - ls\n    - -l\n  - \"a b\"\n"))
    }

    @Test func `mappings are merged, lists are replaced with a warning`() throws {
        let key = Access.HostKey(algorithm: "ed25519", privateKey: Array("KEY\n".utf8))
        let node = try Samples.node(
            hostKeys: .provided([key]),
            seed: SeedSettings(
                userData: Array("#cloud-config\nssh_keys:\n  rsa_private: other\nusers:\n  - name: bob\n".utf8)))
        let seed = try Seed(node: node)
        let text = try seed.files.text("user-data")
        #expect(text.contains("ssh_keys:\n  ed25519_private: |\n    KEY\n  rsa_private: other\n"))
        #expect(text.contains("users:\n  - name: bob\n") && !text.contains("name: alpine"))
        #expect(seed.warnings == ["seed.userData:4:1: 'users' replaces the list that follows from the recipe"])
    }

    @Test func `an unknown key is a warning with its place and the key that may be meant`() throws {
        let seed = try Seed(node: Samples.node(userData: "#cloud-config\n# comment\nruncmds: []\nx-mine: 1\n"))
        #expect(
            seed.warnings == [
                "seed.userData:3:1: cloud-init knows no 'runcmds'; did you mean 'runcmd'?",
                "seed.userData:4:1: cloud-init knows no 'x-mine'",
            ])
    }

    /// A document that is refused, and what the message must hold.
    struct Fault: Sendable, CustomTestStringConvertible {
        let text: String
        let reason: String
        var testDescription: String { reason }
    }

    @Test(arguments: [
        Fault(text: "", reason: "seed.userData:1:1: must begin with the line '#cloud-config'"),
        Fault(text: "hostname: a\n", reason: "must begin"), Fault(text: "#!/bin/sh\n", reason: "must begin"),
        Fault(text: " #cloud-config\n", reason: "must begin"),
        Fault(text: "#cloud-config-archive\n[]\n", reason: "must begin"),
        Fault(text: "\u{feff}#cloud-config\n", reason: "must begin"),
        Fault(text: "#Cloud-Config\n", reason: "must begin"),
        Fault(text: "## template: jinja\n#cloud-config\n", reason: "1:1: is a template"),
        Fault(text: "#cloud-config\n- a\n", reason: "seed.userData:2:1: is no mapping"),
        Fault(text: "#cloud-config\ntext\n", reason: "2:1: is no mapping"),
        Fault(text: "#cloud-config\na: b: c\n", reason: "seed.userData:2:5: is no valid YAML: mapping values"),
        Fault(text: "#cloud-config\na: [1, 2\nb: 3\n", reason: "is no valid YAML"),
        Fault(text: "#cloud-config\n\ta: 1\n", reason: "seed.userData:2:1: is no valid YAML"),
        Fault(text: "#cloud-config\na: 'x\n", reason: "is no valid YAML"),
        Fault(text: "#cloud-config\na: 1\na: 2\n", reason: "seed.userData:2:1: the key 'a' is given twice"),
        Fault(text: "#cloud-config\na: 1\n---\nb: 2\n", reason: "is no valid YAML"),
        Fault(text: "#cloud-config\na: *b\n", reason: "seed.userData:2:4: is no valid YAML: found undefined alias"),
        Fault(
            text: "#cloud-config\na: !python/object:os.system x\n",
            reason: "2:4: has the tag '!python/object:os.system'"),
        Fault(text: "#cloud-config\na: !!python/object:os.system x\n", reason: "has the tag 'python/object:os.system'"),
        Fault(text: "#cloud-config\na: !!set {x}\n", reason: "has the tag 'set'"),
        Fault(text: "#cloud-config\n? [a]\n: 1\n", reason: "2:3: has a key that is not simply a word"),
        Fault(text: "#cloud-config\na: &x [1]\n? *x\n: 1\n", reason: "has a key that is not simply a word"),
        Fault(text: "#cloud-config\nx: &x {a: 1}\n<<: *x\n", reason: "has a merge key (<<)"),
        Fault(text: "#cloud-config\na: \0\n", reason: "is no valid YAML: control characters are not allowed"),
    ])
    func `what cannot be laid over the generated document is refused with its place`(fault: Fault) throws {
        let error = #expect(throws: CloudInitError.self) { try merged(fault.text) }
        #expect(error?.code == .invalidUserData)
        #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `bytes that are not UTF-8 are refused`() throws {
        let node = try Samples.node(seed: SeedSettings(userData: Array("#cloud-config\na: ".utf8) + [0xff]))
        #expect(throws: CloudInitError.self) { try Seed(node: node) }
    }

    @Test func `a document made to cost much is refused in little time`() throws {
        var bomb = "#cloud-config\na0: &a0 [x, x]\n"
        for level in 1..<60 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        var keyBomb = bomb
        keyBomb += "? *a59\n: 1\n"
        var textual = "#cloud-config\na0: &a0 \(String(repeating: "x", count: 100_000))\nb: ["
        textual += String(repeating: "*a0, ", count: 200_000) + "]\n"
        let documents = [
            bomb, keyBomb, textual, "#cloud-config\na: " + String(repeating: "[", count: 200_000),
            "#cloud-config\na: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500) + "\n",
            "#cloud-config\n" + (0..<400).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
            "#cloud-config\n" + (0..<120_000).map { "k\($0): 1\n" }.joined(),
            "#cloud-config\na: \"" + String(repeating: "x", count: 5 << 20) + "\"\n",
        ]
        let clock = ContinuousClock()
        for document in documents {
            let time = clock.measure {
                let error = #expect(throws: CloudInitError.self) { try merged(document) }
                #expect((error?.description.utf8.count ?? 0) < 500)
            }
            #expect(time < .seconds(120), "\(document.prefix(60))")
        }
    }

    @Test func `anchors and aliases are written out`() throws {
        let text = try merged(
            "#cloud-config\nbootcmd: &c [ls]\nruncmd: *c\nntp:\n  <<: {enabled: true}\n  servers: ['*x']\n")
        #expect(
            text.hasSuffix(
                "bootcmd:\n  - ls\nruncmd:\n  - ls\nntp:\n  <<:\n    enabled: true\n  servers:\n    - \"*x\"\n"))
    }

    @Test func `whatever a user writes, PyYAML reads the same from the result`() async throws {
        let scratch = try Scratch()
        let seed = 20_260_101
        let making = try await run(
            CloudInitPeer.python, ["-c", Self.generator, "\(seed)", scratch.path.string],
            environment: CloudInitPeer.environment)
        try #require(making.succeeded, "\(making.errors)")
        let names = try HostFile.names(in: scratch.path)
        #expect(names.count == 300)
        var refused: [String] = []
        for name in names {
            let path = scratch.path.appending(name)
            let bytes = try HostFile.read(path, limit: 1 << 20)
            do {
                let text = try Seed(node: Samples.node(seed: SeedSettings(userData: bytes))).files.text("user-data")
                try StagedFile.write(Array(text.utf8), to: scratch.path.appending(name + ".merged"))
            } catch let error as CloudInitError {
                refused.append("\(name): \(error)")
            }
        }
        #expect(refused == [], "seed \(seed)")
        let comparing = try await run(
            CloudInitPeer.python, ["-c", Self.comparison, scratch.path.string], environment: CloudInitPeer.environment)
        #expect(comparing.output == "300 equal\n", "seed \(seed): \(comparing.output.prefix(4000)) \(comparing.errors)")
    }

    /// Documents of nested values with text that is hard to quote, dumped in PyYAML's styles and in loose hand writing.
    private static let generator = #"""
        import random, sys, yaml
        rng = random.Random(int(sys.argv[1]))
        words = ["", " ", "a", "true", "No", "~", "null", "0644", "0o7", "1e3", "1_000", "0x1F", "1:30", "12:30:45", ".5",
                 "2001-01-01", "2001-12-14 21:59:43.10 -5", ".inf", "-.INF", ".nan", "=", "<<", "a: b", "a #b", "#c", "- x",
                 "? x", ": x", "x:", "@x", "`x", "%x", "!x", "&x", "*x", "|", ">", "'q'", '"d"', "b\\s", "tab\there",
                 "two\nlines", "end\n", "end\n\n", "\nstart", "  lead\nx", "trail  \nx", "x\n  y\n\n z\n", "x\r\ny", "é", "日本",
                 "🚀", "\x85", "\u2028", "x\ufeffy", "\x7f", "---", "...", "--- a", "a, b", "[a]", "{a}", "a]", "$HOME `id`",
                 "echo 'a: b' | tee /x", "x" * 300, "long " * 60, "-", "--", "-1", "+1", "1.", "0b1", "y", "on"]
        def value(depth):
            kind = rng.randrange(10)
            if depth > 3 or kind < 5: return rng.choice(words)
            if kind == 5: return rng.choice([True, False, None, 0, -7, 420, 1.5, 1e300, 10**20])
            if kind < 8: return [value(depth + 1) for _ in range(rng.randrange(4))]
            return {rng.choice(words[2:]): value(depth + 1) for _ in range(rng.randrange(4))}
        loose = ["a: 0644\nb: yes\nc: ~\nd:\ne: 1:30\nf: 2001-01-01\ng: .inf\nh: 0o17\n",
                 "a: plain text that\n  goes on\n  and on\nb: >-\n  folded\n  text\nc: |+\n  kept\n\n\nd: 'it''s'\n",
                 "a: {b: [c, d: e], f: }\ng: [http://x/y=1, a:b, -1, '- x']\n",
                 "a: !!str 5\nb: !!binary aGVsbG8=\nc: !!int '7'\nd: !!float 1\ne: ! 12\nf: !!null ''\n",
                 "a: &x {p: 1}\nb: {<<: *x, q: 2}\nc: [*x, *x]\n", "? a\n: 1\n? b\n", "\"a\\tb\": 1\n'c d': 2\n5: x\ntrue: y\n~: z\n",
                 "runcmd:\n- [ sh, -c, \"echo a | tee b\" ]\n- echo 'c' > /d\n- |\n  #!/bin/sh\n  x\n", "{a: 1, b: {}, c: []}\n"]
        for index in range(300):
            if index < len(loose):
                text = loose[index]
            else:
                data = {"key%d" % n: value(0) for n in range(rng.randrange(1, 6))}
                text = yaml.safe_dump(data, default_flow_style=rng.choice([True, False, None]), width=rng.choice([20, 80, 9999]),
                                      allow_unicode=rng.choice([True, False]), default_style=rng.choice([None, None, '"', "'"]),
                                      indent=rng.choice([2, 4, 8]), sort_keys=False)
            with open("%s/%03d" % (sys.argv[2], index), "w", encoding="utf-8", newline="") as file:
                file.write("#cloud-config\n" + text)
        """#

    private static let comparison = #"""
        import math, os, sys, yaml
        def same(a, b):
            if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b): return True
            if type(a) != type(b): return False
            if isinstance(a, dict): return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
            if isinstance(a, list): return len(a) == len(b) and all(map(same, a, b))
            return a == b
        equal = 0
        for name in sorted(os.listdir(sys.argv[1])):
            if name.endswith(".merged"): continue
            path = os.path.join(sys.argv[1], name)
            own = yaml.safe_load(open(path, "rb").read())
            merged = yaml.safe_load(open(path + ".merged", "rb").read())
            if all(key in merged and same(own[key], merged[key]) for key in own): equal += 1
            else: print(name, repr(own), repr({k: merged.get(k) for k in own}))
        print(equal, "equal")
        """#
}
