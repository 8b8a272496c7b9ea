/// Who uses virtual machines on this host.
public struct HostUser: Hashable, Sendable {
    /// The name by which the user is logged in.
    public let name: String
    /// Whether the user is root.
    public let isRoot: Bool
    /// The groups that count for this process: those that the user had at the login, whatever was added since.
    public let groups: Set<String>

    /// Describes a user.
    public init(name: String, isRoot: Bool, groups: Set<String>) {
        self.name = name
        self.isRoot = isRoot
        self.groups = groups
    }
}
