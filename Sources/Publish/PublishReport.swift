public import Artefact
public import Bundle

/// What publishing or pulling a bundle came to.
public struct PublishReport: Hashable, Sendable {
    /// The place, with the tag or folder that was chosen.
    public var place: String
    /// The version.
    public var version: Version
    /// The digest by which it can be named: that of the image manifest, or of `manifest.json` where there is none.
    public var digest: Digest
    /// Bytes of the bundle that were moved.
    public var movedBytes: UInt64 = 0
    /// Bytes of the bundle that were there already.
    public var presentBytes: UInt64 = 0
    /// Bytes of the bundle that the registry took from another of its repositories.
    public var mountedBytes: UInt64 = 0
    /// The names that lead to it, tags or `latest`.
    public var names: [String] = []
    /// What the user should know besides.
    public var warnings: [String] = []

    /// Whether the same was there already, complete.
    public var isUnchanged: Bool { movedBytes == 0 && mountedBytes == 0 }

    init(place: String, version: Version, digest: Digest) {
        self.place = place
        self.version = version
        self.digest = digest
    }
}

/// What is going on.
public enum PublishEvent: Hashable, Sendable {
    /// The next file, and its size in bytes.
    case began(String, UInt64)
    /// So many bytes of all are done.
    case progress(UInt64, of: UInt64)
    /// A file is done; whether it had to be moved.
    case ended(String, isMoved: Bool)
}
