public import Artefact

/// What is going on in a transfer.
public enum TransferEvent: Hashable, Sendable {
    /// So many bytes are there, of so many where the sender or the caller said how many there are.
    case received(UInt64, of: UInt64?)
    /// Something went wrong that may pass: after the wait, the transfer goes on where it stopped.
    case waiting(Duration, reason: String)
}

/// What is known of a file before it comes.
public struct TransferExpectation: Hashable, Sendable {
    /// Its size in bytes.
    public var size: UInt64?
    /// The SHA-256 of its bytes.
    public var sha256: Digest?
    /// Whether its SHA-512 is computed, too.
    public var wantsSHA512: Bool
    /// Whether a file that comes whole with another digest stays where it is, for the caller to look at.
    public var keepsOther: Bool

    /// Joins what is known.
    public init(size: UInt64? = nil, sha256: Digest? = nil, wantsSHA512: Bool = false, keepsOther: Bool = false) {
        self.size = size
        self.sha256 = sha256
        self.wantsSHA512 = wantsSHA512
        self.keepsOther = keepsOther
    }
}
