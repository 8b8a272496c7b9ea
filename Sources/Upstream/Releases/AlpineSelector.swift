public import Node
public import SystemPackage

/// Which release of Alpine somebody asks for: exactly one, the newest of a branch, or the newest of all.
public enum AlpineSelector: Hashable, Sendable, CustomStringConvertible {
    /// That release and no other: `3.21.3`.
    case exact(AlpineVersion)
    /// The newest release of a branch: `3.21`.
    case branch(AlpineBranch)
    /// The newest release of the newest branch: `latest-stable`.
    case latestStable

    /// What a list of a mirror means for a request.
    public enum Resolution: Hashable, Sendable {
        /// The list names the release, with the digests that the mirror claims.
        case listed(AlpineReleaseList.Entry)
        /// The release is older than the newest of its branch, which is all that the list names: what its digest is has to
        /// come from elsewhere.
        case unlisted(AlpineRelease)

        /// The release.
        public var release: AlpineRelease {
            switch self {
            case .listed(let entry): entry.release
            case .unlisted(let release): release
            }
        }
    }

    /// Reads what was written.
    ///
    /// - Parameters:
    ///   - text: `3.21.3`, `3.21` or `latest-stable`.
    ///   - named: The key or option it was written for, for the message.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed``.
    public init(_ text: String, named: String) throws(UpstreamError) {
        if text == "latest-stable" {
            self = .latestStable
        } else if let version = AlpineVersion(text) {
            self = .exact(version)
        } else if let branch = AlpineBranch(text) {
            self = .branch(branch)
        } else {
            let hint =
                switch text {
                case "edge": "edge has no releases; write"
                case "latest", "stable": "write latest-stable, or"
                default: "write"
                }
            throw UpstreamError(
                .malformed, subject: named,
                detail:
                    "'\(text.prefix(60))' is no release of Alpine; \(hint) one such as 3.23.6, or a branch such as 3.23"
            )
        }
    }

    /// The list to ask for, below the base URL of a mirror: `v3.21/releases/x86_64/latest-releases.yaml`.
    public func listPath(_ architecture: Architecture) -> FilePath {
        let directory =
            switch self {
            case .exact(let version): version.branch.description
            case .branch(let branch): branch.description
            case .latestStable: "latest-stable"
            }
        return FilePath(directory).appending("releases").appending(architecture.alpineName)
            .appending(AlpineReleaseList.fileName)
    }

    /// Finds the release in the list that ``listPath(_:)`` names.
    ///
    /// - Parameters:
    ///   - list: What the mirror answered.
    ///   - flavor: The flavour of the image.
    ///   - architecture: The processor.
    ///   - known: The newest release that is known to exist, such as the locked one; a mirror that has only older ones of
    ///     its branch is refused.
    /// - Returns: The release, with what the list says of it.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notListed`` when the list lacks the flavour or processor,
    ///   ``UpstreamError/Code/wrongRelease`` when it is of another branch or older than what is asked for or known.
    public func resolve(
        in list: AlpineReleaseList, flavor: AlpineRelease.Flavor, architecture: Architecture,
        known: AlpineVersion? = nil
    ) throws(UpstreamError) -> Resolution {
        let entry = try list.entry(flavor, architecture)
        func fault(_ what: String) -> UpstreamError {
            UpstreamError(.wrongRelease, subject: list.source, line: entry.line, detail: what)
        }
        switch self {
        case .exact(let version):
            guard entry.version.branch == version.branch else {
                throw fault(
                    "lists \(entry.version) where releases of \(version.branch) are expected; take another mirror")
            }
            guard entry.version >= version else {
                throw fault("lists \(entry.version) as the newest, and \(version) is asked for; take a newer mirror")
            }
            let release = AlpineRelease(version: version.description, flavor: flavor)
            return entry.version == version ? .listed(entry) : .unlisted(release)
        case .branch(let branch):
            guard entry.version.branch == branch else {
                throw fault("lists \(entry.version) where releases of \(branch) are expected; take another mirror")
            }
        case .latestStable: break
        }
        let isComparable = self == .latestStable || known?.branch == entry.version.branch
        if let known, isComparable, entry.version < known {
            throw fault("lists \(entry.version) as the newest, and \(known) is known already; take a newer mirror")
        }
        return .listed(entry)
    }

    /// What was written.
    public var description: String {
        switch self {
        case .exact(let version): version.description
        case .branch(let branch): String(branch.description.dropFirst())
        case .latestStable: "latest-stable"
        }
    }
}
