import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

struct KubeSoloSettingsTests {
    private func settings(
        _ configuration: ConfigValue = .mapping([]), version: String = "v1.2.1", mount: String = "/var/lib/kubesolo"
    ) throws -> KubeSoloSettings {
        let version = try #require(KubeSoloVersion(version))
        return KubeSoloSettings(
            KubeSolo(version: version, variant: .offline, configuration: configuration),
            disk: DataDisk(mountPoint: mount))
    }

    private func nested(_ path: String, _ value: ConfigValue) -> ConfigValue {
        path.split(separator: ".").reversed().reduce(value) { .mapping([.init(String($1), $0)]) }
    }

    @Test func `the file has its header, and the path only where it is not the default`() throws {
        #expect(try settings().file() == "apiVersion: kubesolo.io/v1alpha1\nkind: Config\n")
        #expect(
            try settings(nested("network.mtu", .integer(1400)), mount: "/srv/kubesolo").file() == """
                apiVersion: kubesolo.io/v1alpha1
                kind: Config
                network:
                  mtu: 1400
                path: "/srv/kubesolo"

                """)
    }

    @Test(arguments: [
        ("v1.1.3", "--path=/var/lib/kubesolo", "TERM/5/TERM/60/KILL/10"),
        ("v1.2.0", "--path=/var/lib/kubesolo", "TERM/5/TERM/60/KILL/10"),
        ("v1.2.1", "--config=/etc/kubesolo/config.yaml", "TERM/5/TERM/60/KILL/10"),
        ("v1.2.2", "--config=/etc/kubesolo/config.yaml", "TERM/90/KILL/10"),
        ("v1.3.0", "--config=/etc/kubesolo/config.yaml", "TERM/90/KILL/10"),
    ])
    func `each release is started and stopped its own way`(version: String, argument: String, retry: String) throws {
        let version = try #require(KubeSoloVersion(version))
        let tree = try Overlay(node: .example { $0.kubesolo.version = version }, binary: nil, resources: resources).tree
        let service = try #require(try tree.text("etc/conf.d/kubesolo"))
        #expect(service.contains("kubesolo_argument='\(argument)'\n"))
        #expect(service.contains("retry='\(retry)'\n"))
        #expect((tree[try EntryPath("etc/kubesolo/config.yaml")] != nil) == argument.hasPrefix("--config"))
    }

    @Test func `a setting without a variable is refused for a release without a file`() throws {
        let configuration = nested("kubernetes.nodeName", .string("x"))
        #expect {
            try settings(configuration, version: "v1.2.0").environment()
        } throws: { error in
            let description = "\(error)"
            return description.hasPrefix("kubesolo.config.kubernetes.nodeName: ") && description.contains("v1.2.0")
        }
        #expect(try settings(configuration).file().contains("nodeName: x"))
    }

    @Test func `settings that are mappings become sorted words with commas`() throws {
        let configuration = nested(
            "kubernetes.kubelet",
            .mapping([
                .init("systemReserved", .mapping([.init("memory", .string("500Mi")), .init("cpu", .integer(1))])),
                .init(
                    "cpuManager",
                    .mapping([
                        .init("policy", .string("static")), .init("reservedCPUs", .string("0-1")),
                        .init("policyOptions", .mapping([.init("full-pcpus-only", .bool(true))])),
                    ])),
            ]))
        let variables = try settings(configuration, version: "v1.2.0").environment().map { "\($0.name)=\($0.value)" }
        #expect(
            variables == [
                "KUBESOLO_SYSTEM_RESERVED=cpu=1,memory=500Mi", "KUBESOLO_CPU_MANAGER_POLICY=static",
                "KUBESOLO_RESERVED_CPUS=0-1", "KUBESOLO_CPU_MANAGER_POLICY_OPTIONS=full-pcpus-only=true",
            ])
    }

    @Test(arguments: [("a,b", "1"), ("a=b", "1"), ("a", "1,b=2")])
    func `what would fall apart in a variable is refused`(key: String, value: String) throws {
        let configuration = nested("kubernetes.kubelet.systemReserved", .mapping([.init(key, .string(value))]))
        #expect {
            try settings(configuration, version: "v1.2.0").environment()
        } throws: {
            ($0 as? OverlayError)?.code == .invalidValue
        }
    }

    @Test(arguments: [
        ("network.nodeIP", "192.0.2.10", "v1.1.7", "v1.1.8"), ("storage.dbWALRepair", "true", "v1.1.4", "v1.1.5"),
    ])
    func `a setting is refused for a release that does not know it yet`(
        path: String, value: String, old: String, since: String
    ) throws {
        let configuration = nested(path, .string(value))
        #expect {
            try settings(configuration, version: old).environment()
        } throws: {
            "\($0)".hasPrefix("kubesolo.config.\(path): needs \(since), and KubeSolo \(old) ")
        }
        #expect(try settings(configuration, version: since).environment().map(\.value) == [value])
    }

    @Test func `an address of the node that it never gets is refused`() throws {
        func made(_ address: String, _ interfaces: [Interface]) throws {
            _ = try Overlay(
                node: .example {
                    $0.kubesolo.configuration = nested("network.nodeIP", .string(address))
                    $0.network = Network(interfaces: interfaces, nameservers: $0.network.nameservers)
                }, binary: nil, resources: resources)
        }
        let own = try #require(InterfaceAddress("192.0.2.10/24"))
        let fixed = Interface(name: "eth0", addresses: [own])
        let leased = Interface(name: "eth1", dhcp4: true)
        try made("192.0.2.10", [fixed])
        try made("192.0.2.11", [fixed, leased])
        try made("", [fixed])
        for (address, interfaces) in [
            ("192.0.2.11", [fixed]), ("192.0.2.1", []), ("node1", [leased]), ("2001:db8::1", [leased]),
        ] {
            #expect {
                try made(address, interfaces)
            } throws: {
                "\($0)".hasPrefix("kubesolo.config.network.nodeIP: ")
            }
        }
    }

    @Test func `Portainer's agent is configured in the form that the release reads`() throws {
        let portainer = Portainer(edgeID: "abc", edgeKey: "aHR0cHM", image: "docker.io/portainer/agent:2.27")
        let newer = try Overlay(node: .example { $0.portainer = portainer }, binary: nil, resources: resources).tree
        #expect(
            try newer.text("etc/kubesolo/config.yaml")?.hasSuffix(
                """
                api:
                  enabled: false
                portainer:
                  async: false
                  edgeID: abc
                  edgeKey: aHR0cHM
                  image: "docker.io/portainer/agent:2.27"

                """) == true)
        #expect(newer[try EntryPath("etc/kubesolo/config.yaml")]?.isSecret == true)
        let older = try Overlay(
            node: .example { node in
                node.portainer = portainer
                node.kubesolo.version = KubeSoloVersion("v1.2.0") ?? node.kubesolo.version
            }, binary: nil, resources: resources
        ).tree
        let settings = try #require(try older.text("etc/conf.d/kubesolo"))
        for line in ["EDGE_ASYNC='false'", "EDGE_ID='abc'", "EDGE_KEY='aHR0cHM'"] {
            #expect(settings.contains("export KUBESOLO_PORTAINER_\(line)\n"), "\(settings)")
        }
        #expect(older[try EntryPath("etc/conf.d/kubesolo")]?.isSecret == true)
        #expect {
            try Overlay(
                node: .example { node in
                    node.portainer = portainer
                    node.kubesolo.configuration = nested("portainer.edgeID", .string("x"))
                }, binary: nil, resources: resources)
        } throws: {
            "\($0)".hasPrefix("kubesolo.config.portainer: is also said by portainer")
        }
    }

    @Test func `a proxy with a password makes the settings a secret`() throws {
        for (url, isSecret) in [("http://me:word@proxy:3128", true), ("http://proxy:3128", false)] {
            let tree = try Overlay(
                node: .example { $0.proxy = Proxy(http: url) }, binary: nil, resources: resources
            ).tree
            #expect(tree[try EntryPath("etc/conf.d/kubesolo")]?.isSecret == isSecret)
            #expect(try tree.text("etc/conf.d/kubesolo")?.contains("export HTTP_PROXY='\(url)'\n") == true)
        }
    }

    @Test func `the laboratory's KubeSolo knows every variable of the table`() async throws {
        let program = labRoot.removingLastComponent().pushing("kubesolo/bin/kubesolo-v1.2.0")
        let help = try await TestSupport.run(program.string, ["--help"])
        let text = help.output + help.errors
        for name in KubeSoloVariable.all.values.map(\.name) {
            let flag = "--" + name.lowercased().replacing("_", with: "-")
            let negated = "--[no-]" + flag.dropFirst(2)
            #expect(text.contains(flag) || text.contains(negated), "\(name)")
        }
    }

    @Test func `the laboratory's KubeSolo resolves the file to what the recipe says`() async throws {
        let scratch = try Scratch()
        let configuration = ConfigValue.mapping([
            .init("network", .mapping([.init("mtu", .integer(1400)), .init("nodeIP", .string("192.0.2.10"))])),
            .init("storage", .mapping([.init("localPath", .mapping([.init("enabled", .bool(false))]))])),
            .init(
                "kubernetes",
                .mapping([
                    .init(
                        "apiServer",
                        .mapping([.init("extraSANs", .sequence([.string("a.example"), .string("10.0.0.1")]))]))
                ])),
        ])
        let file = try scratch.file("config.yaml", try settings(configuration, mount: "/srv/data").file())
        let program = labRoot.removingLastComponent().pushing("kubesolo/bin/kubesolo-v1.2.2")
        let result = try await TestSupport.run(program.string, ["--config=\(file)", "--print-config"])
        #expect(result.succeeded, "\(result.errors)")
        for line in ["mtu: 1400", "nodeIP: 192.0.2.10", "path: /srv/data", "a.example", "10.0.0.1", "enabled: false"] {
            #expect(result.output.contains(line), "\(line)\n\(result.output)")
        }
    }

    @Test(arguments: ["apiVersion", "kind", "path"])
    func `what ksbuild decides cannot be configured`(key: String) throws {
        #expect(throws: OverlayError.self) { try settings(nested(key, .string("x"))).file() }
        #expect(throws: OverlayError.self) { try settings(nested(key, .string("x")), version: "v1.2.0").environment() }
    }

    @Test func `the path of the data disk may be repeated`() throws {
        let configuration = nested("path", .string("/srv/x"))
        #expect(try settings(configuration, mount: "/srv/x").file().hasSuffix("kind: Config\npath: \"/srv/x\"\n"))
    }

    @Test(arguments: [
        ("portainer.edgeKey", true), ("pki.caKey", true), ("kubernetes.kubelet.bootstrapToken", true),
        ("kubernetes.kubelet.bootstrapKubeconfig", true), ("network.mtu", false), ("portainer.edgeID", false),
        ("auth.passwd", true), ("credentials.pass", true), ("portainer.edge_key_b64", true),
    ])
    func `keys of secrets make the file one`(path: String, isSecret: Bool) throws {
        let configuration = nested(path, .string("x"))
        #expect(try settings(configuration).holdsSecrets == isSecret)
        let tree = try Overlay(
            node: .example { $0.kubesolo.configuration = configuration }, binary: nil, resources: resources
        ).tree
        let entry = try #require(tree[try EntryPath("etc/kubesolo/config.yaml")])
        #expect(entry.isSecret == isSecret)
        #expect(entry.mode == .secret)
    }
}

struct YAMLTextTests {
    /// What Python's reader makes of a document, as JSON with sorted keys.
    private func read(_ text: String) async throws -> String {
        let program = "import sys, json, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer), sort_keys=True))"
        let result = try await TestSupport.run("/usr/bin/python3", ["-c", program], input: text)
        guard result.succeeded else { return "\(result.errors)\n\(text)" }
        return String(result.output.dropLast())
    }

    /// A value as Python writes it as JSON.
    private func json(_ value: ConfigValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .real(let value): "\(value)"
        case .string(let value): quoted(value)
        case .sequence(let values): "[" + values.map(json).joined(separator: ", ") + "]"
        case .mapping(let pairs):
            "{"
                + pairs.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
                .map { "\(quoted($0.key)): \(json($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: result += "\\\""
            case 0x5c: result += "\\\\"
            case 0x0a: result += "\\n"
            case 0x0d: result += "\\r"
            case 0x09: result += "\\t"
            case 0x08: result += "\\b"
            case 0x0c: result += "\\f"
            case 0x20...0x7e: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }

    @Test func `words and signs that YAML takes for something else stay text`() async throws {
        let words = [
            "", "yes", "No", "on", "OFF", "true", "NULL", "~", "y", "N", "1", "1.5", "0x1f", "0o7", "1e3", ".inf",
            "inf",
            "2026-01-01", "12:30", "-", "- a", "a: b", "a #b", "#", "&a", "*a", "!t", "|", ">", "%", "@", "`", "[", "{",
            "'",
            "\"", "\\", "a\nb", "\t", " a", "a ", "é", "€", "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}", "\u{1}", "😀",
            "---",
            "...", "=", "<<", "a,b", "?", "path/to.x-y_z",
        ]
        let value = ConfigValue.mapping(words.enumerated().map { .init("k\($0.offset)", .string($0.element)) })
        #expect(try await read(YAMLText.document(value)) == json(value))
        let keys = ConfigValue.mapping(words.filter { !$0.isEmpty && $0 != "<<" }.map { .init($0, .integer(1)) })
        #expect(try await read(YAMLText.document(keys)) == json(keys))
    }

    @Test func `numbers are read back as numbers by YAML 1.1 too`() async throws {
        let numbers = [1e20, -1e-7, 1.5e300, 0.1, 1000, 2.5e-300]
        let value = ConfigValue.sequence(numbers.map { .real($0) })
        let program = "import sys, yaml; print(all(type(v) is float for v in yaml.safe_load(sys.stdin.buffer)))"
        let result = try await TestSupport.run("/usr/bin/python3", ["-c", program], input: YAMLText.document(value))
        #expect(result.output == "True\n", "\(result.errors)")
        #expect(try YAMLText.document(.real(1e20)) == "1.0e+20\n")
    }

    @Test func `random values are read back as they were`() async throws {
        let seed: UInt64 = 7
        var random = SplitMix(state: seed)
        for _ in 0..<40 {
            let value = ConfigValue.mapping([.init("v", make(&random, depth: 0))])
            #expect(try await read(YAMLText.document(value)) == json(value), "seed \(seed)")
        }
    }

    private func make(_ random: inout SplitMix, depth: Int) -> ConfigValue {
        switch random.next() % (depth < 4 ? 8 : 5) {
        case 0: return .null
        case 1: return .bool(random.next() % 2 == 0)
        case 2: return .integer(Int64(bitPattern: random.next()))
        case 3, 4: return .string(text(&random))
        case 5: return .sequence((0..<random.next() % 4).map { _ in make(&random, depth: depth + 1) })
        default:
            let keys = Set((0..<random.next() % 4).map { _ in "k" + text(&random) }).sorted()
            return .mapping(keys.map { .init($0, make(&random, depth: depth + 1)) })
        }
    }

    private func text(_ random: inout SplitMix) -> String {
        let alphabet = Array("ab: #-\n\"'\\\t{}[],&*!|>%@`?é😀01.".unicodeScalars)
        var text = ""
        for _ in 0..<Int(random.next() % 8) {
            text.unicodeScalars.append(alphabet[Int(random.next() % UInt64(alphabet.count))])
        }
        return text
    }

    @Test func `depth has a limit, and what is no number is refused`() {
        let deep = (0..<100).reduce(ConfigValue.integer(1)) { value, _ in .mapping([.init("a", value)]) }
        #expect(throws: OverlayError.self) { try YAMLText.document(deep) }
        #expect(throws: OverlayError.self) { try YAMLText.document(.mapping([.init("a", .real(.nan))])) }
    }
}
