/// The proxies through which a node reaches what is outside.
public struct Proxy: Hashable, Sendable {
    /// The proxy for `http:` addresses, as a URL; a secret where it holds a password.
    public var http: String?
    /// The proxy for `https:` addresses, as a URL; a secret where it holds a password.
    public var https: String?
    /// What is reached without one, beside the cluster itself: names, suffixes that begin with a point, nets.
    public var exceptions: [String]

    /// Joins the parts.
    public init(http: String? = nil, https: String? = nil, exceptions: [String] = []) {
        self.http = http
        self.https = https
        self.exceptions = exceptions
    }

    /// Whether one of the URLs holds a user's name or password.
    public var holdsSecrets: Bool { [http, https].contains { $0?.contains("@") == true } }
}

/// Where containers' images of one registry are looked for first.
public struct RegistryMirrors: Hashable, Sendable {
    /// The registry as it stands in names of images, such as `docker.io`; `_default` for every one without its own.
    public var registry: String
    /// URLs of mirrors in the order in which they are asked; the registry itself comes last.
    public var mirrors: [String]

    /// Joins the parts.
    public init(registry: String, mirrors: [String]) {
        self.registry = registry
        self.mirrors = mirrors
    }
}
