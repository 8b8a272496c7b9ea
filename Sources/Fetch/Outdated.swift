internal import Artefact
internal import Node
public import Recipe
public import SystemPackage
internal import Transfer
public import Upstream

/// What upstreams have that is newer than what a lock holds.
public struct Outdated: Sendable {
    /// One thing of which there is a newer one.
    public struct Row: Hashable, Sendable {
        /// What it is: `alpine`, `kubesolo`, or the name of a package.
        public let name: String
        /// What is locked.
        public let locked: String
        /// What there is.
        public let newest: String
        /// What to know before taking it; empty where there is nothing.
        public let note: String
    }

    private let fetcher: InputFetcher
    private let scratch: FilePath

    /// Joins the parts.
    public init(fetcher: InputFetcher, scratch: FilePath) {
        self.fetcher = fetcher
        self.scratch = scratch
    }

    /// Asks the upstreams.
    ///
    /// - Parameters:
    ///   - decoded: The recipe, its releases taken from the lock.
    ///   - lock: The lock.
    /// - Returns: What is newer, Alpine and KubeSolo first.
    /// - Throws: What fetching and reading throw; ``FetchError`` where an upstream has no list.
    public func rows(_ decoded: DecodedRecipe, _ lock: InputLock) async throws -> [Row] {
        let node = decoded.node()
        return try await alpine(node) + kubesolo(node) + packages(node, lock)
    }

    private func alpine(_ node: NodeImage) async throws -> [Row] {
        guard let version = AlpineVersion(node.alpine.version) else { return [] }
        var rows: [Row] = []
        for selector in [AlpineSelector.branch(version.branch), .latestStable] {
            let name = "alpine/\(selector.listPath(node.architecture))"
            guard let document = try await fetcher.document(name, limit: AlpineReleaseList.maximumBytes) else {
                throw Self.noList(name)
            }
            let bytes = try HostFile.read(document.entry.path, limit: AlpineReleaseList.maximumBytes)
            let entry = try AlpineReleaseList(bytes: bytes, named: name).entry(node.alpine.flavor, node.architecture)
            guard entry.version > version, !rows.contains(where: { $0.newest == entry.version.description }) else {
                continue
            }
            rows.append(
                Row(
                    name: "alpine", locked: version.description, newest: entry.version.description,
                    note: entry.version.branch == version.branch ? "" : "another branch, \(entry.version.branch)"))
        }
        return rows
    }

    private func kubesolo(_ node: NodeImage) async throws -> [Row] {
        let name = "kubesolo/\(KubeSoloReleases.fileName)"
        let addresses = fetcher.mirrors.kubeSoloReleases
        guard let document = try await fetcher.document(name, at: addresses) else { throw Self.noList(name) }
        let bytes = try HostFile.read(document.entry.path, limit: KubeSoloReleases.maximumBytes)
        let list = try KubeSoloReleases(bytes: bytes, named: name)
        return list.releases.filter { !$0.isPrerelease && $0.version > node.kubesolo.version }.map { release in
            Row(
                name: "kubesolo", locked: node.kubesolo.version.description, newest: release.version.description,
                note: KubernetesStep(from: node.kubesolo.version, to: release.version).description)
        }
    }

    /// The packages that the newest indexes give, where the lock has any.
    private func packages(_ node: NodeImage, _ lock: InputLock) async throws -> [Row] {
        let indexes = lock.entries.filter { $0.name.hasSuffix("/APKINDEX.tar.gz") }
        let imageName = UpstreamInput.alpineImage(node.alpine, node.architecture).lockName
        guard !indexes.isEmpty, let entry = lock.entry(imageName) else { return [] }
        let image = try await fetcher.fetch([entry])
        var inputs = image.map { ($0.name, $0.entry.path) }
        for index in indexes {
            guard let document = try await fetcher.document(index.name, limit: PackageIndex.maximumCompressedBytes)
            else {
                throw Self.noList(index.name)
            }
            inputs.append((index.name, document.entry.path))
        }
        let view = try LockedView.make(inputs, in: scratch.appending("outdated"))
        let verified = try AlpineImage.verify(
            view.locate(.alpineImage(node.alpine, node.architecture)), release: node.alpine,
            architecture: node.architecture, world: [])
        let files = try NodePackages.repositoryFiles(node, on: verified, indexes: view)
        let locked = lock.entries.compactMap { PackageFileName($0.name) }
        return files.compactMap { PackageFileName($0.name) }.compactMap { new in
            guard let old = locked.first(where: { $0.name == new.name }), new.isNewer(than: old) else { return nil }
            return Row(name: new.name, locked: old.version, newest: new.version, note: "")
        }
    }

    private static func noList(_ name: String) -> FetchError {
        FetchError(.unpinned, subject: name, detail: "is not on the mirror, so nothing tells what is new")
    }
}
