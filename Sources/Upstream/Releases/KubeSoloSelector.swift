public import Node

/// Which release of KubeSolo somebody asks for.
public enum KubeSoloSelector: Hashable, Sendable, CustomStringConvertible {
    /// That release and no other: `v1.2.2`.
    case exact(KubeSoloVersion)
    /// The newest release that is no pre-release: `latest`.
    case latest

    /// Reads what was written.
    ///
    /// - Parameters:
    ///   - text: A tag such as `v1.2.2`, or `latest`.
    ///   - named: The key or option it was written for, for the message.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` for anything else, with
    ///   ``UpstreamError/Code/wrongRelease`` for a release that does not run on Alpine.
    public init(_ text: String, named: String) throws(UpstreamError) {
        guard text != "latest" else {
            self = .latest
            return
        }
        guard let version = KubeSoloVersion(text) else {
            let hint =
                KubeSoloVersion("v" + text) == nil ? "such as \(KubeSoloVersion.recommended), or latest" : "v\(text)"
            throw UpstreamError(
                .malformed, subject: named,
                detail: "'\(text.prefix(60))' is no release of KubeSolo; write \(hint)")
        }
        try Self.requireFitness(version, subject: named)
        self = .exact(version)
    }

    /// Finds the release.
    ///
    /// - Parameters:
    ///   - list: What the server or the mirror answered.
    ///   - known: The newest release that is known to exist, such as the locked one; for `latest`, a list that has only
    ///     older ones is refused.
    /// - Returns: The release with its files.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notListed`` when the list lacks it,
    ///   ``UpstreamError/Code/wrongRelease`` for one that does not run on Alpine or is older than a known one.
    public func resolve(
        in list: KubeSoloReleases, known: KubeSoloVersion? = nil
    ) throws(UpstreamError) -> KubeSoloReleases.Release {
        let found: KubeSoloReleases.Release?
        switch self {
        case .exact(let version): found = list.releases.first { $0.version == version }
        case .latest: found = list.releases.first { !$0.isPrerelease }
        }
        guard let found else {
            let newest = list.releases.prefix(3).map(\.version.description).joined(separator: ", ")
            throw UpstreamError(
                .notListed, subject: list.source,
                detail: "lists no release \(self == .latest ? "that is no pre-release" : "\(self)") "
                    + "(the newest are \(newest.isEmpty ? "none" : newest))")
        }
        try Self.requireFitness(found.version, subject: list.source)
        if self == .latest, let known, found.version < known {
            throw UpstreamError(
                .wrongRelease, subject: list.source,
                detail: "lists \(found.version) as the newest, and \(known) is known already; take a newer list")
        }
        return found
    }

    /// Refuses a release that does not run on Alpine.
    private static func requireFitness(_ version: KubeSoloVersion, subject: String) throws(UpstreamError) {
        guard case .unfit(let why) = version.fitness else { return }
        throw UpstreamError(
            .wrongRelease, subject: subject,
            detail: "\(version) does not run on Alpine: \(why); use \(KubeSoloVersion.oldestOnAlpine) or newer")
    }

    /// What was written.
    public var description: String {
        switch self {
        case .exact(let version): version.description
        case .latest: "latest"
        }
    }
}
