internal import Artefact
public import Bundle

/// What a bundle that is pulled must be.
public struct Acceptance: Sendable {
    /// The version, where only one is taken.
    public var version: Version?
    /// The keys of which one must have signed it; with none, it need not be signed.
    public var keys: [MinisignPublicKey]
    /// Whether a version is taken that is older than one that was confirmed.
    public var allowsDowngrade: Bool

    /// Joins the demands.
    public init(version: Version? = nil, keys: [MinisignPublicKey] = [], allowsDowngrade: Bool = false) {
        self.version = version
        self.keys = keys
        self.allowsDowngrade = allowsDowngrade
    }

    /// Refuses another version than the one that is demanded.
    func require(_ found: Version, at place: String) throws(PublishError) {
        guard let version, version != found else { return }
        throw PublishError(
            .unexpected, subject: place,
            detail: "is version \(found), where \(version) is expected; nothing was changed")
    }
}
