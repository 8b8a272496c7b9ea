import ArgumentParser
import Artefact
import Bundle

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the bundles and say which one is live.")

    @OptionGroup var output: OutputFolder

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let store = BundleStore(output.path)
        let bundles = try store.list()
        if json { Console.print(try JSONText.of(bundles.map(Row.init))) } else { show(bundles) }
        do {
            _ = try store.current()
        } catch let error as BundleError where error.code == .brokenPointer {
            Console.error("ksbuild: \(error)")
            throw Outcome(failureClass: .findings)
        }
    }

    private func show(_ bundles: [BundleStore.Summary]) {
        if bundles.isEmpty { return Console.print("no bundle in \(output.path)") }
        let width = bundles.map { $0.version.description.count }.max() ?? 0
        for bundle in bundles {
            let version = bundle.version.description
            let padding = String(repeating: " ", count: width - version.count)
            let mark = bundle.isLive ? "live" : "    "
            Console.print("\(version)\(padding)  \(mark)  \(Self.summary(bundle))")
        }
    }

    private static func summary(_ bundle: BundleStore.Summary) -> String {
        guard let manifest = bundle.manifest else { return bundle.problem?.description ?? "" }
        let about = manifest.description
        let size = manifest.size >> 20
        return "alpine-\(about.alpine.flavor) \(about.alpine.release), KubeSolo \(about.kubesolo.version), "
            + "\(about.architecture), \(size) MiB\(manifest.secrets ? ", holds secrets" : "")"
    }

    /// What `--json` says of a bundle.
    private struct Row: Encodable {
        let version: String
        let live: Bool
        let alpine: String?
        let kubesolo: String?
        let architecture: String?
        let secrets: Bool?
        let bytes: UInt64?
        let problem: String?

        init(_ bundle: BundleStore.Summary) {
            version = bundle.version.description
            live = bundle.isLive
            alpine = bundle.manifest.map { "\($0.description.alpine.flavor) \($0.description.alpine.release)" }
            kubesolo = bundle.manifest?.description.kubesolo.version
            architecture = bundle.manifest?.description.architecture
            secrets = bundle.manifest?.secrets
            bytes = bundle.manifest?.size
            problem = bundle.problem?.description
        }
    }
}
