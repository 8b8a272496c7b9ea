/// What is going on while inputs are fetched; several at once.
public enum FetchEvent: Hashable, Sendable {
    /// An input is asked for.
    case began(name: String)
    /// So many bytes of it are there, of so many where that is known.
    case received(name: String, UInt64, of: UInt64?)
    /// Something went wrong that may pass; after the wait it is tried again.
    case waiting(name: String, Duration, reason: String)
    /// It is in the cache, from this address, or was there before.
    case done(name: String, size: UInt64, from: String?)
}
