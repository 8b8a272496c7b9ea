internal import Artefact
public import Bundle
public import Registry
internal import SystemPackage

/// Publishes a bundle in a repository: blobs first, then the manifest, what refers to it, and the tags last.
public struct RepositoryPublication {
    private let bundle: BundleFolder
    private let repository: any Repository
    /// The tags, the version's first; it is never moved unless ``isReplacing``.
    private let tags: [String]
    private let isReplacing: Bool
    private let report: (PublishEvent) -> Void

    /// Joins what is to be done.
    ///
    /// - Parameters:
    ///   - bundle: The bundle.
    ///   - repository: Where to.
    ///   - tag: The tag that stands for this version and no other; by default the version, ``tag(of:)``.
    ///   - latest: A further tag that moves on from version to version.
    ///   - isReplacing: Whether a tag that stands for something else is moved.
    ///   - report: Is told what happens.
    public init(
        _ bundle: BundleFolder, in repository: any Repository, tag: String? = nil, latest: String? = nil,
        isReplacing: Bool = false, report: @escaping (PublishEvent) -> Void = { _ in }
    ) {
        self.bundle = bundle
        self.repository = repository
        tags = [tag ?? Self.tag(of: bundle.manifest.version)] + [latest].compactMap { $0 }
        self.isReplacing = isReplacing
        self.report = report
    }

    /// The tag of a version: `+`, which no tag may have, becomes `_`.
    public static func tag(of version: Version) -> String {
        String(version.description.map { $0 == "+" ? "_" : $0 })
    }

    /// Publishes.
    ///
    /// - Returns: What was moved.
    /// - Throws: ``PublishError`` with ``PublishError/Code/taken``; `RegistryError`, `TransferError`, `ArtefactError`.
    public func run() async throws -> PublishReport {
        let artefact = try BundleArtefact(bundle)
        let main = tags[0]
        try await requireFree(main, for: artefact.descriptor)
        for tag in tags.dropFirst() { try await requireMovable(tag, artefact.manifest) }
        var outcome = PublishReport(
            place: "\(repository.name):\(main)", version: bundle.manifest.version, digest: artefact.descriptor.digest)
        let total = bundle.files.reduce(0) { $0 &+ $1.size }
        _ = try await repository.push(.empty, from: .bytes(Descriptor.emptyBytes))
        var done: UInt64 = 0
        report(.progress(0, of: total))
        for (file, layer) in zip(bundle.files, artefact.manifest.layers) {
            report(.began(file.path, file.size))
            let movement = try await repository.push(
                layer.bare, from: .file(bundle.path.pushing(.init(file.path)), isSecret: file.isSecret))
            switch movement {
            case .sent(let bytes): outcome.movedBytes += bytes
            case .present: outcome.presentBytes += file.size
            case .mounted: outcome.mountedBytes += file.size
            }
            done += file.size
            report(.ended(file.path, isMoved: movement != .present))
            report(.progress(done, of: total))
        }
        _ = try await repository.push(
            manifest: artefact.bytes, mediaType: ImageManifest.mediaType, as: .digest(artefact.descriptor.digest))
        for referrer in artefact.referrers {
            _ = try await repository.push(referrer: referrer, of: artefact.descriptor.digest)
        }
        for tag in tags {
            if tag != main, let newer = try await newer(tag) {
                outcome.warnings.append(
                    "'\(tag)' stays at \(newer), which is newer than "
                        + "\(bundle.manifest.version); --replace moves it back"
                )
                continue
            }
            _ = try await repository.push(
                manifest: artefact.bytes, mediaType: ImageManifest.mediaType, as: .tag(tag))
            outcome.names.append(tag)
        }
        return outcome
    }

    /// Refuses a tag that stands for something else.
    private func requireFree(_ tag: String, for own: Descriptor) async throws {
        guard !isReplacing, let found = try await repository.manifest(.tag(tag)), found.descriptor.digest != own.digest
        else { return }
        throw PublishError(
            .taken, subject: "\(repository.name):\(tag)",
            detail: "stands for something else already (\(found.descriptor.name)); a published version never changes: "
                + "publish under a new version or another tag, or say --replace")
    }

    /// Refuses to move a tag on from what is no version of the same bundle.
    private func requireMovable(_ tag: String, _ own: ImageManifest) async throws {
        guard !isReplacing, let found = try await repository.manifest(.tag(tag)) else { return }
        let manifest = try? ImageManifest(decoding: found.bytes, named: tag)
        guard manifest?.artifactType != own.artifactType || manifest.flatMap(Self.line) != Self.line(own) else {
            return
        }
        throw PublishError(
            .taken, subject: "\(repository.name):\(tag)",
            detail: "stands for something that is no version of \(bundle.manifest.description.name) for "
                + "\(bundle.manifest.description.architecture); choose another tag, or say --replace")
    }

    /// What all versions of a bundle have in common in their titles, `NAME-VERSION-ARCHITECTURE`.
    private static func line(_ manifest: ImageManifest) -> [String]? {
        guard let title = manifest.annotations[Descriptor.title],
            let version = manifest.annotations[BundleArtefact.version],
            let place = title.firstRange(of: "-\(version)-")
        else { return nil }
        return [String(title[..<place.lowerBound]), String(title[place.upperBound...])]
    }

    /// The version that a moving tag stands for, where that is a newer one.
    private func newer(_ tag: String) async throws -> Version? {
        guard !isReplacing, let found = try await repository.manifest(.tag(tag)),
            let manifest = try? ImageManifest(decoding: found.bytes, named: tag),
            let version = try? Version(manifest.annotations[BundleArtefact.version] ?? ""),
            bundle.manifest.version < version
        else { return nil }
        return version
    }
}
