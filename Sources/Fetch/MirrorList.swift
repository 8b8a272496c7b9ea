internal import Artefact
internal import SystemPackage
internal import Upstream

/// Where inputs may be had, by their names in a lock: `alpine/v3.23/…`, `kubesolo/v1.2.2/…`.
public struct MirrorList: Hashable, Sendable {
    /// KubeSolo's releases in GitHub's REST interface.
    public static let kubesoloReleases = "https://api.github.com/repos/portainer/kubesolo/releases?per_page=100"

    /// The bases that are asked instead of upstream's own servers, in this order; empty for those servers.
    public let given: [String]

    /// Takes the mirrors that a user names.
    ///
    /// - Parameters:
    ///   - mirrors: Addresses (`https:`, `http:`, `file:`) or directories. Each holds what the upstreams' servers hold,
    ///     below `alpine/` and `kubesolo/` or at its root.
    ///   - directory: What relative directories start from.
    public init(_ mirrors: [String] = [], relativeTo directory: String = "/") {
        given = mirrors.map { mirror in
            // With a scheme that is not fetched from it is an address all the same, and refused as one: it may hold a password,
            // and a directory's name would be told.
            let base = mirror.contains("://") ? mirror : Self.address(ofDirectory: mirror, relativeTo: directory)
            return String(base.reversed().drop { $0 == "/" }.reversed())
        }
    }

    /// The addresses of an input, the likeliest first.
    ///
    /// - Parameter name: Its name in a lock, or of a file beside it.
    /// - Returns: At least one.
    public func addresses(_ name: String) -> [String] {
        guard given.isEmpty else {
            let rest = name.drop { $0 != "/" }
            return given.flatMap { ["\($0)/\(name)", "\($0)\(rest)"] }
        }
        return [UpstreamServer.address(name)]
    }

    /// The addresses of the list of KubeSolo's releases.
    public var kubeSoloReleases: [String] {
        given.isEmpty ? [Self.kubesoloReleases] : addresses("kubesolo/\(KubeSoloReleases.fileName)")
    }

    /// `file:///…` with every byte that addresses do not hold written as `%XX` (RFC 3986 §2.1).
    private static func address(ofDirectory path: String, relativeTo directory: String) -> String {
        let absolute = path.hasPrefix("/") ? path : FilePath(directory).pushing(FilePath(path)).string
        var address = "file://"
        for byte in FilePath(absolute).lexicallyNormalized().string.utf8 {
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-._~/".utf8.contains(byte)
            let digits = Array("0123456789ABCDEF")
            address += isPlain ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }
        return address
    }
}
