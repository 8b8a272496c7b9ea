public import Artefact
public import Bundle
public import Node
public import SystemPackage

/// The nodes of a recipe that describes more than one.
public struct Fleet: Sendable {
    private let recipe: Recipe
    private let stamp: BuildStamp

    init(_ recipe: Recipe, stamp: BuildStamp) {
        self.recipe = recipe
        self.stamp = stamp
    }

    /// The nodes, sorted by name; there is at least one.
    public var nodes: [FleetNode] { recipe.nodes }

    /// A node with all choices made.
    public func image(of node: FleetNode) -> NodeImage { recipe.node(node, stamp: stamp) }

    /// The nodes as a bundle names them.
    public var described: [BundleNode] {
        nodes.map { node in
            BundleNode(
                name: node.name, hostname: node.recipe.hostname ?? node.name,
                hardwareAddress: node.hardwareAddress, uuid: node.uuid)
        }
    }

    /// The layers that any node has.
    public var layers: Set<FilePath> { Set(nodes.flatMap(\.recipe.layers)) }
}

extension DecodedRecipe {
    /// The nodes, where the recipe describes a fleet.
    ///
    /// - Parameter version: The version that is built.
    /// - Returns: The fleet, or `nil` where the recipe is for one node.
    public func fleet(version: String = BuildStamp.developmentVersion) -> Fleet? {
        recipe.nodes.isEmpty ? nil : Fleet(recipe, stamp: BuildStamp(version: version, epoch: epoch))
    }
}
