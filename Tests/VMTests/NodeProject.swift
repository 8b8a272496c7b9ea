import Artefact
import LibvirtSupport
import SystemPackage
import TestSupport
import Testing

/// A project with a recipe and the Makefile of one, whose targets run on one of the two hosts of machines.
struct NodeProject: Sendable {
    /// Who runs the machine.
    enum Host: String, Sendable, CaseIterable {
        /// libvirt's daemon in the jail of the tests.
        case libvirt
        /// libvirt's daemon of a user without rights, in the jail.
        case session
        /// QEMU alone.
        case plain
    }

    /// Long enough for a host with two processors that has other work to do.
    static let timeout = 480

    let host: Host
    /// The project.
    let folder: FilePath
    let name: String

    /// Writes recipe and Makefile.
    ///
    /// - Parameter folder: An empty directory.
    init(_ host: Host, in folder: FilePath) async throws {
        self.host = host
        self.folder = folder
        name = "node-\(host.rawValue)"
        try await writeRecipe(kubesolo: "v1.2.2")
        // The daemon's QEMU, which is another user, goes through here to the machine's files.
        try HostFile.setMode(of: folder, EntryMode(0o711))
        let made = try HostFile.read(Product.checkout.pushing("templates/vm.mk"), limit: 1 << 16)
        try StagedFile.write(made, to: folder.appending("Makefile"))
        try StagedFile.write(
            HostFile.read(Product.lab.pushing("keys/id_ed25519"), limit: 4096), to: folder.appending("key"),
            mode: EntryMode(0o600))
    }

    /// Lays out a mirror that says which releases of KubeSolo there are.
    ///
    /// - Returns: Its directory.
    func mirror() async throws -> FilePath {
        let mirror = folder.appending("mirror")
        let copied = try await TestSupport.run("cp", ["-rLs", Product.mirror.string, mirror.string])
        try #require(copied.succeeded, "\(copied.errors)")
        let rows = try ["v1.2.2", "v1.3.0"].map { tag in
            let release = mirror.appending("kubesolo").appending(tag)
            let assets = try HostFile.names(in: release).filter { $0.hasSuffix(".tar.gz") }.map { name in
                let size = try HostFile.status(of: release.appending(name)).size
                return """
                    {"name": "\(name)", "size": \(size), "browser_download_url":
                     "https://github.com/portainer/kubesolo/releases/download/\(tag)/\(name)"}
                    """
            }
            return """
                {"tag_name": "\(tag)", "draft": false, "prerelease": false, "assets": [\(assets.joined(separator: ","))]}
                """
        }
        try StagedFile.write(
            Array("[\(rows.joined(separator: ","))]".utf8), to: mirror.pushing("kubesolo/releases.json"))
        return mirror
    }

    /// Writes a recipe with a release of KubeSolo.
    func writeRecipe(kubesolo: String) async throws {
        let key = try HostFile.read(Product.lab.pushing("keys/id_ed25519.pub"), limit: 4096)
        let line = String(decoding: key, as: UTF8.self).split(whereSeparator: \.isNewline).joined()
        let text = """
            apiVersion: ksbuild/v1
            name: kubesolo
            hostname: edge-001
            kubesolo: { release: \(kubesolo) }
            health: { timeout: 60, stable: 5 }
            access: { users: [ { name: alpine, doas: true, authorizedKeys: ["\(line)"] } ] }
            vm: { cpus: 1 }

            """
        try StagedFile.write(Array(text.utf8), to: folder.appending("ksbuild.yaml"))
    }

    /// Runs a program where the machine's host is, in the project.
    func run(_ program: String, _ arguments: [String], input: String = "") async throws -> ProgramResult {
        let environment = ["XDG_CACHE_HOME": folder.appending(".cache").string]
        switch host {
        case .libvirt:
            return try await LibvirtJail.shared.run(
                program, arguments, in: folder, environment: environment, input: input)
        case .session:
            return try await LibvirtJail.shared.run(
                program, arguments, as: LibvirtJail.plainUser, in: folder, environment: environment, input: input)
        case .plain:
            return try await TestSupport.run(program, arguments, in: folder, environment: environment, input: input)
        }
    }

    /// The command, where whoever runs it here may read it.
    var ksbuild: FilePath {
        get throws { host == .session ? folder.pushing("bin/ksbuild") : try Product.ksbuild }
    }

    /// The words after `make` that run a target, as a user types them.
    func words(_ target: String, _ variables: KeyValuePairs<String, String> = [:]) throws -> [String] {
        ["--no-print-directory", target, "KSBUILD=\(try ksbuild)", "VM_NAME=\(name)", "SSH_KEY=key"]
            + variables.map { "\($0.key)=\($0.value)" }
    }

    /// Runs a target of the Makefile.
    func make(_ target: String, _ variables: KeyValuePairs<String, String> = [:]) async throws -> ProgramResult {
        try await run("make", words(target, variables))
    }

    /// Runs a target that must succeed.
    ///
    /// - Returns: What it printed.
    @discardableResult
    func must(_ target: String, _ variables: KeyValuePairs<String, String> = [:]) async throws -> String {
        let result = try await make(target, variables)
        try #require(result.succeeded, "make \(target): \(result.output)\(result.errors)")
        return result.output
    }

    /// Publishes a version of the recipe from the laboratory's mirror.
    func bundle(_ version: String) async throws {
        let result = try await TestSupport.run(
            Product.ksbuild.string, ["bundle", "--quiet", "--version", version, "--mirror", Product.mirror.string],
            in: folder)
        try #require(result.succeeded, "\(result.errors)")
    }

    /// Makes everything in the project the plain user's, and installs the command in it.
    func handOver() async throws {
        try HostFile.makeDirectories(folder.appending("bin"))
        let copied = try await TestSupport.run("cp", [try Product.ksbuild.string, try ksbuild.string])
        try #require(copied.succeeded, "\(copied.errors)")
        let number = try await LibvirtJail.shared.run("id", ["-u", LibvirtJail.plainUser]).output
        let result = try await TestSupport.run("chown", ["-R", number.filter(\.isNumber), folder.string])
        try #require(result.succeeded, "\(result.errors)")
    }

    /// Runs a script as root on the node.
    func root(_ script: String) async throws {
        let words = ["vm", "ssh", "--name", name, "--identity", "key", "--", "doas", "sh", "-eus"]
        let result = try await run(ksbuild.string, words, input: script + "\n")
        try #require(result.succeeded, "\(script): \(result.output)\(result.errors)")
    }

    /// The digests of what is published.
    func published() async throws -> String {
        let sums = try await TestSupport.run(
            "sh", ["-c", "find out/bundles out/store -type f | sort | xargs sha256sum"], in: folder)
        return sums.output
    }

    /// Ends the machine in any case.
    func end() async {
        _ = try? await make("destroy", ["ARGS": "--yes --data"])
    }
}
