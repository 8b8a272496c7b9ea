internal import Artefact

/// Whether a node can go from one bundle to another with the data that it has.
///
/// KubeSolo's database goes forward only: an older minor release does not start on what a newer one has written.
public struct RollbackVerdict: Hashable, Sendable {
    /// The answers.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The data is used as it is.
        case safe
        /// The data has to be what it was before: the snapshot that was taken then.
        case needsSnapshot = "needs-snapshot"
        /// It is another node, or one that cannot run it.
        case impossible
    }

    /// The answer.
    public let kind: Kind
    /// Why, as what follows the words "going from A to B is KIND:".
    public let reason: String

    /// Judges by what both manifests say.
    ///
    /// Of a fleet each node is judged by the node of its name, and what is said is the worst that one of them meets. A node
    /// that only the target has left no data.
    ///
    /// - Parameters:
    ///   - present: The bundle that has run on the data.
    ///   - target: The bundle that is to run on it.
    ///   - node: The name of the one node of a fleet whose data it is; `nil` for all of them. It counts for nothing where
    ///     both bundles are for one node.
    public init(leaving present: BundleDescription, for target: BundleDescription, node: String? = nil) {
        let datastores = (present.datastore, target.datastore)
        if present.architecture != target.architecture {
            kind = .impossible
            reason = "it is for \(target.architecture), and the node is \(present.architecture)"
        } else if let other = Self.otherNode(leaving: present, for: target, node: node) {
            kind = .impossible
            reason = other
        } else if datastores.0.format != datastores.1.format {
            kind = .needsSnapshot
            reason = "it stores its data as \(datastores.1.format), and the data is \(datastores.0.format)"
        } else if datastores.0 == datastores.1 {
            kind = .safe
            reason = "both are KubeSolo \(datastores.0.kubesolo)"
        } else {
            let numbers = (Self.numbers(datastores.0.kubesolo), Self.numbers(datastores.1.kubesolo))
            if let from = numbers.0, let to = numbers.1, from < to {
                kind = .safe
                reason = "KubeSolo \(datastores.1.kubesolo) takes over what \(datastores.0.kubesolo) has written"
            } else {
                kind = .needsSnapshot
                let isOlder = numbers.0 != nil && numbers.1 != nil
                reason =
                    isOlder
                    ? "KubeSolo \(datastores.1.kubesolo) does not start on what \(datastores.0.kubesolo) has written"
                    : "nobody knows whether KubeSolo \(datastores.1.kubesolo) reads what \(datastores.0.kubesolo) has written"
            }
        }
    }

    /// Which data is that of another node; `nil` where none is.
    private static func otherNode(
        leaving present: BundleDescription, for target: BundleDescription, node: String?
    ) -> String? {
        switch (present.nodes.isEmpty, target.nodes.isEmpty) {
        case (true, true):
            let names = (present.hostname ?? present.name, target.hostname ?? target.name)
            return names.0 == names.1 ? nil : "it is the node \(names.1), and the data is that of \(names.0)"
        case (false, true):
            return "it is for one node, and the data is that of \(node.map { "\($0) of a fleet" } ?? "a fleet's nodes")"
        case (true, false): return "it is for a fleet, and the data is that of one node"
        case (false, false): break
        }
        let left = present.nodes.filter { node == nil || $0.name == node }
        if let node, left.isEmpty { return "the data is that of a fleet without the node \(node)" }
        let hosts = Dictionary(target.nodes.map { ($0.name, $0.hostname) }) { first, _ in first }
        let missing = left.filter { hosts[$0.name] == nil }.map(\.name)
        let others = left.filter { member in hosts[member.name].map { $0 != member.hostname } ?? false }
        var reasons: [String] = []
        if let only = others.first, others.count == 1, let host = hosts[only.name] {
            let subject = node == nil ? "\(only.name) there is" : "it is"
            reasons.append("\(subject) the node \(host), and the data is that of \(only.hostname)")
        } else if !others.isEmpty {
            reasons.append("the nodes \(some(others.map(\.name))) have other host names there than their data")
        }
        if !missing.isEmpty { reasons.append("it has no node\(missing.count == 1 ? "" : "s") \(some(missing))") }
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    private static func some(_ names: [String]) -> String { names.listed(most: 3) }

    /// Major and minor number, which nothing but `1.2` has.
    private static func numbers(_ text: String) -> (UInt32, UInt32)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = UInt32(parts[0]), let minor = UInt32(parts[1]) else { return nil }
        return (major, minor)
    }
}
