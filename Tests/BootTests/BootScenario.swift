import Artefact
import Machine
import SystemPackage
import TestSupport
import Testing

/// A bundle for a boot, built by the command from the laboratory's inputs, and the machine that boots it.
struct BootScenario: Sendable {
    /// Long enough for a machine with two processors that has other work to do; alone a boot takes a minute.
    static let limit = Duration.seconds(480)
    static let diskSize: UInt64 = 2 << 30
    /// One: while Linux patches its own code, QEMU's emulation of several processors now and then runs the breakpoint that
    /// it sets meanwhile, and the kernel panics in its second second (int3 in `sched_clock_cpu`).
    static let processors = 1
    static let hostname = "edge-001"
    static let user = "alpine"

    /// The directory with recipe and bundle.
    let folder: FilePath
    let version: String

    /// Builds a bundle.
    ///
    /// - Parameters:
    ///   - folder: An empty directory.
    ///   - recipe: What the recipe says beside name, users and KubeSolo's release; `network:`, `layers:` and the like.
    ///     Without a `health:` of its own the node counts as healthy sooner than usual.
    ///   - version: The bundle's version.
    init(in folder: FilePath, recipe: String = "", version: String = "1.0.0") async throws {
        self.folder = folder
        self.version = version
        let key = try HostFile.read(Product.lab.pushing("keys/id_ed25519.pub"), limit: 4096)
        let text = """
            apiVersion: ksbuild/v1
            name: kubesolo
            hostname: \(Self.hostname)
            kubesolo: { release: v1.2.2 }
            \(recipe.contains("health:") ? "" : "health: { stable: 5 }")
            access:
              users:
                - name: \(Self.user)
                  doas: true
                  authorizedKeys: ["\(String(decoding: key, as: UTF8.self).split(whereSeparator: \.isNewline).joined())"]
            \(recipe)

            """
        try StagedFile.write(Array(text.utf8), to: folder.appending("ksbuild.yaml"))
        let result = try await ksbuild(
            "bundle", "--quiet", "--version", version, "--mirror", Product.mirror.string,
            "--iso", try Self.one(in: Product.mirror.pushing("alpine/v3.23/releases/x86_64"), ".iso").string,
            "--kubesolo",
            try Self.one(in: Product.lab.pushing("kubesolo/v1.2.2"), "-linux-amd64-musl-offline.tar.gz").string,
            in: folder)
        try #require(result.succeeded, "\(result.errors)")
        let seed = try await ksbuild("medium", "--quiet", "--seed", version, "-o", Self.seedName, in: folder)
        try #require(seed.succeeded, "\(seed.errors)")
    }

    private static let seedName = "seed.iso"

    /// The bundle's directory.
    var bundle: FilePath { folder.pushing("out/bundles").appending(version) }

    /// The machine that boots the bundle.
    func machine(
        dataDisk: BootMachine.DataDisk? = .scratch(size: diskSize), named name: String = "serial",
        firmware: BootMachine.Firmware = .bios
    ) throws -> BootMachine {
        BootMachine(
            bootImage: try Self.one(in: bundle, ".iso", without: "cidata"),
            seedImage: folder.appending(Self.seedName), dataDisk: dataDisk,
            serialLog: folder.appending("\(name).log"), firmware: firmware, processors: Self.processors)
    }

    /// A boot test that expects a node which is well, but for what is said here, and leaves the machine running.
    func test(
        hostKeyState: String? = nil, refused: [BootAssertion] = [], notAsked: [BootAssertion] = []
    ) -> BootTest {
        var outcomes: [BootAssertion: ExpectedOutcome] = [.acpiShutdown: .notAsked]
        for assertion in refused { outcomes[assertion] = .refused }
        for assertion in notAsked { outcomes[assertion] = .notAsked }
        let expectations = BootExpectations(
            name: "kubesolo", version: version, hostname: Self.hostname, hostKeyState: hostKeyState,
            outcomes: outcomes)
        return BootTest(expecting: expectations, login: Self.login, limit: Self.limit)
    }

    /// The user of the recipe with the laboratory's key.
    static var login: SSHLogin { SSHLogin(user: user, identity: Product.lab.pushing("keys/id_ed25519")) }

    /// The assertions that a node without a usable data disk must refuse.
    static let withoutData: [BootAssertion] = [
        .dataMounted, .binaryStaged, .kubesoloStarted, .kubesoloHealthy, .apiReachable,
    ]

    /// The one file in a directory whose name ends so.
    static func one(in directory: FilePath, _ suffix: String, without other: String? = nil) throws -> FilePath {
        let names = try HostFile.names(in: directory).filter { name in
            name.hasSuffix(suffix) && !(other.map(name.contains) ?? false)
        }
        try #require(names.count == 1, "\(directory) has \(names) that end in \(suffix)")
        return directory.appending(names[0])
    }
}

extension RunningMachine {
    /// Runs a script as root on the node; a script that fails is a failed test.
    @discardableResult
    func root(_ script: String, within limit: Duration = .seconds(180)) async throws -> String {
        let result = try await ssh("doas sh -eu -s", as: BootScenario.login, input: script + "\n", within: limit)
        try #require(result.exitCode == 0, "\(script): \(result.output)\(result.errors)")
        return result.output
    }
}
