public import Artefact

/// What went wrong with one node of a fleet.
public struct FleetError: Failure {
    /// The node.
    public let node: String
    /// What went wrong.
    public let cause: any Failure

    /// One line: the node, and what its cause says.
    public var description: String { "node \(node): \(cause)" }

    /// What the failure means to the caller.
    public var failureClass: FailureClass { cause.failureClass }
}
