import ArgumentParser
import Artefact
import Bundle

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the bundles: which one is live, which ones have proven themselves, which ones failed.")

    @OptionGroup var output: OutputFolder

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let store = BundleStore(output.path)
        let bundles = try store.list()
        let live = bundles.first { $0.isLive }?.manifest?.description
        if json {
            Console.print(try JSONText.of(bundles.map { Row($0, live) }))
        } else {
            show(bundles, live)
        }
        do {
            _ = try store.current()
        } catch let error as BundleError where error.code == .brokenPointer {
            Console.error("ksbuild: \(error)")
            throw Outcome(failureClass: .findings)
        }
    }

    private func show(_ bundles: [BundleStore.Summary], _ live: BundleDescription?) {
        if bundles.isEmpty { return Console.print("no bundle in \(output.path)") }
        let marks = bundles.map(Self.mark)
        let width = (bundles.map { $0.version.description.count }.max() ?? 0, marks.map(\.count).max() ?? 0)
        for (bundle, mark) in zip(bundles, marks) {
            let version = Self.padded(bundle.version.description, to: width.0)
            let verdict = Self.verdict(bundle, live).map { $0.kind == .safe ? "" : ", data \($0.kind.rawValue)" } ?? ""
            Console.print("\(version)  \(Self.padded(mark, to: width.1))  \(Self.summary(bundle))\(verdict)")
        }
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }

    /// What is known of a bundle, in a few words.
    private static func mark(_ bundle: BundleStore.Summary) -> String {
        var words: [String] = bundle.isLive ? ["live"] : []
        if bundle.state != .kept { words.append(bundle.state.word) }
        if bundle.isWayBack { words.append("way back") }
        return words.joined(separator: ", ")
    }

    /// Whether a node that runs the live bundle can go to this one with its data.
    private static func verdict(_ bundle: BundleStore.Summary, _ live: BundleDescription?) -> RollbackVerdict? {
        guard !bundle.isLive, let live, let manifest = bundle.manifest else { return nil }
        return RollbackVerdict(leaving: live, for: manifest.description)
    }

    private static func summary(_ bundle: BundleStore.Summary) -> String {
        guard let manifest = bundle.manifest else { return bundle.problem?.description ?? "" }
        let about = manifest.description
        let size = manifest.size >> 20
        let count = about.nodes.count
        let nodes = count == 0 ? "" : ", \(count) node\(count == 1 ? "" : "s")"
        return "alpine-\(about.alpine.flavor) \(about.alpine.release), KubeSolo \(about.kubesolo.version), "
            + "\(about.architecture)\(nodes), \(size) MiB\(manifest.secrets ? ", holds secrets" : "")"
    }

    /// What `--json` says of a bundle.
    private struct Row: Encodable {
        let version: String
        let live: Bool
        let state: String
        let failure: String?
        let wayBack: Bool
        let data: String?
        let alpine: String?
        let kubesolo: String?
        let architecture: String?
        let nodes: Int?
        let secrets: Bool?
        let bytes: UInt64?
        let problem: String?

        init(_ bundle: BundleStore.Summary, _ present: BundleDescription?) {
            data = ListCommand.verdict(bundle, present)?.kind.rawValue
            version = bundle.version.description
            live = bundle.isLive
            state = bundle.state.word
            wayBack = bundle.isWayBack
            if case .failed(let occasion) = bundle.state { failure = occasion.why } else { failure = nil }
            alpine = bundle.manifest.map { "\($0.description.alpine.flavor) \($0.description.alpine.release)" }
            kubesolo = bundle.manifest?.description.kubesolo.version
            architecture = bundle.manifest?.description.architecture
            nodes = bundle.manifest.flatMap { $0.nodes.isEmpty ? nil : $0.nodes.count }
            secrets = bundle.manifest?.secrets
            bytes = bundle.manifest?.size
            problem = bundle.problem?.description
        }
    }
}

extension BundleStore.State {
    /// The word for it, in text and in JSON.
    var word: String {
        switch self {
        case .kept: "kept"
        case .pending: "pending"
        case .confirmed: "confirmed"
        case .failed: "failed"
        }
    }
}
