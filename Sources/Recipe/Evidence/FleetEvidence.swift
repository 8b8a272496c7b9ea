internal import Artefact

/// What a bill of materials tells of a fleet besides its nodes: which files of the overlays are not the same in all.
final class FleetEvidence {
    /// The nodes.
    let fleet: Fleet
    /// The files of overlays that are not the recipe's own in every node; known once all overlays are written.
    var ownPaths: Set<EntryPath> = []

    init(_ fleet: Fleet) { self.fleet = fleet }

    /// What a reader must know of the package that stands for what all overlays have in common.
    var comment: String {
        let own = ownPaths.sorted().map { "./\($0)" }
        return "what the overlays of all nodes have in common"
            + (own.isEmpty ? "" : "; of its own, listed by the digest of the overlay alone, a node may have: ")
            + own.joined(separator: " ")
    }
}
