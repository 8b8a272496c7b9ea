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
    /// - Parameters:
    ///   - present: The bundle that has run on the data.
    ///   - target: The bundle that is to run on it.
    public init(leaving present: BundleDescription, for target: BundleDescription) {
        let datastores = (present.datastore, target.datastore)
        let names = (present.hostname ?? present.name, target.hostname ?? target.name)
        if present.architecture != target.architecture {
            kind = .impossible
            reason = "it is for \(target.architecture), and the node is \(present.architecture)"
        } else if names.0 != names.1 {
            kind = .impossible
            reason = "it is the node \(names.1), and the data is that of \(names.0)"
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

    /// Major and minor number, which nothing but `1.2` has.
    private static func numbers(_ text: String) -> (UInt32, UInt32)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = UInt32(parts[0]), let minor = UInt32(parts[1]) else { return nil }
        return (major, minor)
    }
}
