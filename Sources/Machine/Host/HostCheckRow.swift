/// One thing that virtual machines need, and whether it is there.
public struct HostCheckRow: Hashable, Sendable, Encodable {
    /// How it stands.
    public enum State: String, Hashable, Sendable, Encodable, CaseIterable {
        /// It is there.
        case ok
        /// It will do; the detail says what is less than it could be.
        case limited
        /// It is not there.
        case missing
        /// It cannot be told while something else is missing.
        case unknown
    }

    /// What it is.
    public let name: String
    /// How it stands.
    public let state: State
    /// Whether virtual machines cannot run without it.
    public let required: Bool
    /// What was found.
    public let detail: String
    /// What mends it; `nil` where nothing has to be.
    public let mend: String?

    /// Whether it keeps virtual machines from running.
    public var isObstacle: Bool { required && (state == .missing || state == .unknown) }

    init(_ name: String, _ state: State, required: Bool = true, _ detail: String, mend: String? = nil) {
        self.name = name
        self.state = state
        self.required = required
        self.detail = detail
        self.mend = mend
    }
}
