internal import Artefact
internal import Node
public import Recipe
public import SystemPackage
internal import Transfer
public import Upstream

/// Finds out what a recipe needs, fetches and verifies it, and says what a lock of it holds.
///
/// The file of a release never changes, so an entry that is there stays as it is, unless it is named; indexes, packages
/// and what a recipe leaves open are looked up anew.
public struct LockUpdate {
    /// Who vouches for Alpine's images.
    public struct AlpineSigner: Sendable {
        /// The public key.
        public let key: FilePath
        /// The primary key that must have signed.
        public let fingerprint: OpenPGPFingerprint
        /// Runs the check.
        public let check: OpenPGPCheck

        /// Joins the parts.
        public init(key: FilePath, fingerprint: OpenPGPFingerprint = .alpineReleases, check: OpenPGPCheck) {
            self.key = key
            self.fingerprint = fingerprint
            self.check = check
        }
    }

    let fetcher: InputFetcher
    let signer: AlpineSigner?
    let old: InputLock
    /// The entries to look up anew; none for whatever may have changed.
    let names: Set<String>
    let date: LockDate
    let scratch: FilePath
    let report: BuildReport

    /// Joins the parts.
    ///
    /// - Parameters:
    ///   - fetcher: Brings inputs into the cache.
    ///   - signer: Who must have signed Alpine's image; `nil` where no key is at hand.
    ///   - old: The lock that there is.
    ///   - names: The entries to look up anew, even if they are there; the last part of a name is enough.
    ///   - date: The time now.
    ///   - scratch: An empty directory.
    ///   - report: Is told of each step.
    public init(
        fetcher: InputFetcher, signer: AlpineSigner?, replacing old: InputLock, names: [String], date: LockDate,
        scratch: FilePath, report: @escaping BuildReport
    ) {
        self.fetcher = fetcher
        self.signer = signer
        self.old = old
        self.names = Set(names)
        self.date = date
        self.scratch = scratch
        self.report = report
    }

    /// Looks everything up.
    ///
    /// - Parameter decoded: The recipe.
    /// - Returns: The lock that should be written.
    /// - Throws: ``FetchError``, and what fetching and verifying throw.
    public func run(_ decoded: DecodedRecipe) async throws -> InputLock {
        let (image, alpineName) = try await alpine(decoded.recipe.alpine)
        let kubesolo = try await kubesolo(decoded.recipe)
        var entries = [image, kubesolo]
        // What the recipe leaves open is decided by what was just found.
        let node = try decoded.locked(by: InputLock(entries), named: InputLock.fileName).node()
        var inputs = try entries.map { ($0.name, try present($0)) }
        entries += try await packages(node, alpineName, &inputs)
        let unknown = names.filter { name in !entries.contains { Self.isNamed($0.name, name) } }
        if let name = unknown.min() {
            throw FetchError(
                .unknownName, subject: name,
                detail: "is no input of this recipe; 'ksbuild fetch --list' names them")
        }
        try entries.forEach(requireTrust)
        try fetcher.requireGoingOn()
        // Everything is verified as a build verifies it, before it is locked.
        let view = try LockedView.make(inputs, in: scratch.appending("whole"))
        _ = try BuildInputs.gather(
            for: node, from: InputSources(mirror: view.root), areRequired: true, unpackingInto: scratch, report: report)
        return try old.replaced(by: entries)
    }

    /// Requires that nobody vouches less for an input than for the one in its place in the old lock.
    ///
    /// - Throws: ``FetchError`` with ``FetchError/Code/lessTrust``.
    private func requireTrust(_ new: InputLock.Entry) throws {
        let isImage = AlpineVersion(imageName: new.name) != nil
        let place = old.entries.filter { $0.name == new.name || isImage && AlpineVersion(imageName: $0.name) != nil }
        guard !new.trust.isAuthentic, let before = place.first(where: \.trust.isAuthentic) else { return }
        throw FetchError(
            .lessTrust, subject: new.name,
            detail: "would be locked by '\(new.trust)', and \(before.name) is by '\(before.trust)'; "
                + (isImage ? "give --alpine-key FILE, or pin alpine.sha256" : "pin its digest in the recipe"))
    }

    /// Whether a name in full, or its last part, is meant.
    private static func isNamed(_ full: String, _ name: String) -> Bool { full == name || full.hasSuffix("/\(name)") }

    /// The entry of an input that may stay as it is.
    private func kept(_ name: String, pin: Digest?) -> InputLock.Entry? {
        guard let entry = old.entry(name), !names.contains(where: { Self.isNamed(name, $0) }),
            pin == nil || pin == entry.sha256
        else { return nil }
        return entry
    }

    private func present(_ entry: InputLock.Entry) throws -> FilePath {
        guard let path = try fetcher.cache.find(entry.sha256) else { throw FetchError.notCached([entry]) }
        return path
    }

    private func entry(_ input: CachedInput, trust: LockTrust) throws -> InputLock.Entry {
        // A directory of this host says nothing to another one.
        let address = (input.entry.address ?? old.entry(input.name)?.url).flatMap { $0.hasPrefix("file:") ? nil : $0 }
        return try InputLock.Entry(
            name: input.name, url: address ?? MirrorList().addresses(input.name)[0], size: input.entry.size,
            sha256: input.entry.sha256, trust: trust, date: date)
    }
}

extension LockUpdate {
    /// Alpine's image.
    private func alpine(_ alpine: Recipe.Alpine) async throws -> (InputLock.Entry, AlpineRelease) {
        let selector = try AlpineSelector(alpine.release ?? Recipe.defaultAlpineVersion, named: "alpine.release")
        let architecture = alpine.architecture ?? .x86_64
        var release: AlpineRelease
        var listed: AlpineReleaseList.Entry?
        if case .exact(let version) = selector {
            release = AlpineRelease(version: version.description, flavor: alpine.flavor ?? .virt)
        } else {
            let path = "alpine/\(selector.listPath(architecture))"
            guard let list = try await fetcher.document(path, limit: AlpineReleaseList.maximumBytes) else {
                throw FetchError(
                    .unpinned, subject: path,
                    detail: "is not on the mirror, so nothing tells the newest release; name an exact one")
            }
            let read = try AlpineReleaseList(
                bytes: HostFile.read(list.entry.path, limit: AlpineReleaseList.maximumBytes), named: path)
            let known = old.entries.compactMap { AlpineVersion(imageName: $0.name) }.max()
            let resolution = try selector.resolve(
                in: read, flavor: alpine.flavor ?? .virt, architecture: architecture, known: known)
            release = resolution.release
            if case .listed(let entry) = resolution { listed = entry }
            report(.detail("\(selector) is \(release)"))
        }
        release.sha256 = alpine.sha256
        let name = UpstreamInput.alpineImage(release, architecture).lockName
        let present = kept(name, pin: alpine.sha256)
        if let present, signer == nil {
            _ = try await fetcher.fetch([present])
            return (present, release)
        }
        let sums = try await checksum(of: name, in: name + ".sha256")
        if let sums, let listed, sums != listed.sha256 {
            throw FetchError(
                .contradiction, subject: name,
                detail: "has the digest \(sums) in its checksum file and \(listed.sha256) in the list of releases; "
                    + "take another mirror")
        }
        let expected = alpine.sha256 ?? present?.sha256 ?? sums ?? listed?.sha256
        let input = try await fetcher.fetch(name, expecting: TransferExpectation(size: listed?.size, sha256: expected))
        return (try entry(input, trust: try await trust(input, alpine.sha256, isListed: expected != nil)), release)
    }

    /// How Alpine's image is found to be Alpine's.
    private func trust(_ input: CachedInput, _ pin: Digest?, isListed: Bool) async throws -> LockTrust {
        if let signer {
            let name = input.name + ".asc"
            guard let signature = try await fetcher.document(name, limit: 1 << 20) else {
                throw FetchError(
                    .unpinned, subject: name,
                    detail:
                        "is not on the mirror, so nobody vouches for the image; take another mirror, or leave --alpine-key "
                        + "away and pin alpine.sha256")
            }
            do {
                let signed = try await signer.check.verify(
                    input.entry.path, signature: signature.entry.path, key: signer.key, by: signer.fingerprint)
                return .signature(signed.fingerprint)
            } catch let error as SignatureError where error.subject.hasPrefix(fetcher.cache.root.string) {
                // A name in the cache says nothing to anybody.
                let isSignature = error.subject.hasPrefix(signature.entry.path.string)
                throw SignatureError(
                    error.code, subject: isSignature ? name : input.name, line: error.line, detail: error.detail)
            }
        }
        return pin != nil ? .pin : isListed ? .checksumFile : .firstUse
    }

    /// KubeSolo's release tarball.
    private func kubesolo(_ recipe: Recipe) async throws -> InputLock.Entry {
        let architecture = recipe.alpine.architecture ?? .x86_64
        var wanted = KubeSolo(
            version: recipe.kubesolo.release ?? .recommended, variant: recipe.kubesolo.variant ?? .offline,
            sha256: recipe.kubesolo.sha256)
        var listed: KubeSoloReleases.Asset?
        if recipe.kubesolo.isLatest {
            let list = try await releases()
            let known = old.entries.compactMap { KubeSoloAsset(name: String($0.name.split(separator: "/").last ?? "")) }
            let release = try KubeSoloSelector.latest.resolve(in: list, known: known.map(\.version).max())
            wanted.version = release.version
            listed = try release.asset(KubeSoloAsset(wanted, architecture), source: list.source)
            report(.detail("latest is KubeSolo \(release.version)"))
        }
        let asset = KubeSoloAsset(wanted, architecture)
        let name = UpstreamInput.kubeSolo(asset).lockName
        if let entry = kept(name, pin: nil) {
            _ = try await fetcher.fetch([entry])
            return entry
        }
        let list = "kubesolo/\(wanted.version)/\(KubeSoloReleases.checksumName)"
        var trust = LockTrust.checksumFile
        var expected = try await checksum(of: name, in: list)
        if expected == nil {
            // A mirror's own list says no more than a checksum file of it does.
            if fetcher.mirrors.given.isEmpty { trust = .githubDigest }
            if listed == nil, let found = try await releaseList() {
                listed = found.releases.first { $0.version == wanted.version }?.assets[asset.description]
            }
            expected = listed?.sha256
        }
        if let expected, let other = listed?.sha256, other != expected {
            throw FetchError(
                .contradiction, subject: name,
                detail:
                    "has the digest \(expected) in \(KubeSoloReleases.checksumName) and \(other) in the list of releases; "
                    + "take another mirror")
        }
        guard let expected = expected ?? wanted.sha256 else {
            throw FetchError(
                .unpinned, subject: name,
                detail: "has no \(KubeSoloReleases.checksumName) beside it and no digest in the list of releases; pin "
                    + "kubesolo.sha256")
        }
        let input = try await fetcher.fetch(name, expecting: TransferExpectation(size: listed?.size, sha256: expected))
        // The pin of a recipe is that of the tarball or of the binary in it, which the verification tells.
        return try entry(input, trust: wanted.sha256 != nil ? .pin : trust)
    }

    private func releases() async throws -> KubeSoloReleases {
        if let list = try await releaseList() { return list }
        throw FetchError(
            .unpinned, subject: "kubesolo/\(KubeSoloReleases.fileName)",
            detail: "is not on the mirror, so nothing tells the newest release; name an exact one")
    }

    /// The list of releases; `nil` where the mirror has none.
    private func releaseList() async throws -> KubeSoloReleases? {
        let name = "kubesolo/\(KubeSoloReleases.fileName)"
        let limit = KubeSoloReleases.maximumBytes
        return try await fetcher.document(name, at: fetcher.mirrors.kubeSoloReleases, limit: limit).map {
            try KubeSoloReleases(bytes: HostFile.read($0.entry.path, limit: limit), named: name)
        }
    }

    /// What a checksum file of the mirror says of an input; `nil` where there is none.
    private func checksum(of name: String, in list: String) async throws -> Digest? {
        guard let document = try await fetcher.document(list, limit: ChecksumFile.maximumBytes) else { return nil }
        let base = String(name.split(separator: "/").last ?? "")
        let bytes = try HostFile.read(document.entry.path, limit: ChecksumFile.maximumBytes)
        let entry = try ChecksumFile(bytes: bytes, named: list).requiredEntry(for: base)
        return entry.algorithm == .sha256 ? try Digest(hex: entry.hex) : nil
    }
}

extension LockUpdate {
    /// The indexes and packages that a node takes beside Alpine's image.
    private func packages(
        _ node: NodeImage, _ release: AlpineRelease, _ inputs: inout [(String, FilePath)]
    ) async throws -> [InputLock.Entry] {
        let folder = scratch.appending("indexes")
        var view = try LockedView.make(inputs, in: folder)
        let image = try AlpineImage.verify(
            view.locate(.alpineImage(node.alpine, node.architecture)), release: node.alpine,
            architecture: node.architecture, world: [])
        if (try? NodePackages.repositoryFiles(node, on: image, indexes: nil)) != nil { return [] }
        let base = "alpine/\(release.branch)"
        let places = ["community", "main"].map { "\(base)/\($0)/\(node.architecture.alpineName)" }
        var found: [CachedInput] = []
        for place in places {
            let name = "\(place)/APKINDEX.tar.gz"
            if !names.isEmpty, let entry = kept(name, pin: nil) {
                found += try await fetcher.fetch([entry])
            } else if let index = try await fetcher.document(name, limit: PackageIndex.maximumCompressedBytes) {
                found.append(index)
            }
        }
        view = try LockedView.make(found.map { ($0.name, $0.entry.path) }, in: folder)
        let files = try NodePackages.repositoryFiles(node, on: image, indexes: view)
        func name(_ file: RepositoryFile) -> String {
            "\(base)/\(file.repository)/\(node.architecture.alpineName)/\(file.name)"
        }
        let packages = files.filter { $0.size != nil }
        try packages.forEach { try requireNotOlder(name($0)) }
        let old = packages.compactMap { kept(name($0), pin: nil) }
        let new = packages.filter { file in !old.contains { $0.name == name(file) } }
        let fetched =
            try await fetcher.fetch(old)
            + fetcher.fetch(unlocked: new.map { (name: name($0), size: $0.size) })
        let all = found + fetched
        inputs += all.map { ($0.name, $0.entry.path) }
        return try files.compactMap { file in
            let name = name(file)
            if let entry = old.first(where: { $0.name == name }) { return entry }
            return try all.first { $0.name == name }.map { try entry($0, trust: .index(key: file.keyName)) }
        }
    }

    /// Requires that a mirror has not fallen behind the lock.
    ///
    /// - Throws: ``FetchError`` with ``FetchError/Code/older``.
    private func requireNotOlder(_ name: String) throws {
        guard let new = PackageFileName(name), !names.contains(where: { Self.isNamed(name, $0) }) else { return }
        let folder = name.dropLast(name.split(separator: "/").last?.count ?? 0)
        for entry in old.entries where entry.name.hasPrefix(folder) {
            guard let present = PackageFileName(entry.name), present.name == new.name, present.isNewer(than: new) else {
                continue
            }
            throw FetchError(
                .older, subject: name,
                detail: "is what the index has, and \(present.version) is locked; take a mirror that has not fallen "
                    + "behind, or name it to go back")
        }
    }
}
