public import Node
public import SystemPackage

/// Something that a build takes from an upstream, and where upstream's own layout has it.
public enum UpstreamInput: Hashable, Sendable {
    /// An ISO image of Alpine.
    case alpineImage(AlpineRelease, Architecture)
    /// A release tarball of KubeSolo.
    case kubeSolo(KubeSoloAsset)

    /// The file's name.
    public var name: String {
        switch self {
        case .alpineImage(let release, let architecture): release.imageName(architecture)
        case .kubeSolo(let asset): asset.description
        }
    }

    /// The path below the base URL of a mirror: `v3.23/releases/x86_64/NAME`, `v1.2.2/NAME`.
    public var path: FilePath {
        switch self {
        case .alpineImage(let release, let architecture):
            FilePath(release.branch).appending("releases").appending(architecture.alpineName).appending(name)
        case .kubeSolo(let asset): FilePath(asset.version.description).appending(name)
        }
    }

    /// The directory that holds this upstream where one mirror has several: `alpine`, `kubesolo`.
    public var project: String {
        switch self {
        case .alpineImage: "alpine"
        case .kubeSolo: "kubesolo"
        }
    }
}

/// A place that inputs come from.
///
/// The inputs lie in a directory or come over the network into a cache: either way the answer is a file on this host,
/// and whoever asked verifies it.
public protocol Mirror: Sendable {
    /// The file on this host that holds an input, with its checksum files beside it where the mirror has them.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notFound``, which says where it was looked for.
    func locate(_ input: UpstreamInput) throws(UpstreamError) -> FilePath
}

/// The upstreams' own servers.
public enum UpstreamServer {
    /// The base of Alpine's.
    public static let alpine = "https://dl-cdn.alpinelinux.org/alpine"
    /// The base of KubeSolo's release assets.
    public static let kubesolo = "https://github.com/portainer/kubesolo/releases/download"

    /// The address of an input by its name in a lock: `alpine/v3.23/…`, `kubesolo/v1.2.2/…`.
    public static func address(_ name: String) -> String {
        "\(name.hasPrefix("kubesolo/") ? kubesolo : alpine)\(name.drop { $0 != "/" })"
    }
}
