public import Artefact

/// What a store's history comes to: which version is live, which ones have proven themselves, which ones failed.
///
/// A confirmation holds for one content: another bundle under the same version, published after the first was removed,
/// has proven nothing.
public struct Standing: Hashable, Sendable {
    /// A version that has proven itself.
    public struct Confirmation: Hashable, Sendable {
        /// The version.
        public let version: Version
        /// The digest of its manifest.
        public let manifest: Digest?
    }

    /// A version that was left by rolling back.
    public struct Failure: Hashable, Sendable {
        /// When, by whom and why it was left.
        public let occasion: Occasion
    }

    /// The version that the history says is live.
    public private(set) var live: Version?
    /// The versions that have proven themselves, the latest confirmation last.
    public private(set) var confirmed: [Confirmation] = []
    /// The versions that were left by rolling back and not made live again.
    public private(set) var failed: [Version: Failure] = [:]
    /// The newest version that was ever confirmed: the store takes in nothing older.
    public private(set) var floor: Version?

    /// What stood before the last switch, which may turn out not to have happened.
    private(set) var beforeSwitch: Before?

    struct Before: Hashable, Sendable {
        let live: Version?
        let failed: [Version: Failure]
    }

    /// Begins with nothing.
    public init() {}

    /// Joins the parts, as a checkpoint has them.
    init(
        live: Version?, confirmed: [Confirmation], failed: [Version: Failure], floor: Version?, beforeSwitch: Before?
    ) {
        self.live = live
        self.confirmed = confirmed
        self.failed = failed
        self.floor = floor
        self.beforeSwitch = beforeSwitch
    }

    /// Adds what one line tells.
    mutating func take(_ entry: History.Entry) {
        switch (entry.result, entry.to) {
        case (.activated, let to?):
            beforeSwitch = Before(live: live, failed: failed)
            live = to
            failed[to] = nil
        case (.rolledBack, let to?):
            beforeSwitch = Before(live: live, failed: failed)
            live = to
            failed[to] = nil
            if let from = entry.from, from != to { failed[from] = Failure(occasion: entry.occasion) }
        case (.confirmed, let to?):
            confirmed.removeAll { $0.version == to }
            confirmed.append(Confirmation(version: to, manifest: entry.manifest))
            floor = floor.map { max($0, to) } ?? to
        case (.undone, _): takeBack()
        case (.repaired, let to?):
            if to == beforeSwitch?.live { takeBack() } else { live = to }
        case (_, nil), (.pruned, _): break
        }
    }

    private mutating func takeBack() {
        guard let before = beforeSwitch else { return }
        live = before.live
        failed = before.failed
        beforeSwitch = nil
    }

    /// Whether this content of a version has proven itself.
    ///
    /// - Parameters:
    ///   - version: The version.
    ///   - manifest: The digest of its manifest.
    /// - Returns: Whether it was confirmed with that digest.
    public func isConfirmed(_ version: Version, manifest: Digest) -> Bool {
        confirmed.contains { $0.version == version && $0.manifest == manifest }
    }

    /// The versions to go back to, the one to go to first: those that were confirmed and not left by rolling back, the
    /// latest confirmation first, without the live one.
    public func waysBack(from live: Version?) -> [Confirmation] {
        confirmed.reversed().filter { $0.version != live && failed[$0.version] == nil }
    }
}
