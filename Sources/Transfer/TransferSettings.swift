public import SystemPackage

/// All that decides how files are fetched; nothing is read from the environment.
public struct TransferSettings: Sendable {
    /// A secret that is sent as `Authorization: Bearer`, and where to.
    public struct BearerToken: Sendable, CustomStringConvertible, CustomReflectable {
        /// The host that may see it, as it stands in addresses.
        public let host: String
        let secret: String

        /// Takes a token.
        ///
        /// - Parameters:
        ///   - secret: The token; anything but visible ASCII is refused when it is first used.
        ///   - host: The one host that may see it.
        public init(_ secret: String, for host: String) {
            self.secret = secret
            self.host = host.lowercased()
        }

        /// The host; never the secret.
        public var description: String { "a token for \(host)" }
        /// The same.
        public var customMirror: Mirror { Mirror(self, children: ["host": host]) }
    }

    /// A user and a password that are sent to the server of the address that is asked for, and to no other.
    public struct Login: Sendable, CustomStringConvertible, CustomReflectable {
        /// The user.
        public let user: String
        let secret: String

        /// Joins the two.
        public init(_ user: String, secret: String) {
            self.user = user
            self.secret = secret
        }

        /// That there is one; never the secret.
        public var description: String { "a login" }
        /// The same.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// The proxy for `http` addresses, as in `http_proxy`; it may hold a password.
    public var httpProxy: String?
    /// The proxy for `https` addresses, as in `https_proxy`.
    public var httpsProxy: String?
    /// The proxy for both where there is none of their own, as in `all_proxy`.
    public var allProxy: String?
    /// The hosts that are reached without a proxy, as in `no_proxy`: names and networks with commas between, or `*`.
    public var noProxy: String?
    /// Whether this host itself is reached without a proxy, whatever ``noProxy`` says: what a proxy would be told then is
    /// meant for nobody else, and its own loopback is another one.
    public var reachesLoopbackDirectly = false
    /// The certificates that are trusted instead of the system's, in PEM form.
    public var certificates: FilePath?
    /// Users and passwords by host, in the form of `.netrc`.
    public var netrc: FilePath?
    /// A token, and the host that it is for.
    public var token: BearerToken?
    /// A login, in place of ``netrc`` and of what addresses hold.
    public var login: Login?
    /// What the client calls itself.
    public var userAgent: String
    /// The seconds after which a transfer that brings almost nothing is given up, and tried again.
    public var stallSeconds: Int
    /// The seconds that making a connection may take.
    public var connectSeconds: Int
    /// How many times a transfer is tried again without having got on.
    public var retries: Int
    /// The wait before the first retry; each further one doubles it, up to eight times this.
    public var backOff: Duration
    /// The redirects that are followed for one file.
    public var maximumRedirects: Int

    /// Settings without proxy, credentials and certificates of one's own.
    public init(userAgent: String = "ksbuild") {
        self.userAgent = userAgent
        stallSeconds = 30
        connectSeconds = 30
        retries = 5
        backOff = .seconds(1)
        maximumRedirects = 10
    }

    /// Every proxy that is set, as it is written.
    var proxies: [String] { [httpProxy, httpsProxy, allProxy].compactMap { $0 }.filter { !$0.isEmpty } }

    /// The host of an address, as ``BearerToken`` takes it; empty for a file.
    ///
    /// - Throws: ``TransferError`` with ``TransferError/Code/invalidAddress``.
    public static func host(of address: String) throws -> String { try Address(address).host }

    /// The proxy for an address, but for what ``noProxy`` says.
    func proxy(for address: Address) -> String? {
        guard !reachesLoopbackDirectly || !Transfer.isLoopback(address.host) else { return nil }
        let own = address.scheme == "https" ? httpsProxy : httpProxy
        return [own, allProxy].compactMap { $0 }.first { !$0.isEmpty }
    }
}
