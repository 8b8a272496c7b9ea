import ArgumentParser
import Artefact
import Bundle
import Publish
import Registry
import SystemPackage

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Take a published bundle into the store, after verifying every byte of it.",
        discussion: """
            What the store has already is not fetched, and a pull that was interrupted goes on where it stopped. The \
            bundle appears when all of it is there and right; 'ksbuild activate' makes it live.
            """)

    @Argument(
        help: ArgumentHelp(
            "dir:PATH, oci-layout:PATH[:TAG] or oci://REGISTRY/REPOSITORY[:TAG], the last two also with @sha256:DIGEST",
            valueName: "source"))
    var source: String

    @Option(help: ArgumentHelp("Take this version and no other.", valueName: "version"))
    var expect: String?

    @Option(
        help: ArgumentHelp("The same as --trust: a public key, or its file, that must have signed.", valueName: "key"))
    var verifyKey: [String] = []

    @Flag(help: "Take a version that is older than a confirmed one.")
    var allowDowngrade = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var trust: TrustOptions
    @OptionGroup var folder: OutputFolder
    @OptionGroup var patience: PatienceOption
    @OptionGroup var report: ReportOptions

    func run() async throws {
        let place = try Place(source)
        let reporter = PublishReporter(report, "pull")
        let version = try expect.map { try Version($0) }
        let acceptance = Acceptance(
            version: version, keys: try trust.keys(besides: verifyKey), allowsDowngrade: allowDowngrade)
        let store = BundleStore(folder.path, isPatient: patience.wait)
        let outcome: PublishReport
        switch place {
        case .folder(let path):
            outcome = try FolderPull(from: path, into: store, accepting: acceptance, report: reporter.show).run()
        case .layout(let path, let tag, let digest):
            let layout = ImageLayout(path)
            outcome = try await pull(layout, tag, digest, store, acceptance, reporter)
        case .registry(let reference):
            let client = registry.client(reference, out: folder.path, report: reporter)
            outcome = try await pull(client, reference.tag, reference.digest, store, acceptance, reporter)
        }
        try reporter.conclude(outcome, json: json)
    }

    private func pull(
        _ repository: any Repository, _ tag: String?, _ digest: Digest?, _ store: BundleStore, _ acceptance: Acceptance,
        _ reporter: PublishReporter
    ) async throws -> PublishReport {
        // The version that is expected has a tag of its own.
        let own = digest == nil ? acceptance.version.map { RepositoryPublication.tag(of: $0) } : nil
        return try await RepositoryPull(
            from: repository, tag: tag ?? own, digest: digest, into: store, accepting: acceptance, report: reporter.show
        ).run()
    }
}
