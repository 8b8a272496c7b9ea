internal import Node

/// What a recipe may say of one node of a fleet: what differs from node to node, and nothing that decides the inputs.
enum FleetSchema {
    static let nodes = Schema.table(.nodeName, member)

    /// Where a node stands, as ``CheckedNode/schemaPath`` writes it.
    static let node = "nodes.*"

    /// The path of every key of a node, and where the recipe itself has the same key.
    static let keyPaths = member.keyPaths().map { (ofNode: "\(node).\($0)", ofRecipe: $0) }

    private static let member = Schema.object([
        SchemaField(
            "hostname", .text(.hostName), .follows("the node's name"),
            "The host name (RFC 1123, lower case), which becomes the name of the Kubernetes node."),
        SchemaField(
            "site", .text(.nodeName), .follows("one site for all that give none"),
            "Where it stands: nodes of different sites may have the same static addresses."),
        SchemaField(
            "mac", .text(.macAddress),
            "The address of the card that it boots from, by which it finds its overlay when it boots over the network."),
        SchemaField(
            "uuid", .text(.uuid),
            "Its SMBIOS UUID, by which it finds its overlay when it boots over the network and has no `mac`."),
        SchemaField(
            "kubesolo",
            .object([
                SchemaField(
                    "config", .configuration, .value(.mapping([])), "Laid over `kubesolo.config` of the recipe.")
            ]), "What its KubeSolo is told besides."),
        SchemaField("network", RecipeSchema.network, "How it reaches its networks."),
        SchemaField("access", RecipeSchema.access, "Who may log in."),
        SchemaField("storage", RecipeSchema.storage, "Where it keeps its state."),
        SchemaField(
            "layers", .list(.text(.path), most: 64), "Directories that are laid over its generated files."),
        SchemaField("seed", RecipeSchema.seed, "What its NoCloud seed says beyond what follows from the rest."),
        SchemaField("portainer", ServiceSchema.portainer, "Reports it to Portainer as an edge device."),
        SchemaField("proxy", ServiceSchema.proxy, "The proxies through which it reaches what is outside."),
        SchemaField(
            "registries", .table(.registry, ServiceSchema.registry), "Mirrors of container registries."),
        SchemaField("health", ServiceSchema.health, "When it counts as healthy."),
    ])
}
