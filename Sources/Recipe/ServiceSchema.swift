internal import Node

/// What a recipe may say of the services around KubeSolo.
enum ServiceSchema {
    static let health = Schema.object([
        SchemaField(
            "timeout", .integer(60...86_400), .value(.integer(Int64(HealthGate().timeout))),
            "The seconds after which it counts as unhealthy. It goes on trying and says so when it becomes healthy later."
        ),
        SchemaField(
            "stable", .integer(1...3600), .value(.integer(Int64(HealthGate().stable))),
            "The seconds for which the API server, the node and CoreDNS must be ready under one process; less than "
                + "`timeout`."),
    ])

    static let portainer = Schema.object([
        SchemaField(
            "edgeID", .text(.edgeID), .requiredTogether,
            "The edge identifier of this device, which no two nodes of a fleet share."),
        SchemaField(
            "edgeKey", .text(.secretReference), .requiredTogether, secret: true,
            "The edge key of the environment, as `file:PATH` or `env:NAME`. Each device needs its own."),
        SchemaField("image", .text(.image), .follows("KubeSolo"), "The agent's image."),
        SchemaField("async", .flag, .value(.bool(false)), "Whether the agent polls in its own time."),
    ])

    static let proxy = Schema.object([
        SchemaField(
            "http", .text(.proxy), secret: true,
            "The proxy for `http:` addresses: a URL, or `file:PATH` or `env:NAME` for one with a password."),
        SchemaField("https", .text(.proxy), secret: true, "The proxy for `https:` addresses, likewise."),
        SchemaField(
            "noProxy", .list(.text(.proxyException), most: 64), .value(.sequence([])),
            "What is reached without a proxy: names, suffixes that begin with a point, addresses and nets. The node's own "
                + "addresses, the cluster's nets and names are always among them."),
    ])

    static let registry = Schema.object([
        SchemaField(
            "mirrors", .list(.text(.mirrorURL), most: 16), .required,
            "URLs that are asked before the registry itself, in this order. One with a path is taken as it is.")
    ])
}
