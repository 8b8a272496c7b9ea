public import Artefact
public import Bundle
public import Registry
internal import SystemPackage

/// Pulls a bundle out of a repository into a store; it appears there when every byte of it has been verified.
public struct RepositoryPull {
    private let repository: any Repository
    private let tag: String?
    private let digest: Digest?
    private let store: BundleStore
    private let acceptance: Acceptance
    private let report: (PublishEvent) -> Void

    /// The most files that a bundle may have besides its artefacts.
    private static let maximumSignatures = 8

    /// Joins what is to be done.
    ///
    /// - Parameters:
    ///   - repository: Where from.
    ///   - tag: The tag; `latest` where neither tag nor digest is given.
    ///   - digest: The digest that the manifest must have, also if a tag names it.
    ///   - store: Where to.
    ///   - acceptance: What the bundle must be.
    ///   - report: Is told what happens.
    public init(
        from repository: any Repository, tag: String?, digest: Digest?, into store: BundleStore,
        accepting acceptance: Acceptance, report: @escaping (PublishEvent) -> Void = { _ in }
    ) {
        self.repository = repository
        self.tag = tag ?? (digest == nil ? "latest" : nil)
        self.digest = digest
        self.store = store
        self.acceptance = acceptance
        self.report = report
    }

    private var place: String {
        "\(repository.name)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@sha256:\($0)" } ?? "")
    }

    /// Pulls.
    ///
    /// - Returns: What was moved.
    /// - Throws: ``PublishError``, `BundleError`, `RegistryError`, `TransferError`, `ArtefactError`; what arrived whole
    ///   stays for the next attempt.
    public func run() async throws -> PublishReport {
        let found = try await find()
        let manifest = try ImageManifest(decoding: found.bytes, named: place)
        guard manifest.artifactType == BundleArtefact.type else {
            throw PublishError(
                .notABundle, subject: place,
                detail:
                    "is '\(manifest.kind.prefix(100))' and no bundle of ksbuild "
                    + "('\(BundleArtefact.type)'); check the tag"
            )
        }
        let layers = try titled(manifest.layers)
        let receipt = try Receipt(in: store.out)
        var outcome = PublishReport(place: place, version: try Version("0.0.0"), digest: found.descriptor.digest)
        let bundle = try await documents(layers, in: receipt, &outcome)
        outcome.version = bundle.manifest.version
        try require(manifest, toBe: bundle.manifest)
        try acceptance.require(bundle.manifest.version, at: place)
        try store.requireWelcome(
            bundle, trusting: acceptance.keys, allowingDowngrade: acceptance.allowsDowngrade)
        try await artefacts(of: bundle.manifest, layers, in: receipt, &outcome)
        _ = try store.adopt(
            bundle, trusting: acceptance.keys, allowingDowngrade: acceptance.allowsDowngrade)
        try receipt.remove()
        return outcome
    }

    private func find() async throws -> FoundManifest {
        let name: ManifestName
        if let digest { name = .digest(digest) } else { name = .tag(tag ?? "latest") }
        guard let found = try await repository.manifest(name) else {
            let tags = (try? await repository.tags(pages: 1))?.filter { !$0.hasPrefix("sha256-") } ?? []
            let known = tags.isEmpty ? "it has no tags" : "it has \(tags.suffix(5).joined(separator: ", "))"
            throw PublishError(.notFound, subject: place, detail: "is not there (\(known))")
        }
        // A tag beside a digest is a promise about both.
        if digest != nil, let tag, let tagged = try await repository.manifest(.tag(tag)),
            tagged.descriptor.digest != found.descriptor.digest
        {
            throw PublishError(
                .unexpected, subject: place,
                detail:
                    "'\(tag)' stands for \(tagged.descriptor.name) now; pull by digest alone, "
                    + "or check who moved the tag"
            )
        }
        return found
    }

    /// The layers by the file that each one is.
    private func titled(_ layers: [Descriptor]) throws -> [String: Descriptor] {
        var titled: [String: Descriptor] = [:]
        for layer in layers {
            guard let title = layer.annotations[Descriptor.title] else {
                throw PublishError(.notABundle, subject: place, detail: "has a layer without a title (\(layer.name))")
            }
            guard let path = try? EntryPath(title), path.components.allSatisfy({ !$0.hasPrefix(".") }) else {
                throw PublishError(
                    .notABundle, subject: place,
                    detail: "has a layer whose title is no path inside a bundle: '\(title.prefix(80))'")
            }
            guard titled.updateValue(layer, forKey: title) == nil else {
                throw PublishError(
                    .notABundle, subject: place, detail: "has two layers of the name '\(title.prefix(80))'")
            }
        }
        return titled
    }

    /// The manifest, the checksums and the signatures of the bundle.
    private func documents(
        _ layers: [String: Descriptor], in receipt: Receipt, _ outcome: inout PublishReport
    ) async throws -> ReceivedBundle {
        let bytes = try await small(Manifest.fileName, layers, UInt64(Manifest.maximumBytes), in: receipt, &outcome)
        let manifest = try Manifest(decoding: bytes, named: "\(place): \(Manifest.fileName)")
        let sums = try await small(
            ChecksumList.fileName, layers, UInt64(ChecksumList.maximumBytes), in: receipt, &outcome)
        guard sums == (try ChecksumList(of: manifest).encoded()) else {
            throw PublishError(
                .notABundle, subject: place,
                detail: "\(ChecksumList.fileName) does not follow from \(Manifest.fileName): they are of two bundles")
        }
        let listed = Set(manifest.artefacts.map(\.path) + [Manifest.fileName, ChecksumList.fileName])
        let others = layers.keys.filter { !listed.contains($0) }.sorted()
        guard others.count <= Self.maximumSignatures else { throw extra(others[0]) }
        var signatures: [String: [UInt8]] = [:]
        for name in others {
            guard let layer = layers[name], let limit = BundleStore.signatureLimit(name, of: manifest),
                layer.size <= limit
            else {
                throw extra(name)
            }
            signatures[name] = try await small(name, layers, UInt64(limit), in: receipt, &outcome)
        }
        return ReceivedBundle(manifest, signatures: signatures)
    }

    private func extra(_ name: String) -> PublishError {
        PublishError(
            .notABundle, subject: place,
            detail: "has a file that its \(Manifest.fileName) does not list: '\(name.prefix(80))'; it is not taken")
    }

    /// Requires that the list of layers is exactly the bundle's list of files.
    private func require(_ image: ImageManifest, toBe manifest: Manifest) throws {
        let layers = try titled(image.layers)
        for artefact in manifest.artefacts {
            guard let layer = layers[artefact.path] else {
                throw PublishError(
                    .notABundle, subject: place,
                    detail: "lacks '\(artefact.path)', which its \(Manifest.fileName) lists; publish it again")
            }
            guard layer.digest == artefact.sha256, layer.size == artefact.size else {
                throw PublishError(
                    .notABundle, subject: place,
                    detail:
                        "mixes two bundles: '\(artefact.path)' is not the file that version \(manifest.version) has "
                        + "(\(layer.name) instead of sha256:\(artefact.sha256))")
            }
        }
        if let told = image.annotations[BundleArtefact.version], told != manifest.version.description {
            throw PublishError(
                .notABundle, subject: place,
                detail:
                    "says that it is version '\(told.prefix(60))', and its "
                    + "\(Manifest.fileName) says \(manifest.version)"
            )
        }
    }

    /// Brings what the store does not have.
    private func artefacts(
        of manifest: Manifest, _ layers: [String: Descriptor], in receipt: Receipt,
        _ outcome: inout PublishReport
    ) async throws {
        var done: UInt64 = 0
        report(.progress(0, of: manifest.size))
        for artefact in manifest.artefacts {
            guard let layer = layers[artefact.path] else { continue }
            report(.began(artefact.path, artefact.size))
            let isPresent = store.holds(artefact)
            if isPresent {
                outcome.presentBytes += artefact.size
            } else {
                let file = receipt.file(artefact.sha256)
                try await repository.fetch(layer.bare, into: file)
                try store.keep(file, as: artefact)
                outcome.movedBytes += artefact.size
            }
            done += artefact.size
            report(.ended(artefact.path, isMoved: !isPresent))
            report(.progress(done, of: manifest.size))
        }
    }

    /// A file that is read into memory.
    private func small(
        _ name: String, _ layers: [String: Descriptor], _ limit: UInt64, in receipt: Receipt,
        _ outcome: inout PublishReport
    ) async throws -> [UInt8] {
        guard let layer = layers[name] else {
            throw PublishError(.notABundle, subject: place, detail: "lacks '\(name)'; publish it again")
        }
        guard layer.size <= limit else {
            throw PublishError(
                .notABundle, subject: place,
                detail: "'\(name)' has \(layer.size) bytes where at most \(limit) are taken")
        }
        let file = receipt.file(layer.digest)
        try await repository.fetch(layer.bare, into: file)
        defer { try? HostFile.remove(file) }
        outcome.movedBytes += layer.size
        return try HostFile.read(file, limit: Int(limit))
    }
}
