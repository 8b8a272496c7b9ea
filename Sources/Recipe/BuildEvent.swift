/// What a build says while it works; who listens decides how to show it.
public enum BuildEvent: Hashable, Sendable {
    /// A step begins, such as `verify alpine-virt-3.23.6-x86_64.iso`.
    case step(String)
    /// The current step has come through `done` of `total` bytes.
    case progress(done: UInt64, total: UInt64)
    /// Something the user should know that stops nothing.
    case warning(String)
    /// Something that could not be checked, because an input is not at hand.
    case unchecked(String)
    /// What a step found, for those who want every detail.
    case detail(String)
}

/// Takes the events of a build, one after the other.
public typealias BuildReport = (BuildEvent) -> Void
