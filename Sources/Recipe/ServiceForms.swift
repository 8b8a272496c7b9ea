private let host = TextPattern.sequence([
    .characters("a-z0-9", 1...1), .characters("a-z0-9.-", 0...253),
    .repeated(.sequence([.literal(":"), .characters("0-9", 1...5)]), 0...1),
])
private let scheme = TextPattern.either([.literal("http://"), .literal("https://")])

/// The texts of ``ServiceSchema``.
extension TextForm {
    static let edgeID = TextForm(
        noun: "an edge identifier", pattern: .characters("A-Za-z0-9_.:-", 1...128),
        hint: "write the identifier that Portainer shows for the device")

    static let image = TextForm(
        noun: "the name of an image",
        pattern: .sequence([.characters("a-z0-9", 1...1), .characters("A-Za-z0-9_.:@/-", 1...511)]),
        hint: "such as docker.io/portainer/agent:lts")

    static let registry = TextForm(
        noun: "a registry", pattern: .either([.literal("_default"), host]), maximum: 255,
        hint: "write the host of the registry as in names of images, such as docker.io, or _default",
        explain: { $0.contains("/") ? ("is a URL or a path", "write the host alone, such as docker.io") : nil })

    static let mirrorURL = TextForm(
        noun: "the URL of a mirror",
        pattern: .sequence([
            scheme, host, .repeated(.sequence([.literal("/"), .characters("A-Za-z0-9_.-", 0...127)]), 0...16),
        ]),
        maximum: 1024, hint: "such as https://mirror.example.org",
        explain: {
            $0.contains("@") ? ("holds a name or a password", "put a hosts.toml with a header into a layer") : nil
        })

    static let proxy = TextForm(
        noun: "a proxy",
        pattern: .either([
            .sequence([scheme, host, .repeated(.literal("/"), 0...1)]),
            .sequence([.either([.literal("file:"), .literal("env:")]), .printable(1...4096)]),
        ]),
        maximum: 4096,
        hint: "write a URL such as http://proxy.example.org:3128, or file:PATH or env:NAME for one with a password",
        isShown: false)

    static let proxyException = TextForm(
        noun: "a name or a net", pattern: .characters("A-Za-z0-9.:/*_-", 1...255),
        hint: "such as intranet.example.org, .example.org or 192.0.2.0/24")
}
