import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct DecodeTests {
    @Test func `the shortest recipe is the default node`() throws {
        let node = try decoded("apiVersion: ksbuild/v1\n").node(version: "1.4.0")
        #expect(node.name == "kubesolo" && node.hostname == "kubesolo")
        #expect(node.alpine == AlpineRelease(version: "3.23.6", flavor: .virt) && node.architecture == .x86_64)
        #expect(node.kubesolo == KubeSolo(version: KubeSoloVersion(major: 1, minor: 2, patch: 2), variant: .offline))
        #expect(node.network == .dhcpOnFirstInterface)
        #expect(node.access == Access(users: [User(name: "alpine", identifier: 1000, doas: true)]))
        #expect(node.dataDisk == DataDisk())
        #expect(node.packages == ["chrony", "doas", "e2fsprogs", "e2fsprogs-extra", "openssh", "openssl"])
        #expect(node.consoles == ["tty0", "ttyS0"] && node.kernelParameters.isEmpty)
        #expect(node.seed == SeedSettings() && node.layers.isEmpty && node.repositories.isEmpty)
        #expect(node.stamp == BuildStamp(version: "1.4.0", epoch: BuildStamp.defaultEpoch))
    }

    @Test func `every default of the schema is what the decoder takes`() throws {
        let spelled = """
            apiVersion: ksbuild/v1
            name: kubesolo
            hostname: kubesolo
            alpine: { release: 3.23.6, flavor: virt, arch: x86_64 }
            kubesolo: { release: v1.2.2, variant: offline, config: {} }
            network: { interfaces: { eth0: { dhcp4: true, acceptRA: false, addresses: [], nameservers: [] } }, nameservers: [], search: [] }
            access: { users: [ { name: alpine, uid: 1000, doas: true, authorizedKeys: [] } ], hostKeys: persistent }
            storage: { data: { label: KUBESOLO, serial: ksbuild-data, mount: /var/lib/kubesolo, format: if-blank, snapshots: 3 } }
            packages: []
            repositories: []
            layers: []
            kernel: { console: [tty0, ttyS0], parameters: [] }
            seed: { instanceID: content }
            health: { timeout: 600, stable: 30 }
            epoch: 1767225600
            trust: []
            vm: { memory: 1GiB, cpus: 2, disk: 8GiB, network: default }
            """
        let short = try decoded("apiVersion: ksbuild/v1\n")
        let long = try decoded(spelled)
        #expect(long.node() == short.node())
        #expect(long.recipe.machine == short.recipe.machine)
        // What is spelled out here is what the schema says.
        for (path, value) in defaults(RecipeSchema.root, "") {
            let words = value.split(separator: "\"").joined()
            #expect(spelled.contains("\(path.split(separator: ".").last ?? ""): \(words)"), "\(path): \(value)")
        }
    }

    private func defaults(_ schema: Schema, _ path: String) -> [(String, String)] {
        switch schema {
        case .object(let fields):
            // What a node says has the recipe's own defaults.
            return fields.filter { $0.name != "nodes" }.flatMap { field -> [(String, String)] in
                let below = path.isEmpty ? field.name : "\(path).\(field.name)"
                if below.hasSuffix("bond.mode") || below.hasSuffix("bridge.ports") || below.hasSuffix("users[].doas")
                    || below.hasSuffix("*.dhcp4") || below.hasPrefix("portainer.") || below.hasPrefix("proxy.")
                {
                    return []
                }
                guard case .value(let value) = field.absent else { return defaults(field.schema, below) }
                if case .sequence(let values) = value {
                    let words = values.map { $0.json }.joined(separator: ", ")
                    return [(below, "[\(words)]")]
                }
                return [(below, value.json)]
            }
        case .table(_, let value): return defaults(value, "\(path).*")
        case .list(let value, _): return defaults(value, "\(path)[]")
        default: return []
        }
    }

    @Test func `a recipe that says everything is taken as it says`() async throws {
        let scratch = try Scratch()
        let hostKey = try await makeSite(scratch)
        let recipe = try decoded(fullRecipe, directory: scratch.path, environment: surroundingValues)
        let node = recipe.node(version: "2.0.0")
        #expect(node.name == "edge" && node.hostname == "edge-001.example.org" && node.architecture == .aarch64)
        #expect(node.alpine.flavor == .standard)
        #expect(node.alpine.sha256?.hex == "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
        #expect(node.kubesolo.version.description == "v1.3.0" && node.kubesolo.variant == .online)
        #expect(node.kubesolo.sha256?.hex == String(repeating: "a", count: 64))
        #expect(node.kubesolo.configuration["network"]?["mtu"] == .integer(1400))
        #expect(
            node.kubesolo.configuration["kubernetes"]?["apiServer"]?["extraSANs"]
                == .sequence([.string("edge.example.org"), .string("10")]))
        #expect(node.kubesolo.configuration["ratio"] == .real(0.5) && node.kubesolo.configuration["nothing"] == .null)
        #expect(node.network.interfaces.map(\.name) == ["eth0", "eth1", "eth2", "bond0", "br0", "br0.7", "eth3"])
        let byName = Dictionary(uniqueKeysWithValues: node.network.interfaces.map { ($0.name, $0) })
        #expect(byName["bond0"]?.kind == .bond(members: ["eth1", "eth2"], mode: "802.3ad"))
        #expect(byName["br0"]?.kind == .bridge(ports: ["bond0"]))
        #expect(byName["br0.7"]?.kind == .vlan(identifier: 7, link: "br0"))
        #expect(byName["eth3"]?.addresses.map(\.description) == ["192.0.2.10/24", "2001:db8::10/64"])
        #expect(
            byName["eth3"]?.gateway4?.description == "192.0.2.1" && byName["eth3"]?.gateway6?.description == "fe80::1")
        #expect(byName["eth0"]?.mtu == 1500 && byName["eth0"]?.acceptRouterAdvertisements == true)
        #expect(node.network.nameservers.map(\.description) == ["192.0.2.54", "192.0.2.55", "192.0.2.53"])
        #expect(node.network.searchDomains == ["example.org", "lan"])
        let key = try SSHPublicKey(parsing: publicKey)
        #expect(
            node.access.users == [
                User(name: "alice", identifier: 1500, doas: true, authorizedKeys: [key], passwordHash: hashOfAlice),
                User(name: "bob", identifier: 1000, authorizedKeys: [key], passwordHash: hashOfBob),
            ])
        #expect(
            node.access.hostKeys == .provided([Access.HostKey(algorithm: "ed25519", privateKey: Array(hostKey.utf8))]))
        #expect(
            node.dataDisk
                == DataDisk(label: "STATE", mountPoint: "/var/lib/state", match: .size(8 << 30), format: .never))
        #expect(
            node.packages == [
                "chrony", "doas", "e2fsprogs", "e2fsprogs-extra", "iptables", "nftables", "openssh", "openssl",
            ])
        #expect(node.repositories == ["https://dl-cdn.alpinelinux.org/alpine/v3.23/main", "/media/sdb1/apks"])
        #expect(node.layers == [scratch.path.pushing("overlays/site"), scratch.path.pushing("overlays/more")])
        #expect(
            node.ownPackages
                == OwnPackages(
                    directory: scratch.path.pushing("overlays/more"), key: scratch.path.pushing("keys/mine.rsa")))
        #expect(node.consoles == ["tty0", "ttyS0", "hvc0"])
        #expect(node.seed.instanceIdentifier == .fixed("edge-001-a"))
        #expect(
            node.seed.userData?.starts(with: "#cloud-config\nchpasswd".utf8) == true
                && node.seed.vendorData?.starts(with: "#cloud".utf8) == true)
        #expect(
            node.portainer
                == Portainer(
                    edgeID: "abc-1", edgeKey: "portainer-edge-key", image: "registry.example.org/agent:2",
                    isAsynchronous: true))
        #expect(
            node.proxy
                == Proxy(
                    http: "http://proxy.example.org:3128",
                    https: "http://me:proxy-password@proxy.example.org:3129", exceptions: [".example.org"]))
        #expect(node.registries.map(\.registry) == ["_default", "docker.io"])
        #expect(node.registries[0].mirrors == ["http://192.0.2.9:5000"])
        #expect(node.health == HealthGate(timeout: 900, stable: 45))
        #expect(node.stamp == BuildStamp(version: "2.0.0", epoch: 1_700_000_000))
        #expect(recipe.recipe.machine.memory == 2 << 30 && recipe.recipe.machine.disk == 16 << 30)
        #expect(recipe.recipe.machine.processors == 4 && recipe.recipe.machine.network == "lab")
        #expect(recipe.inputs.map(\.keyPath).contains("access.users[0].passwordHash"))
        #expect(recipe.inputs.allSatisfy { $0.isSecret == ($0.digest == nil) })
        // alice has the same key inline and from the file.
        #expect(recipe.warnings.contains { $0.keyPath == "access.users[0].authorizedKeys[1]" })
        #expect(recipe.warnings.contains { $0.keyPath == "kubesolo.config.extra.edgeKey" })
    }

    @Test func `the decoder asks for every key of the schema and for no other`() async throws {
        let scratch = try Scratch()
        _ = try await makeSite(scratch)
        let own = fullRecipe.replacing("size: 8GiB", with: "serial: x")
        let sections = ["network", "access", "storage", "layers", "portainer", "proxy", "registries", "health"]
        let ofNode = own.split(separator: "\n", omittingEmptySubsequences: false).reduce(
            into: (lines: [String](), on: false)
        ) {
            if let first = $1.first, first != " " { $0.on = sections.contains(String($1.prefix { $0 != ":" })) }
            if $0.on { $0.lines.append("    " + $1) }
        }.lines
        let head = """

            nodes:
              edge-001:
                hostname: edge-1
                site: here
                mac: 52:54:00:12:34:56
                uuid: 01234567-89ab-cdef-0123-456789ABCDEF
                kubesolo: { config: { network: { mtu: 1300 } } }
                seed: { instanceID: x, userData: file:user-data.yaml, vendorData: file:vendor-data }

            """
        let text = own + head + ofNode.joined(separator: "\n") + "\n"
        let found = reading(text, directory: scratch.path, environment: surroundingValues)
        #expect(found.faults.isEmpty, "\(found.faults.first?.description ?? "")")
        let taken = reading(text, directory: scratch.path, environment: surroundingValues).keysTaken
        #expect(taken == Set(RecipeSchema.root.keyPaths()))
    }

    @Test func `all faults are reported together, in the order of the file`() throws {
        let text = """
            hostnme: x
            name: Bad
            name: good
            alpine: { release: 3.23 }
            network:
              interfaces:
                eth0: { addresses: [192.0.2.0/24, 192.0.2.9/24], gateway4: 198.51.100.1, dhcp4: yes }
            access: { users: [{ name: root, authorizedKeys: [AAAA] }] }
            storage: { data: { device: /dev/vda } }
            """
        let error = #expect(throws: RecipeFaults.self) { try decoded(text) }
        let faults = try #require(error)
        #expect(
            faults.faults.map(\.keyPath) == [
                "apiVersion", "hostnme", "name", "alpine.release", "network.interfaces.eth0.addresses[0]",
                "network.interfaces.eth0.dhcp4", "access.users[0].name", "access.users[0].authorizedKeys[0]",
                "storage.data.device",
            ])
        #expect(faults.description.split(separator: "\n").count == faults.faults.count)
    }

    @Test func `a key that is given three times is found twice`() {
        let faults = reading("apiVersion: ksbuild/v1\nname: a\nname: b\n\"name\": c\n").faults
        #expect(faults.map(\.line) == [4, 4])
        #expect(
            faults.map(\.problem) == [
                "is given twice (the first stands at 2:1)", "is given twice (the first stands at 3:1)",
            ])
    }

    @Test func `a recipe that is missing has its own exit class`() throws {
        let scratch = try Scratch()
        let surroundings = Surroundings(workingDirectory: scratch.path)
        let missing = #expect(throws: RecipeFaults.self) {
            try RecipeFile.decode("ksbuild.yaml", surroundings: surroundings)
        }
        #expect(missing?.failureClass == .noInput)
        #expect(
            missing?.description
                == "ksbuild.yaml: there is no such recipe; write one with 'ksbuild init', or name another with --recipe"
        )
        let directory = #expect(throws: RecipeFaults.self) { try RecipeFile.decode(".", surroundings: surroundings) }
        #expect(directory?.failureClass == .noInput)
    }

    @Test func `a recipe is found from the working directory, and its files from its own`() throws {
        let scratch = try Scratch()
        try scratch.file(
            "site/ksbuild.yaml",
            "apiVersion: ksbuild/v1\naccess: { users: [{ name: a, authorizedKeys: ['file:../k.pub', 'file:~/h.pub'] }] }\n"
        )
        try scratch.file("k.pub", publicKey + "\n")
        try scratch.file("home/h.pub", publicKey + "\r\n")
        let surroundings = Surroundings(workingDirectory: scratch.path, home: scratch.path.appending("home"))
        let recipe = try RecipeFile.decode("site/ksbuild.yaml", surroundings: surroundings)
        #expect(recipe.file == "site/ksbuild.yaml")
        #expect(
            recipe.inputs.map(\.path) == [
                scratch.path.pushing("site/ksbuild.yaml"), scratch.path.appending("k.pub"),
                scratch.path.pushing("home/h.pub"),
            ])
        #expect(recipe.node().access.users.first?.authorizedKeys.count == 1)
    }

    @Test(.timeLimit(.minutes(20)), arguments: [0, 300_000])
    func `a recipe comes through a pipe whose writer is slow, and its files from the working directory`(
        padding: Int
    ) async throws {
        let scratch = try Scratch()
        try scratch.file("k.pub", publicKey + "\n")
        let pipe = scratch.path.pushing("pipes/recipe")
        try HostFile.makeDirectory(pipe.removingLastComponent())
        #expect(try await run("mkfifo", [pipe.string]).succeeded)
        // The writer goes on behind the shell that starts it, because reading holds this thread up.
        let script = """
            { sleep 0.3
              { echo 'apiVersion: ksbuild/v1'; sleep 0.3; head -c \(padding) /dev/zero | tr '\\0' '\\n'
                echo "access: { users: [{ name: a, authorizedKeys: ['file:k.pub'] }] }"; } > '\(pipe)'
            } < /dev/null > /dev/null 2>&1 &
            """
        #expect(try await run("sh", ["-c", script]).succeeded)
        let recipe = try RecipeFile.decode(pipe, surroundings: Surroundings(workingDirectory: scratch.path))
        #expect(recipe.inputs.map(\.path) == [pipe, scratch.path.appending("k.pub")])
    }

    @Test(arguments: [("0", 0), ("1700000000", 1_700_000_000), ("", 5)])
    func `SOURCE_DATE_EPOCH wins over the recipe`(value: String, epoch: Int64) throws {
        let recipe = try decoded("apiVersion: ksbuild/v1\nepoch: 5\n", environment: ["SOURCE_DATE_EPOCH": value])
        #expect(recipe.node().stamp.epoch == epoch)
    }

    @Test(arguments: ["x", "-1", "1.5", "4294967296", "99999999999999999999", " 5", "+5"])
    func `a SOURCE_DATE_EPOCH that is no time is a fault`(value: String) throws {
        let error = #expect(throws: RecipeFaults.self) {
            try decoded("apiVersion: ksbuild/v1\n", environment: ["SOURCE_DATE_EPOCH": value])
        }
        #expect(error?.description.hasPrefix("SOURCE_DATE_EPOCH: ") == true)
        #expect(error?.failureClass == .data)
    }

    @Test(arguments: [
        ("0.1", 0.1), ("1.50", 1.5), ("1e3", 1000), ("-2.5E-3", -0.0025), ("+.5", 0.5), ("5.", 5), ("0.0e9", 0),
        ("1e22", 1e22), ("1.7976931348623157e308", 1.7976931348623157e308),
    ])
    func `a number that 64 bits hold is passed on`(text: String, value: Double) throws {
        let recipe = try decoded("apiVersion: ksbuild/v1\nkubesolo: { config: { a: \(text) } }\n")
        #expect(recipe.node().kubesolo.configuration["a"] == .real(value))
    }

    @Test func `variables are not expanded`() throws {
        let faults = reading("apiVersion: ksbuild/v1\nhostname: ${HOST}\n", environment: ["HOST": "x"]).faults
        #expect(faults.count == 1)
    }

    @Test func `a private key in the place of a public one is refused without a trace of it`() async throws {
        let scratch = try Scratch()
        let key = try await makeSite(scratch)
        let text = "apiVersion: ksbuild/v1\naccess: { users: [{ name: a, authorizedKeys: ['file:host_key'] }] }\n"
        let result = reading(text, directory: scratch.path)
        #expect(result.faults.map(\.problem) == ["refers to a private key, which must never get into an image"])
        #expect(result.inputs.isEmpty)
        let pasted = key.split(separator: "\n").map { "          \($0)\n" }.joined()
        let inline =
            "apiVersion: ksbuild/v1\naccess:\n  users:\n    - name: a\n      authorizedKeys:\n        - |\n\(pasted)"
        let faults = reading(inline).faults
        #expect(faults.count == 1)
        for line in key.split(separator: "\n") { #expect(!faults.description.contains(line)) }
    }

    @Test(arguments: ["hunter2", "$1$abc$def", "", "a\nb"])
    func `a reference to what is no hash is refused without showing it`(hash: String) throws {
        let text = "apiVersion: ksbuild/v1\naccess: { users: [{ name: a, passwordHash: 'env:H' }] }\n"
        let faults = reading(text, environment: ["H": hash]).faults
        #expect(faults.map(\.keyPath) == ["access.users[0].passwordHash"])
        #expect(!faults.description.contains("hunter2") && !faults.description.contains("$1$"))
    }

    @Test(arguments: ["https://bob:s3cret@h.example/x", "ftp://s3cret@h.example/"])
    func `an address with a login is refused without showing it`(address: String) {
        let faults = reading("apiVersion: ksbuild/v1\nrepositories: ['\(address)']\n").faults
        #expect(faults.map(\.keyPath) == ["repositories[0]"])
        #expect(!faults.description.contains("s3cret"), "\(faults)")
    }

    @Test(arguments: ["v1.1.3", "v1.1.9", "v1.2.0", "v1.2.1"])
    func `an old KubeSolo gives a warning`(version: String) throws {
        let recipe = try decoded("apiVersion: ksbuild/v1\nkubesolo: { release: \(version) }\n")
        #expect(recipe.warnings.contains { $0.keyPath == "kubesolo.release" && $0.line == 2 && $0.column == 22 })
    }

    @Test func `an edge recipe of the documentation is taken`() throws {
        let text = """
            apiVersion: ksbuild/v1
            network:
              interfaces:
                eth0: { dhcp4: true }
                eth1: { addresses: [192.0.2.10/24, "2001:db8::10/64"], gateway4: 192.0.2.1, nameservers: [192.0.2.53] }
            access:
              users: [ { name: alpine, doas: true, authorizedKeys: [\(publicKey)] } ]
            """
        #expect(try decoded(text).warnings.isEmpty)
    }
}
