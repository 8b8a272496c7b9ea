import APKOVL
import Upstream

/// What Alpine's init makes of a medium.
struct MediumRows: Encodable {
    let release: String?
    let kernels: [Kernel]
    /// The kernels that each image of modules is for.
    let modloops: [String: [String]?]
    let commands: [Command]
    let repositories: [Repository]
    let takes: Choice

    init(_ report: MediumReport) {
        release = report.release
        kernels = report.kernels.map(Kernel.init)
        modloops = report.modloops
        commands = report.commands.map(Command.init)
        repositories = report.repositories.map(Repository.init)
        takes = Choice(report.choice)
    }

    var lines: [String] {
        (release.map { ["release: \($0)"] } ?? []) + kernels.map(\.line) + modloopLines + commands.map(\.line)
            + repositories.flatMap(\.lines) + takes.lines
    }

    private var modloopLines: [String] {
        modloops.sorted { $0.key < $1.key }.map { path, kernels in
            "modules: \(path), for \(kernels?.joined(separator: ", ") ?? "kernels that cannot be read")"
        }
    }

    struct Kernel: Encodable {
        let path: String
        let version: String?
        let initramfsModules: [String: [String]]

        init(_ kernel: MediumReport.Kernel) {
            path = kernel.path
            version = kernel.version
            initramfsModules = kernel.initramfsModules
        }

        var line: String { "kernel: \(path)\(version.map { ", \($0)" } ?? "")" }
    }

    struct Command: Encodable {
        let source: String
        let title: String
        let kernel: String
        let initrds: [String]
        let parameters: [String]

        init(_ command: LoaderEntry) {
            source = command.source
            title = command.title
            kernel = command.kernel
            initrds = command.initrds
            parameters = command.parameters
        }

        var line: String {
            let files = initrds.isEmpty ? "" : " with \(initrds.joined(separator: ", "))"
            return "starts: '\(title)' of \(source): \(kernel)\(files): \(parameters.joined(separator: " "))"
        }
    }

    struct Repository: Encodable {
        struct Index: Encodable {
            let path: String
            let packages: [String]
            let keys: [String]
        }

        let path: String
        let isSeenFirst: Bool
        let indexes: [Index]

        init(_ repository: MediumReport.Repository) {
            path = repository.path
            isSeenFirst = repository.isSeenFirst
            indexes = repository.indexes.map { index in
                Index(
                    path: index.path, packages: index.packages?.packages.map { "\($0.name)-\($0.version)" } ?? [],
                    keys: index.packages?.signatures.map(\.keyName) ?? [])
            }
        }

        var lines: [String] {
            let name = path.isEmpty ? "the root" : path
            guard !indexes.isEmpty else { return ["repository: \(name), without an index"] }
            return indexes.map { index in
                let keys = index.keys.isEmpty ? "not signed" : "signed by \(index.keys.joined(separator: ", "))"
                return "repository: \(name): \(index.path), \(index.packages.count) packages, \(keys)"
            }
        }
    }

    struct Choice: Encodable {
        let overlay: String?
        let by: String
        let initrd: String?

        init(_ choice: MediumReport.OverlayChoice) {
            switch choice {
            case .none: (overlay, by, initrd) = (nil, "nothing", nil)
            case .found(let path): (overlay, by, initrd) = (path, "root", nil)
            case .commandLine(let value, let file): (overlay, by, initrd) = (value, "command line", file)
            }
        }

        var lines: [String] {
            guard let overlay else { return [] }
            guard by == "command line" else { return ["init takes the overlay \(overlay)"] }
            return ["init takes the overlay \(overlay), by its command line\(initrd.map { ", out of \($0)" } ?? "")"]
        }
    }
}

extension Finding {
    /// A finding of the medium.
    init(_ finding: MediumReport.Finding) {
        self.init(
            severity: finding.isError ? .error : .warning, rule: finding.rule, path: finding.path,
            message: "\(finding.message); \(finding.remedy)")
    }
}
