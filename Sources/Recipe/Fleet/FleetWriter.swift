internal import APKOVL
internal import Artefact
internal import Bundle
internal import Dispatch
internal import Glibc
internal import Node
internal import Synchronization
internal import SystemPackage

/// Writes overlay and seed of every node of a fleet, several nodes at a time, from what was resolved once for all.
struct FleetWriter {
    let fleet: Fleet
    let inputs: BuildInputs
    let sources: OverlaySources
    /// The overlay of the recipe without its nodes.
    let base: FileTree
    /// What is known to be true of all nodes and was told.
    let told: Set<String>

    /// What is done so far.
    private struct Progress {
        var next = 0
        var made: [[StagedBatch.Made]]
        var warnings: [(node: Int, text: String)] = []
        var ownPaths: Set<EntryPath> = []
        /// The error of the first node that has one.
        var failure: (node: Int, error: any Error)?
    }

    /// The files that are made, in order.
    var files: [StagedBatch.File] {
        fleet.nodes.flatMap { node in
            let names = ArtefactNames(fleet.image(of: node))
            return [
                StagedBatch.File(role: .overlay, node: node.name, file: names.overlay),
                StagedBatch.File(role: .seed, node: node.name, file: names.seed),
            ]
        }
    }

    /// Writes all files, none of them durable yet.
    ///
    /// - Parameters:
    ///   - folder: Where `nodes` stands.
    ///   - report: Is told what the user should know, once for all nodes that it is true of.
    /// - Returns: What was made, in the order of ``files``, and the paths in overlays where a node has something else than
    ///   the recipe without its nodes.
    /// - Throws: The error of the first node that has one.
    func write(
        into folder: FilePath, _ report: BuildReport
    ) throws -> (made: [StagedBatch.Made], ownPaths: Set<EntryPath>) {
        let nodes = fleet.nodes
        let state = Mutex(Progress(made: Array(repeating: [], count: nodes.count)))
        let workers = max(1, min(nodes.count, Self.processors))
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while let index = state.withLock({ Self.take(&$0, of: nodes.count) }) {
                var warnings: [String] = []
                do {
                    let (made, ownPaths) = try write(nodes[index], into: folder) { event in
                        if case .warning(let text) = event { warnings.append(text) }
                    }
                    state.withLock { state in
                        state.ownPaths.formUnion(ownPaths)
                        state.made[index] = made
                        state.warnings += warnings.filter { !told.contains($0) }.map { (index, $0) }
                    }
                } catch {
                    state.withLock { state in
                        if state.failure.map({ index < $0.node }) ?? true { state.failure = (index, error) }
                    }
                }
            }
        }
        let progress = state.withLock { $0 }
        if let failure = progress.failure {
            guard let cause = failure.error as? any Failure else { throw failure.error }
            throw FleetError(node: nodes[failure.node].name, cause: cause)
        }
        for line in Self.joined(progress.warnings, nodes) { report(.warning(line)) }
        return (progress.made.flatMap { $0 }, progress.ownPaths)
    }

    private static var processors: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

    /// The next node; none once one has failed, so that the first failure is the one that is told.
    private static func take(_ state: inout Progress, of count: Int) -> Int? {
        guard state.failure == nil, state.next < count else { return nil }
        defer { state.next += 1 }
        return state.next
    }

    private func write(
        _ node: FleetNode, into folder: FilePath, _ report: @escaping BuildReport
    ) throws -> (made: [StagedBatch.Made], ownPaths: Set<EntryPath>) {
        let image = fleet.image(of: node)
        let build = try NodeBuild(node: image, inputs: inputs, sources: sources, report: report)
        let names = ArtefactNames(image)
        let place = folder.appending(BundleNode.directory).appending(node.name)
        try HostFile.makeDirectory(place, mode: .privateDirectory)
        let overlay = try build.writeOverlay(to: place.appending(names.overlay), durability: .deferred)
        let seed = try build.writeSeed(
            to: place.appending(names.seed), overlayFile: overlay, isComplete: false, digesting: true,
            durability: .deferred)
        let paths = build.overlay.tree.pathsDiffering(from: base)
        let made: [StagedBatch.Made] = [
            .init(
                .init(role: .overlay, node: node.name, file: names.overlay),
                isSecret: build.overlay.tree.holdsSecrets, written: overlay),
            .init(
                .init(role: .seed, node: node.name, file: names.seed), isSecret: build.seedHoldsSecrets,
                written: seed),
        ]
        return (made, paths)
    }

    /// Each warning once, with the nodes that it is true of.
    static func joined(_ warnings: [(node: Int, text: String)], _ nodes: [FleetNode]) -> [String] {
        var owners: [String: Set<Int>] = [:]
        for warning in warnings { owners[warning.text, default: []].insert(warning.node) }
        return owners.compactMap { text, owners in
            owners.min().map { first in
                let more = owners.count > 1 ? " and \(owners.count - 1) more" : ""
                return (first, "node \(nodes[first].name)\(more): \(text)")
            }
        }.sorted { $0 < $1 }.map(\.1)
    }
}
