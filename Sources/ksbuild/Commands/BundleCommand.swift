import ArgumentParser
import Artefact
import Bundle
import Fetch
import Recipe
import SystemPackage
import Upstream

struct BundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Build everything, verify it, and publish it as one immutable bundle.")

    @Option(help: "The version of the bundle, as Semantic Versioning has it.")
    var version: String

    @Flag(help: "Publish a version that is older than a confirmed one.")
    var allowDowngrade = false

    @Flag(help: "Do not compose the media: the manifest tells how they are made, and not what they are then.")
    var noMedium = false

    @Flag(help: "Read every input and every shared file again, whatever was noted of them.")
    var paranoid = false

    @Flag(help: "Fetch locked inputs that are not in the cache.")
    var fetch = false

    @Flag(help: "Have the system refuse every network connection of this command.")
    var offline = false

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var inputs: InputOptions
    @OptionGroup var patience: PatienceOption
    @OptionGroup var signing: SigningOptions
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if fetch && offline { throw ValidationError("--fetch and --offline exclude each other") }
        if fetch && inputs.mirror != nil { throw ValidationError("--fetch and --mirror exclude each other") }
    }

    func run() async throws {
        let number = try Version(version)
        if offline { try NetworkDenial.enforce() }
        let project = try Project(recipe, version: version, report)
        let signer = try signing.signer(for: project.decoded)
        if fetch {
            let lock = try project.lockFile.required()
            let cache = inputs.cache.open(isBelieved: !paranoid)
            _ = try await InputFetcher(cache, MirrorList(), transfer, report, for: lock).fetch(lock.entries)
            Interrupt.release()
        }
        let work = try folder.makeWorkFolder()
        let store = BundleStore(folder.path, isPatient: patience.wait)
        let verified = try store.verifiedFiles(in: work.path, isBelieved: !paranoid)
        var build = try project.build(
            inputs, areRequired: true, in: work, reusing: (store, verified), isBelieved: !paranoid)
        if let present = store.description(of: number) { build.speak(as: present) }
        var stage = try project.stage(build, isComposingMedia: !noMedium)
        stage.signer = signer
        if let sign = signing.sign { try build.refuse(privateKey: FilePath(sign)) }
        project.reporter.show(.step("publish \(version)"))
        let publication = try store.publish(stage, knowing: verified, allowingDowngrade: allowDowngrade)
        guard !report.quiet else { return }
        switch publication.outcome {
        case .identical: Console.print("\(publication.path): identical, nothing changed")
        case .published:
            Console.print("\(publication.path): published, \(publication.newBytes >> 20) MiB new in the store")
            for artefact in publication.manifest.artefacts where artefact.node == nil {
                Console.print("  \(artefact.sha256.hex.prefix(16))…  \(artefact.size)  \(artefact.file)")
            }
            let nodes = publication.manifest.nodes.count
            if nodes > 0 { Console.print("  \(nodes) node\(nodes == 1 ? "" : "s") below nodes/") }
            if let signer { Console.print("  signed by \(signer.key.publicKey)") }
        }
    }
}
