internal import Artefact
internal import Bundle
internal import BundleSamples
internal import Glibc
internal import ISOBuild
public import SystemPackage
public import TestSupport

/// An output directory with bundles of nodes that are up in a second, and the built command on it.
///
/// Alpine's image in these bundles is a guest of a few bytes; machines boot it beside the seed image.
public struct TalkingProject: ~Copyable {
    /// What a node does once it is up.
    public enum Temper: Hashable, Sendable {
        /// It says that it is healthy, and shuts down when its power button is pressed.
        case healthy
        /// It says that it is not healthy.
        case unhealthy
        /// It says nothing of its health.
        case silent
        /// It says that it is healthy, and does not heed its power button.
        case deaf
        /// It says that it is healthy, and fills its data disk.
        case filling
    }

    /// The words that have `vm create` make a machine of little, run by QEMU alone.
    public static let plain = ["--backend", "plain"] + small
    /// The words that have `vm create` make a machine of little.
    public static let small = [
        "--two-media", "--accelerator", "tcg", "--memory", "256", "--cpus", "1", "--disk", "64MiB",
    ]

    public let scratch: Scratch
    /// The output directory.
    public let out: FilePath

    /// Makes one that is empty.
    ///
    /// - Parameter name: The name of the output directory.
    public init(out name: String = "out") throws {
        let scratch = try Scratch()
        // libvirt's QEMU comes to what is below.
        try HostFile.setMode(of: scratch.path, EntryMode(0o711))
        let out = scratch.path.appending(name)
        try HostFile.makeDirectories(out)
        self.scratch = scratch
        self.out = out
    }

    /// Ends what QEMU alone still runs: it is a daemon, and no child of the tests.
    deinit {
        let machines = out.appending("vm")
        for name in (try? HostFile.names(in: machines)) ?? [] {
            let file = machines.appending(name).appending("qemu.pid")
            guard let bytes = try? HostFile.read(file, limit: 64),
                let number = pid_t(String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)),
                let command = try? HostFile.read(FilePath("/proc/\(number)/cmdline"), limit: 1 << 16),
                String(decoding: command, as: UTF8.self).contains("qemu-system")
            else { continue }
            _ = kill(number, SIGKILL)
        }
    }

    // MARK: Bundles

    /// Publishes a version.
    ///
    /// - Parameters:
    ///   - version: The version.
    ///   - temper: What its nodes do.
    ///   - nodes: The names of the nodes of a fleet, with their host names; none where it is for one node.
    public func publish(_ version: String, _ temper: Temper = .healthy, nodes: KeyValuePairs<String, String> = [:])
        throws
    {
        let scratch = try Scratch()
        let guest = try Self.guest(version, temper, in: scratch)
        let bytes = try HostFile.read(guest, limit: 1 << 20)
        let stem = "edge-\(version)-x86_64"
        let shared = [
            StagedArtefact(.kubesolo, file: "\(stem)-kubesolo", bytes: Samples.binary),
            StagedArtefact(.alpineISO, file: "alpine-\(version).iso", bytes: bytes),
        ]
        var description = try Samples.description(version)
        guard nodes.isEmpty else {
            description.hostname = nil
            description.nodes = nodes.map { BundleNode(name: $0.key, hostname: $0.value) }
            let stage = Stage(
                description, artefacts: shared, batch: Self.files(of: nodes.map(\.key), version),
                media: { _, _ in
                    [MediumRecipe(file: "edge-{node}-\(version).iso", composition: .seed, result: nil)]
                })
            _ = try BundleStore(out).publish(stage)
            return
        }
        let stage = Stage(
            description,
            artefacts: [
                StagedArtefact(.overlay, file: "\(stem).apkovl.tar.gz", bytes: Array(version.utf8)),
                StagedArtefact(.seed, file: "\(stem)-seed.iso") { target, _ in try Self.seed(version, to: target) },
            ] + shared,
            media: { _, _ in [MediumRecipe(file: "\(stem)-cidata.iso", composition: .seed, result: nil)] })
        _ = try BundleStore(out).publish(stage)
    }

    private static func seed(_ version: String, to target: FilePath) throws -> WrittenFile {
        var tree = FileTree()
        try tree.insert(
            TreeEntry(
                path: EntryPath("meta-data"), kind: .file(.bytes(Array("\(version)\n".utf8))), mode: .file,
                origin: "seed"))
        return try ISOWriter(volumeIdentifier: "cidata", epoch: 0).write(
            tree, to: target, mode: .file, digesting: true)
    }

    /// Overlay and seed of each node.
    private static func files(of nodes: [String], _ version: String) -> StagedBatch {
        let files = nodes.flatMap { node in
            [
                StagedBatch.File(role: .overlay, node: node, file: "edge-\(node)-\(version).apkovl.tar.gz"),
                StagedBatch.File(role: .seed, node: node, file: "edge-\(node)-\(version)-seed.iso"),
            ]
        }
        return StagedBatch(files) { folder in
            for node in nodes {
                try HostFile.makeDirectory(folder.appending("nodes").appending(node), mode: .privateDirectory)
            }
            return try files.map { file in
                let target = folder.pushing(FilePath(file.path))
                guard file.role == .overlay else {
                    return .init(file, isSecret: false, written: try seed(version, to: target))
                }
                var staged = try StagedFile(target, digesting: true)
                try staged.write(Array(version.utf8))
                return .init(file, isSecret: false, written: try staged.commit())
            }
        }
    }

    /// Makes a version live, and confirms it unless told otherwise.
    public func activate(_ version: String, confirming: Bool = true) throws {
        let store = BundleStore(out)
        _ = try store.activate(try Version(version), Samples.occasion)
        if confirming { _ = try store.confirm(try Version(version), Samples.occasion) }
    }

    private static func guest(_ version: String, _ temper: Temper, in scratch: borrowing Scratch) throws -> FilePath {
        let health =
            switch temper {
            case .silent: ""
            case .unhealthy: "ksbuild: health state=unhealthy version=v1.2.2 release=\(version) reason=\"so it is\"\r\n"
            case .healthy, .deaf, .filling:
                "ksbuild: health state=healthy version=v1.2.2 release=\(version) reason=\"so it is\"\r\n"
            }
        let address = temper == .silent ? "" : "ksbuild: address interface=eth0 ipv4=10.0.2.15/24\r\n"
        let text = "ksbuild: release name=edge version=\(version) hostname=edge-001\r\n" + address + health
        guard temper != .filling else { return try WritingGuest.write(saying: text, to: scratch) }
        return try TalkingGuest.write(saying: text, heedsPowerButton: temper != .deaf, to: scratch)
    }

    // MARK: Commands

    /// Runs `ksbuild vm` on the output directory.
    ///
    /// - Parameter words: The command and its options; those of `vm ssh` and the like end with them.
    public func vm(_ words: String...) async throws -> ProgramResult { try await vm(words) }

    /// Runs `ksbuild vm` on the output directory.
    public func vm(_ words: [String]) async throws -> ProgramResult {
        try await run(
            try Product.ksbuild.string, self.words(words), in: scratch.path, environment: ["LIBVIRT_DEFAULT_URI": ""])
    }

    /// Starts `ksbuild vm` on the output directory and lets it run.
    public func background(_ words: String...) throws -> BackgroundCommand {
        BackgroundCommand(try Product.ksbuild.string, self.words(words), in: scratch.path)
    }

    /// The words after `ksbuild` for a command on the output directory.
    public func words(_ words: [String]) -> [String] { ["vm"] + words + ["--out", out.string] }

    /// Makes a machine that QEMU alone runs, of version 1.0.0, which is published, live and confirmed.
    public func make(_ temper: Temper = .healthy, name: String = "node") async throws -> ProgramResult {
        try publish("1.0.0", temper)
        try activate("1.0.0")
        return try await vm(["create", "--name", name] + Self.plain)
    }

    /// The folder of a machine.
    public func folder(_ name: String = "node") -> FilePath { out.appending("vm").appending(name) }

    /// What the machine is doing, the word that `vm status` has for it.
    public func state(_ name: String = "node") async throws -> String {
        let status = try await vm("status", "--json", "--name", name)
        let line = status.output.split(separator: "\n").first { $0.contains("\"state\"") }
        return line.map { String($0.split(separator: "\"").last { $0 != "," } ?? "") } ?? status.errors
    }
}

extension ProgramResult {
    /// The one line that says what was wrong, with the steps before it left out; all of them where it is not one.
    public var complaint: String {
        let lines = errors.split(separator: "\n").filter { !$0.hasPrefix("[") }
        return lines.joined(separator: "\n")
    }
}
