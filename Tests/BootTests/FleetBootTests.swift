import Artefact
import Machine
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// Nodes of one fleet boot, each as itself.
@Suite(.boots(2)) struct FleetBootTests {
    @Test func `a fleet goes through a registry, and boots from a medium and over the network`() async throws {
        let scratch = try Scratch()
        let fleet = try await FleetScenario(in: scratch.path)
        do {
            let registry = try await DockerRegistry(in: scratch)
            try await fleet.travel(through: registry, to: "pulled")
        }
        let instances = try await Self.instances(fleet, "pulled")
        #expect(instances == ["edge-001-1.4.0", "edge-002-1.4.0", "edge-003-1.4.0"])
        try await Self.bootMedium(fleet, FleetScenario.members[1], "pulled")
        let server = try await Nginx(in: scratch)
        try await Self.layOut(fleet, "pulled", server)
        try await Self.bootNetwork(
            fleet, FleetScenario.members[0], "pulled", server, by: "boot.ipxe", overlay: "cpio")
    }

    @Test func `the other nodes of a fleet boot from their own media`() async throws {
        let scratch = try Scratch()
        let fleet = try await FleetScenario(in: scratch.path)
        for member in [FleetScenario.members[0], FleetScenario.members[2]] {
            try await Self.bootMedium(fleet, member, "out")
        }
    }

    @Test func `the other nodes of a fleet boot by an overlay that init fetches`() async throws {
        let scratch = try Scratch()
        let fleet = try await FleetScenario(in: scratch.path)
        let server = try await Nginx(in: scratch)
        try await Self.layOut(fleet, "out", server)
        // What another boot loader would be told.
        let folder = server.root.appending("ksbuild")
        let text = String(
            decoding: try HostFile.read(folder.appending("boot.ipxe"), limit: 1 << 20), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard !line.hasPrefix("imgfetch ") else { return "goto found" }
            let words = line.split(separator: " ").filter { $0 != "initrd=overlay" }.map {
                $0.hasPrefix("apkovl=") ? "apkovl=${base}/overlays/{MAC}.apkovl.tar.gz" : String($0)
            }
            return words.joined(separator: " ")
        }
        try StagedFile.write(Array(lines.joined(separator: "\n").utf8), to: folder.appending("plain.ipxe"))
        try await Self.bootNetwork(
            fleet, FleetScenario.members[2], "out", server, by: "plain.ipxe", overlay: "apkovl.tar.gz")
    }

    private static func instances(_ fleet: FleetScenario, _ out: String) async throws -> [String] {
        var found: [String] = []
        for member in FleetScenario.members { found.append(try await fleet.instance(of: member, in: out)) }
        return found
    }

    /// Boots a node from its own medium and looks at what is its own.
    private static func bootMedium(
        _ fleet: FleetScenario, _ member: FleetScenario.Member, _ out: String
    ) async throws {
        try await fleet.command(
            "medium", FleetScenario.version, "--quiet", "--node", member.name, "-o", "\(member.name).iso", "--out", out)
        let static4 = member.staticAddress
        let machine = BootMachine(
            bootImage: fleet.folder.appending("\(member.name).iso"), seedImage: nil,
            dataDisk: .scratch(size: BootScenario.diskSize), serialLog: fleet.folder.appending("\(member.name).log"),
            processors: BootScenario.processors,
            network: .init(
                network: static4 == nil ? "10.0.2.0/24" : "192.0.2.0/24",
                guestAddress: static4.map { String($0.prefix { $0 != "/" }) } ?? "10.0.2.15",
                hardwareAddress: member.hardwareAddress))
        let login = SSHLogin(user: member.user, identity: BootScenario.login.identity)
        let expectations = BootExpectations(
            name: "edge", version: FleetScenario.version, hostname: member.hostname,
            address: static4 ?? "10.0.2.15/24", hostKeyState: "made", outcomes: [.acpiShutdown: .notAsked])
        let test = BootTest(expecting: expectations, login: login, limit: BootScenario.limit)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        try await machine.run(accelerator: accelerator) { node in
            let report = try await test.judge(node)
            try #require(report.isHealthy, "\(report.table)")
            let script = """
                hostname; cat /sys/class/net/eth0/address; ip -4 route show default | cut -d' ' -f1-5 | grep . || echo no gateway
                grep -c '^clerk:' /etc/passwd; cat /etc/note 2>&1; ls /media/*/*.apkovl.tar.gz
                """
            let result = try await node.ssh("doas sh -s", as: login, input: script, within: .seconds(120))
            // A network that leads nowhere has no gateway in QEMU's DHCP answers.
            let route = static4 == nil ? "no gateway" : "default via 192.0.2.2 dev eth0"
            let isThird = member.name == "edge-003"
            let note = isThird ? FleetScenario.note : "cat: can't open '/etc/note': No such file or directory"
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(
                lines.prefix(5) == [
                    member.hostname, member.hardwareAddress, route, isThird ? "1" : "0",
                    note,
                ], "\(result.output)\(result.errors)")
            #expect(lines.count == 6, "one overlay on its media: \(result.output)")
        }
    }

    /// Where a machine in QEMU finds what the server offers.
    private static func address(_ server: Nginx) -> String { "http://10.0.2.2:\(server.port)/ksbuild" }

    private static func layOut(_ fleet: FleetScenario, _ out: String, _ server: Nginx) async throws {
        try await fleet.command(
            "publish", "--netboot", server.root.appending("ksbuild").string, FleetScenario.version, "--url",
            address(server), "--out", out)
    }

    /// Boots a node over the network with the command, from a server that tells what it was asked for.
    ///
    /// - Parameters:
    ///   - script: The name of the script that iPXE gets.
    ///   - suffix: In which form the node's overlay is asked for, once.
    private static func bootNetwork(
        _ fleet: FleetScenario, _ member: FleetScenario.Member, _ out: String, _ server: Nginx, by script: String,
        overlay suffix: String
    ) async throws {
        let report = try await fleet.command(
            "boot", FleetScenario.version, "--node", member.name, "--netboot", "\(address(server))/\(script)", "--cpus",
            "1",
            "--expect-address", "10.0.2.51/24", "--ssh-key", BootScenario.login.identity.string,
            "--ssh-user", member.user, "--timeout", "\(BootScenario.limit.components.seconds)", "--json", "--out", out)
        let binary = try Digest(
            ofFile: server.root.pushing("ksbuild").appending(FleetScenario.version).appending("kubesolo"))
        for evidence in ["stage state=ready digest=\(binary)", "hostname=\(member.hostname)", "ipv4=10.0.2.51/24"] {
            #expect(report.contains(evidence), "\(evidence) is not in \(report)")
        }
        let asked = try await server.requests()
        // iPXE writes colons as %3A.
        let overlays = asked.filter { $0.path.contains("/overlays/") }.map {
            "\($0.path.split(separator: "%3A").joined(separator: ":")) \($0.status)"
        }
        let own = "/ksbuild/\(FleetScenario.version)/overlays/\(member.hardwareAddress).\(suffix)"
        #expect(overlays == ["\(own) 200"])
        for name in [script, "\(FleetScenario.version)/kubesolo"] {
            #expect(asked.count { $0.path == "/ksbuild/\(name)" && $0.status == 200 } == 1, "\(name): \(asked)")
        }
        // Nobody but the node's kernel, init, apk and stage asked, and nothing they need was missing.
        let missing = asked.filter { $0.status >= 400 }
        #expect(missing.isEmpty, "\(missing)")
    }
}
