public import SystemPackage
public import Transfer

/// How registries are reached; nothing is read from the environment.
public struct RegistryAccess {
    /// Certificates, proxies, retries.
    public var settings: TransferSettings
    /// Where logins are.
    public var credentials: CredentialFiles
    /// Whether to speak without TLS; with this host itself that is tried where it has none.
    public var isPlain = false
    /// Repositories of the same registry that may have a blob already.
    public var mountedFrom: [String] = []
    /// Where is noted how far the upload of a blob has come; `nil` where nothing is to be noted.
    public var notes: FilePath?
    /// The bytes of a blob that go in one request.
    public var chunkBytes: UInt64 = 16 << 20
    /// Is told how many bytes of a blob have been moved.
    public var progress: (UInt64) -> Void = { _ in }
    /// Is told what is waited for, and how many seconds.
    public var waiting: (String, Int64) -> Void = { _, _ in }
    /// Whether the user wants to stop; asked again and again.
    public var isCancelled: () -> Bool = { false }

    /// Access by these settings and logins.
    public init(settings: TransferSettings, credentials: CredentialFiles) {
        self.settings = settings
        self.credentials = credentials
    }
}
