public import Artefact
internal import FoundationEssentials
public import Node

/// The releases of KubeSolo as GitHub's interface lists them: `GET repos/portainer/kubesolo/releases`, version 2022-11-28.
///
/// A mirror holds the same JSON as ``fileName`` beside the directories of the tags. The fields `tag_name draft prerelease
/// assets[name size digest browser_download_url]` are read, the others are not looked at. Releases whose tag is no
/// version, drafts included, are left out.
public struct KubeSoloReleases: Hashable, Sendable {
    /// A file of a release.
    public struct Asset: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Its size in bytes.
        public let size: UInt64
        /// The SHA-256 digest that GitHub computed when the file was uploaded; `nil` for files from before June 2025.
        public let sha256: Digest?
        /// Where GitHub serves it.
        public let url: String
    }

    /// One release.
    public struct Release: Hashable, Sendable {
        /// The tag.
        public let version: KubeSoloVersion
        /// Whether upstream calls it a pre-release, or its tag says so.
        public let isPrerelease: Bool
        /// The files by name.
        public let assets: [String: Asset]

        /// The minor release of Kubernetes that it brings, `1.35`; `nil` where that is unknown.
        public var kubernetes: String? { KubernetesRelease.minor(ofKubeSolo: version.description) }
    }

    /// The name of the file on mirrors.
    public static let fileName = "releases.json"
    /// The name of the list of digests that a release carries from v1.2.2 on.
    public static let checksumName = "SHA256SUMS"
    /// The largest list that is read, in bytes.
    public static let maximumBytes = 16 << 20
    /// The most releases in a list.
    public static let maximumReleases = 1000
    /// The most files of a release.
    public static let maximumAssets = 256
    /// The largest file of a release, in bytes.
    public static let maximumAssetBytes: UInt64 = 2 << 30

    /// What the list was read from, for messages.
    public let source: String
    /// The releases, newest first by version, whatever the order of the list.
    public let releases: [Release]

    /// Reads a list.
    ///
    /// - Parameters:
    ///   - bytes: The whole answer, or several pages of it joined into one array.
    ///   - named: What to call it in messages.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` and the place in the document, or
    ///   ``UpstreamError/Code/tooComplex`` for a list that GitHub would not give.
    public init(bytes: [UInt8], named: String) throws(UpstreamError) {
        func fault(_ what: String, _ code: UpstreamError.Code = .malformed) -> UpstreamError {
            UpstreamError(code, subject: named, detail: what)
        }
        guard bytes.count <= Self.maximumBytes else {
            throw fault("is larger than \(Self.maximumBytes) bytes", .tooComplex)
        }
        let data = Data(bytes)
        let wires: [Wire]
        do {
            wires = try JSONDecoder().decode([Wire].self, from: data)
        } catch {
            if let notice = try? JSONDecoder().decode(Notice.self, from: data) {
                throw fault("is no list of releases; the server says: \(notice.message.prefix(200))")
            }
            throw fault(Self.reason(error))
        }
        guard wires.count <= Self.maximumReleases else {
            throw fault("lists \(wires.count) releases (the most is \(Self.maximumReleases))", .tooComplex)
        }
        var releases: [KubeSoloVersion: Release] = [:]
        for (index, wire) in wires.enumerated() {
            guard !wire.draft, let version = KubeSoloVersion(wire.tag_name) else { continue }
            let release = try Self.release(version, wire) { what in fault("[\(index)]\(what)") }
            guard releases.updateValue(release, forKey: version) == nil else {
                throw fault("[\(index)]: lists \(version) again")
            }
        }
        source = named
        self.releases = releases.values.sorted { $0.version > $1.version }
    }

    private static func release(
        _ version: KubeSoloVersion, _ wire: Wire, _ fault: (String) -> UpstreamError
    ) throws(UpstreamError) -> Release {
        guard wire.assets.count <= maximumAssets else {
            throw fault(": has \(wire.assets.count) files (the most is \(maximumAssets))")
        }
        var assets: [String: Asset] = [:]
        for (index, asset) in wire.assets.enumerated() {
            func refuse(_ key: String, _ what: String) -> UpstreamError {
                fault(".assets[\(index)].\(key): \(what)")
            }
            let name = asset.name
            guard (1...255).contains(name.utf8.count), name != ".", name != "..",
                name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
            else { throw refuse("name", "is no file name: '\(name.prefix(60))'") }
            guard asset.size <= maximumAssetBytes else {
                throw refuse("size", "is \(asset.size) bytes (the most is \(maximumAssetBytes))")
            }
            var sha256: Digest?
            if let text = asset.digest, text.hasPrefix("sha256:") {
                guard let digest = try? Digest(hex: String(text.dropFirst(7))) else {
                    throw refuse("digest", "is no SHA-256 digest")
                }
                sha256 = digest
            }
            let url = asset.browser_download_url
            guard url.hasPrefix("https://"), url.hasSuffix("/\(version)/\(name)"), url.utf8.count <= 2048,
                url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else { throw refuse("browser_download_url", "does not end with /\(version)/\(name)") }
            let read = Asset(name: name, size: asset.size, sha256: sha256, url: url)
            guard assets.updateValue(read, forKey: name) == nil else { throw refuse("name", "stands twice: \(name)") }
        }
        return Release(
            version: version, isPrerelease: wire.prerelease || !version.prerelease.isEmpty, assets: assets)
    }

    private static func reason(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\(place(context.codingPath)): has no '\(key.stringValue)'"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            return "\(place(context.codingPath)): is of another kind than GitHub has there"
        default: return "is no JSON of GitHub's releases"
        }
    }

    /// What is read of a release.
    private struct Wire: Decodable {
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let tag_name: String
        let draft: Bool
        let prerelease: Bool
        let assets: [File]

        struct File: Decodable {
            let name: String
            let size: UInt64
            let digest: String?
            // swift-format-ignore: AlwaysUseLowerCamelCase
            let browser_download_url: String
        }
    }

    /// What GitHub answers instead of a list.
    private struct Notice: Decodable {
        let message: String
    }
}

extension KubeSoloReleases.Release {
    /// The file that a node takes.
    ///
    /// - Parameters:
    ///   - wanted: Architecture, library and variant.
    ///   - source: What messages call the list.
    /// - Returns: The file, never an empty one.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notListed``, which says what the release has instead.
    public func asset(_ wanted: KubeSoloAsset, source: String) throws(UpstreamError) -> KubeSoloReleases.Asset {
        if let asset = assets[wanted.description], asset.size > 0 { return asset }
        let held = assets.keys.filter { KubeSoloAsset(name: $0) != nil }.sorted()
        throw UpstreamError(
            .notListed, subject: source,
            detail: "\(version) has no \(wanted) (it has \(held.isEmpty ? "no release tarball" : held.listed(most: 4)))"
        )
    }
}
