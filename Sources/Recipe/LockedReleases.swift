internal import Artefact
internal import Node
public import Upstream

/// A recipe and the lock that says which inputs it means.
extension DecodedRecipe {
    /// The same recipe with another Alpine release; what the recipe pins about the image counts for its own release alone.
    ///
    /// - Parameters:
    ///   - release: `3.23.6`, `3.23` or `latest-stable`.
    ///   - name: What messages call it.
    /// - Returns: A recipe that names it.
    /// - Throws: `UpstreamError` with `UpstreamError.Code.malformed`.
    public func choosing(alpine release: String, named name: String) throws(UpstreamError) -> DecodedRecipe {
        let selector = try AlpineSelector(release, named: name)
        var recipe = recipe
        if recipe.alpine.release != release { recipe.alpine.sha256 = nil }
        recipe.alpine.release = selector.description
        return replacing(recipe)
    }

    /// Whether a lock names the image of the recipe's exact Alpine release.
    ///
    /// - Parameter lock: The lock.
    /// - Returns: Whether it does.
    public func hasImage(in lock: InputLock) -> Bool {
        lock.entries.contains { entry in
            AlpineInput(name: entry.name)?.version.description == recipe.alpine.release ?? Recipe.defaultAlpineVersion
        }
    }

    /// The same recipe, with the releases that it leaves open and the digests that it does not pin taken from a lock.
    ///
    /// - Parameters:
    ///   - lock: The lock; `nil` where there is none.
    ///   - name: What messages call it.
    /// - Returns: A recipe that names exact releases.
    /// - Throws: ``BuildError`` with ``BuildError/Code/notLocked`` where a branch, `latest-stable` or `latest` has no one
    ///   release in the lock, with ``BuildError/Code/otherPin`` where recipe and lock name different digests.
    public func locked(by lock: InputLock?, named name: String) throws(BuildError) -> DecodedRecipe {
        var recipe = recipe
        let architecture = recipe.alpine.architecture ?? .x86_64
        let images = (lock?.entries ?? []).compactMap { AlpineInput(name: $0.name) }.filter {
            $0.flavor == recipe.alpine.flavor ?? .virt && $0.architecture == architecture
        }
        let text = recipe.alpine.release ?? Recipe.defaultAlpineVersion
        switch try? AlpineSelector(text, named: "alpine.release") {
        case .branch(let branch):
            recipe.alpine.release = try Self.one(
                images.filter { $0.version.branch == branch }.map(\.version), of: "alpine.release: '\(text)'", name
            ).description
        case .latestStable:
            recipe.alpine.release = try Self.one(images.map(\.version), of: "alpine.release: \(text)", name).description
        case .exact, nil: break
        }
        if recipe.kubesolo.isLatest {
            let assets = (lock?.entries ?? []).compactMap { KubeSoloAsset(inputName: $0.name) }.filter {
                $0.architectureName == architecture.kubeSoloName && $0.library == .musl
                    && $0.variant == recipe.kubesolo.variant ?? .offline
            }
            recipe.kubesolo.release = try Self.one(assets.map(\.version), of: "kubesolo.release: latest", name)
            recipe.kubesolo.isLatest = false
        }
        let resolved = replacing(recipe)
        guard let lock else { return resolved }
        let node = resolved.node()
        let image = UpstreamInput.alpineImage(node.alpine, node.architecture)
        recipe.alpine.sha256 = try Self.pin(node.alpine.sha256, lock.entry(image.lockName), "alpine.sha256", name)
        // The pin of the recipe may be that of the binary inside, which the lock does not know.
        let tarball = UpstreamInput.kubeSolo(KubeSoloAsset(node.kubesolo, node.architecture))
        recipe.kubesolo.sha256 = node.kubesolo.sha256 ?? lock.entry(tarball.lockName)?.sha256
        return replacing(recipe)
    }

    /// The one release that a lock has of what is asked for.
    private static func one<Release: CustomStringConvertible>(
        _ releases: [Release], of wanted: String, _ name: String
    ) throws(BuildError) -> Release {
        if releases.count == 1 { return releases[0] }
        let found = releases.map(\.description).joined(separator: ", ")
        throw BuildError(
            .notLocked, subject: wanted,
            detail: (releases.isEmpty
                ? "names no exact release, and \(name) has none for it" : "fits \(found) in \(name)")
                + "; run 'ksbuild fetch --update-lock' to choose one")
    }

    private static func pin(
        _ own: Digest?, _ entry: InputLock.Entry?, _ key: String, _ name: String
    ) throws(BuildError) -> Digest? {
        guard let own, let entry, own != entry.sha256 else { return own ?? entry?.sha256 }
        throw BuildError(
            .otherPin, subject: key,
            detail: "is \(own) and \(name) says \(entry.sha256) for \(entry.name); correct the recipe, or run "
                + "'ksbuild fetch --update-lock \(entry.name)'")
    }
}

extension UpstreamInput {
    /// The name of its entry in a lock: the project, and upstream's own path below that.
    public var lockName: String { "\(project)/\(path)" }
}

extension AlpineVersion {
    /// The release of an image by the name of its entry in a lock; `nil` for anything else.
    public init?(imageName name: String) {
        guard let version = AlpineInput(name: name)?.version else { return nil }
        self = version
    }
}

/// An image of Alpine by the name of its entry in a lock.
private struct AlpineInput {
    let flavor: AlpineRelease.Flavor
    let architecture: Architecture
    let version: AlpineVersion

    /// Reads `alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso`; anything else is no image.
    init?(name: String) {
        let parts = name.split(separator: "/")
        guard parts.count == 5, let architecture = Architecture(rawValue: String(parts[3])) else { return nil }
        let words = parts[4].split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 4, let flavor = AlpineRelease.Flavor(rawValue: String(words[1])),
            let version = AlpineVersion(String(words[2]))
        else { return nil }
        let release = AlpineRelease(version: version.description, flavor: flavor)
        guard UpstreamInput.alpineImage(release, architecture).lockName == name else { return nil }
        self.flavor = flavor
        self.architecture = architecture
        self.version = version
    }
}

extension KubeSoloAsset {
    /// Reads `kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz`.
    fileprivate init?(inputName name: String) {
        guard let last = name.split(separator: "/").last, let asset = KubeSoloAsset(name: String(last)),
            UpstreamInput.kubeSolo(asset).lockName == name
        else { return nil }
        self = asset
    }
}
