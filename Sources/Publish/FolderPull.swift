internal import Artefact
public import Bundle
public import SystemPackage

/// Pulls a bundle out of a directory: one with a folder for each version, or one that is a bundle itself.
public struct FolderPull {
    private let path: FilePath
    private let store: BundleStore
    private let acceptance: Acceptance
    private let report: (PublishEvent) -> Void

    /// Joins what is to be done.
    public init(
        from path: FilePath, into store: BundleStore, accepting acceptance: Acceptance,
        report: @escaping (PublishEvent) -> Void = { _ in }
    ) {
        self.path = path
        self.store = store
        self.acceptance = acceptance
        self.report = report
    }

    /// Pulls.
    ///
    /// - Returns: What was copied.
    /// - Throws: ``PublishError``, `BundleError`, `ArtefactError`.
    public func run() throws -> PublishReport {
        let source = try BundleFolder(found(), trusting: acceptance.keys)
        let place = "dir:\(source.path)"
        let manifest = source.manifest
        try acceptance.require(manifest.version, at: place)
        var signatures: [String: [UInt8]] = [:]
        for file in source.files {
            guard let limit = BundleStore.signatureLimit(file.path, of: manifest) else { continue }
            signatures[file.path] = try HostFile.read(source.path.appending(file.path), limit: limit)
        }
        let bundle = ReceivedBundle(manifest, signatures: signatures)
        try store.requireWelcome(
            bundle, trusting: acceptance.keys, allowingDowngrade: acceptance.allowsDowngrade)
        var outcome = PublishReport(
            place: place, version: manifest.version, digest: Digest(of: try manifest.encoded()))
        let receipt = try Receipt(in: store.out)
        var done: UInt64 = 0
        for artefact in manifest.artefacts {
            report(.began(artefact.path, artefact.size))
            let isPresent = store.holds(artefact)
            if isPresent {
                outcome.presentBytes += artefact.size
            } else {
                try copy(artefact, of: source, to: receipt.file(artefact.sha256))
                try store.keep(receipt.file(artefact.sha256), as: artefact)
                outcome.movedBytes += artefact.size
            }
            done += artefact.size
            report(.ended(artefact.path, isMoved: !isPresent))
            report(.progress(done, of: manifest.size))
        }
        _ = try store.adopt(bundle, trusting: acceptance.keys, allowingDowngrade: acceptance.allowsDowngrade)
        try receipt.remove()
        return outcome
    }

    /// The folder of the bundle that is meant.
    private func found() throws -> FilePath {
        guard !HostFile.exists(path.appending(Manifest.fileName)) else { return path }
        let folder = path.appending(acceptance.version?.description ?? FolderPublication.latest)
        guard HostFile.exists(folder) else {
            let versions = ((try? FolderPublication.versions(in: path)) ?? []).sorted()
            let known = versions.isEmpty ? "no version is there" : "the newest is \(versions[versions.count - 1])"
            throw PublishError(.notFound, subject: folder.string, detail: "no bundle is there (\(known))")
        }
        return folder
    }

    private func copy(_ artefact: Manifest.Artefact, of source: BundleFolder, to target: FilePath) throws {
        var copy = try StagedFile(target)
        try copy.copy(source.path.pushing(FilePath(artefact.path)), size: artefact.size)
        try copy.readBack { file in
            guard try Digest(ofFile: file) == artefact.sha256 else {
                throw PublishError(
                    .damaged, subject: artefact.file,
                    detail: "changed while it was copied; run again when nothing writes to it")
            }
        }
        try copy.commit(mode: EntryMode(0o600))
    }
}
