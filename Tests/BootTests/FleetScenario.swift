import Artefact
import Bundle
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// A fleet of three nodes, which differ in what a node may say, in one signed bundle.
struct FleetScenario: Sendable {
    /// A node as its recipe says it.
    struct Member: Sendable {
        let name: String
        let hostname: String
        let hardwareAddress: String
        let user: String
        /// The address that the node gives itself; `nil` asks DHCP for one.
        let staticAddress: String?
    }

    /// The nodes: one that DHCP serves and that is named after itself, one with an address and a host name of its own, one
    /// with a user and a file of its own.
    static let members = [
        Member(
            name: "edge-001", hostname: "edge-001", hardwareAddress: "52:54:00:12:34:01", user: "alpine",
            staticAddress: nil),
        Member(
            name: "edge-002", hostname: "till-2.example.org", hardwareAddress: "52:54:00:12:34:02", user: "alpine",
            staticAddress: "192.0.2.21/24"),
        Member(
            name: "edge-003", hostname: "edge-003", hardwareAddress: "52:54:00:12:34:03", user: "clerk",
            staticAddress: nil),
    ]
    static let version = "1.4.0"
    /// What the file of the third node holds.
    static let note = "of the third alone"

    /// The directory with recipe, keys and bundle.
    let folder: FilePath

    /// Builds and signs the bundle.
    ///
    /// - Parameter folder: An empty directory.
    init(in folder: FilePath) async throws {
        self.folder = folder
        let key = String(
            decoding: try HostFile.read(Product.lab.pushing("keys/id_ed25519.pub"), limit: 4096), as: UTF8.self
        ).split(whereSeparator: \.isNewline).joined()
        let layer = folder.pushing("third/etc")
        try HostFile.makeDirectories(layer)
        try StagedFile.write(Array("\(Self.note)\n".utf8), to: layer.appending("note"))
        let text = """
            apiVersion: ksbuild/v1
            name: edge
            kubesolo: { release: v1.2.2 }
            health: { stable: 5 }
            access: { users: [{ name: alpine, doas: true, authorizedKeys: ["\(key)"] }] }
            nodes:
              edge-001: { mac: "52:54:00:12:34:01" }
              edge-002:
                mac: 52:54:00:12:34:02
                hostname: till-2.example.org
                network:
                  interfaces: { eth0: { addresses: [192.0.2.21/24], gateway4: 192.0.2.2, nameservers: [192.0.2.3] } }
              edge-003:
                mac: 52:54:00:12:34:03
                access: { users: [{ name: clerk, doas: true, authorizedKeys: ["\(key)"] }] }
                layers: [third]

            """
        try StagedFile.write(Array(text.utf8), to: folder.appending("ksbuild.yaml"))
        try await command("keygen", "--signing", "own")
        try await command(
            "bundle", "--quiet", "--version", Self.version, "--sign", "own.key", "--no-medium",
            "--mirror", Product.mirror.string,
            "--iso", try BootScenario.one(in: Product.mirror.pushing("alpine/v3.23/releases/x86_64"), ".iso").string,
            "--kubesolo",
            try BootScenario.one(in: Product.lab.pushing("kubesolo/v1.2.2"), "-linux-amd64-musl-offline.tar.gz").string)
    }

    /// Runs the command; what fails is a failed test.
    @discardableResult
    func command(_ words: String..., environment: [String: String] = [:]) async throws -> String {
        let result = try await run(try Product.ksbuild.string, words, in: folder, environment: environment)
        try #require(result.succeeded, "\(words.joined(separator: " ")): \(result.output)\(result.errors)")
        return result.output
    }

    /// Takes the bundle through a registry with TLS and a login into another output directory, and makes it live there.
    ///
    /// - Parameter out: The name of that directory.
    func travel(through registry: DockerRegistry, to out: String) async throws {
        let place = "\(registry.host)/team/edge"
        let published = try await command(
            "publish", "oci://\(place)", "--latest", "--ca-file", registry.authority.string,
            environment: registry.environment)
        let login = ["--authfile", registry.login.string]
        let tags = try await run("skopeo", ["list-tags", "--tls-verify=false"] + login + ["docker://\(place)"])
        #expect(tags.output.contains("\"\(Self.version)\""), "\(tags.output)\(tags.errors)")
        // A copy that skopeo makes within the registry is what is pulled.
        let copied = try await run(
            "skopeo",
            ["copy", "--quiet", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
                + login + ["docker://\(place):\(Self.version)", "docker://\(place)-copy:\(Self.version)"])
        try #require(copied.succeeded, "\(copied.errors)")
        let raw = try await run(
            "skopeo",
            ["inspect", "--raw", "--tls-verify=false"] + login + ["docker://\(place)-copy:\(Self.version)"])
        #expect(published.contains("sha256:\(Digest(of: raw.output.utf8))"), "\(published)")
        try await command(
            "pull", "oci://\(place)-copy:\(Self.version)", "--verify-key", "own.pub", "--out", out,
            "--ca-file", registry.authority.string, environment: registry.environment)
        try await command("verify", Self.version, "--out", out, "--trust", "own.pub")
        try await command("activate", Self.version, "--out", out, "--trust", "own.pub")
        #expect(try HostFile.target(ofLink: folder.appending(out).appending("current")).hasSuffix(Self.version))
    }

    /// The `instance-id` on a node's seed image, as isoinfo reads it.
    func instance(of member: Member, in out: String) async throws -> String {
        let seed = try BootScenario.one(
            in: folder.appending(out).appending("bundles").appending(Self.version).appending("nodes").appending(
                member.name), "cidata.iso")
        let read = try await run("isoinfo", ["-R", "-i", seed.string, "-x", "/meta-data"])
        let line = read.output.split(separator: "\n").first { $0.hasPrefix("instance-id:") }
        return try #require(line, "\(read.output)\(read.errors)").split(separator: " ").last.map(String.init) ?? ""
    }
}
