/// How a node reports to Portainer as an edge device: KubeSolo runs its agent when both identifier and key are there.
public struct Portainer: Hashable, Sendable {
    /// The edge identifier.
    public var edgeID: String
    /// The edge key of the environment; a secret.
    public var edgeKey: String
    /// The agent's image, or `nil` for KubeSolo's own.
    public var image: String?
    /// Whether the agent polls for commands in its own time.
    public var isAsynchronous: Bool

    /// Joins the parts.
    public init(edgeID: String, edgeKey: String, image: String? = nil, isAsynchronous: Bool = false) {
        self.edgeID = edgeID
        self.edgeKey = edgeKey
        self.image = image
        self.isAsynchronous = isAsynchronous
    }
}
