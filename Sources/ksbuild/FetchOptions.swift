import ArgumentParser
import Artefact
import Fetch
import SystemPackage
import Transfer
import Upstream

/// How inputs come over the network.
struct TransferOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Certificates to trust instead of the system's, in PEM form.", valueName: "file"),
        completion: .file())
    var caFile: String?

    @Option(
        help: ArgumentHelp("Users and passwords by host; by default ~/.netrc where it is there.", valueName: "file"),
        completion: .file())
    var netrc: String?

    @Option(
        help: ArgumentHelp(
            "A file with a token for the host of the first mirror, or else of the first input.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Option(help: ArgumentHelp("How many times a transfer that does not get on is tried again.", valueName: "n"))
    var retries = 5

    func validate() throws {
        guard (0...100).contains(retries) else { throw ValidationError("--retries takes 0 to 100") }
    }

    /// The settings, with the proxies of the environment.
    ///
    /// - Parameter addresses: What is fetched from; the token is for the host of the first that has one.
    /// - Returns: The settings.
    /// - Throws: `ValidationError`, `ArtefactError`, `TransferError`.
    func settings(for addresses: [String]) throws -> TransferSettings {
        var settings = TransferSettings.ofHost(caFile: caFile, retries: retries)
        settings.netrc =
            netrc.map { FilePath($0) } ?? Host.home?.appending(".netrc").existing
        if let tokenFile {
            let text = String(decoding: try HostFile.read(FilePath(tokenFile), limit: 16 << 10), as: UTF8.self)
            let hosts = try addresses.map { try TransferSettings.host(of: $0) }
            guard let host = hosts.first(where: { !$0.isEmpty }) else {
                throw ValidationError("--token-file needs --mirror with the address that the token is for")
            }
            settings.token = .init(String(text.filter { !$0.isWhitespace }), for: host)
        }
        return settings
    }
}

extension TransferSettings {
    /// Settings with the proxies and certificates of the environment.
    static func ofHost(caFile: String?, retries: Int) -> TransferSettings {
        var settings = TransferSettings(userAgent: "ksbuild")
        settings.retries = retries
        // Upper case is not read for http: a web server sets it from a header of its client.
        settings.httpProxy = Host.variable("http_proxy")
        settings.httpsProxy = Host.variable("https_proxy") ?? Host.variable("HTTPS_PROXY")
        settings.allProxy = Host.variable("all_proxy") ?? Host.variable("ALL_PROXY")
        settings.noProxy = Host.variable("no_proxy") ?? Host.variable("NO_PROXY")
        settings.certificates = caFile.map { FilePath($0) } ?? Host.variable("SSL_CERT_FILE").map { FilePath($0) }
        return settings
    }
}

extension FilePath {
    /// The same path where something is there.
    fileprivate var existing: FilePath? { HostFile.exists(self) ? self : nil }
}

/// Which cache holds inputs.
struct CacheOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The cache of inputs; by default ksbuild/inputs below XDG_CACHE_HOME or ~/.cache.", valueName: "dir"),
        completion: .directory)
    var cache: String?

    /// The cache.
    func open(isBelieved: Bool = true) -> InputCache {
        InputCache(
            cache.map { Host.workingDirectory.pushing(FilePath($0)) } ?? Host.inputCache, isBelieved: isBelieved)
    }
}

extension InputFetcher {
    /// A fetcher that shows what it does and heeds Ctrl-C.
    ///
    /// - Parameters:
    ///   - cache: Where inputs go.
    ///   - mirrors: Where they come from.
    ///   - transfer: How.
    ///   - report: What is shown.
    ///   - lock: What is fetched where no mirror is given.
    /// - Throws: As ``TransferOptions/settings(for:)`` does.
    init(
        _ cache: InputCache, _ mirrors: MirrorList, _ transfer: TransferOptions, _ report: ReportOptions,
        for lock: InputLock? = nil
    ) throws {
        let reporter = FetchReporter(report)
        Interrupt.watch()
        self.init(
            cache: cache, mirrors: mirrors,
            settings: try transfer.settings(for: mirrors.given + (lock?.entries.map(\.url) ?? [])),
            report: { reporter.show($0) }, isCancelled: { Interrupt.isRequested })
    }
}
