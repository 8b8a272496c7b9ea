public import Artefact
internal import SystemPackage

/// Publishing: everything is written and read back under a name that no reader takes, then renamed once.
extension BundleStore {
    /// Writes a bundle and publishes it under its version.
    ///
    /// Artefacts are made in the order given, each is read back from the disk, and what the store has already is linked
    /// instead of kept twice. When all are durable, one rename makes the bundle appear. A command that fails or is
    /// killed before that changes nothing that a reader sees.
    ///
    /// - Parameters:
    ///   - stage: What to publish.
    ///   - verified: Files that were read before; those of the store that have not changed since are not read again.
    ///     What is known afterwards is noted for the next build.
    ///   - allowingDowngrade: Whether a new version is taken that is older than one that was confirmed.
    /// - Returns: Whether the version is new, or was there already with the very same content.
    /// - Throws: ``BundleError`` with ``BundleError/Code/versionTaken`` where the version has another content,
    ///   ``BundleError/Code/damaged`` where the version is there but not as it was published, ``BundleError/Code/busy``
    ///   where another command is changing the store, ``BundleError/Code/mismatch`` where an artefact is not what was
    ///   promised, ``BundleError/Code/belowFloor``, and whatever the writers throw.
    public func publish(
        _ stage: Stage, knowing verified: VerifiedFiles? = nil, allowingDowngrade: Bool = false
    ) throws -> Publication {
        try Self.check(stage)
        try disk.ensureDirectory(out)
        return try exclusively {
            if !allowingDowngrade, !HostFile.exists(path(of: stage.description.version)) {
                try requireFloor(stage.description.version, standing())
            }
            try disk.ensureDirectory(bundles)
            let directory = bundles.appending("\(Self.stagingPrefix)\(stage.description.version)")
            try disk.makeDirectory(directory, mode: .privateDirectory)
            var used: [UsedObject] = []
            let publication: Publication
            do {
                defer { try? disk.removeTree(directory) }
                publication = try publish(stage, through: directory, verified, &used)
            }
            // The note saves time; what it cannot say is read the next time.
            if let verified { try? note(used, in: verified) }
            return publication
        }
    }

    private func publish(
        _ stage: Stage, through directory: FilePath, _ verified: VerifiedFiles?, _ used: inout [UsedObject]
    ) throws -> Publication {
        var written: [String: WrittenFile] = [:]
        var items: [Item] = []
        let batch = try stage.batch.map { try make($0, in: directory) }
        for entry in batch?.entries ?? [] {
            written[entry.file] = WrittenFile(
                path: directory.pushing(FilePath(entry.path)), size: entry.size, digest: entry.sha256)
        }
        for artefact in stage.artefacts {
            let item = try materialise(artefact, in: directory, written, verified)
            let path = directory.appending(artefact.file)
            written[artefact.file] = WrittenFile(path: path, size: item.entry.size, digest: item.entry.sha256)
            items.append(item)
            used.append(UsedObject(digest: item.entry.sha256, mode: item.entry.mode, file: item.file))
        }
        let media = try stage.media?(directory, written) ?? []
        let manifest = try Manifest(
            stage.description, artefacts: items.map(\.entry) + (batch?.entries ?? []), media: media)
        var known = batch?.known ?? [:]
        for item in items { known[item.identity] = item.entry.sha256 }
        let target = path(of: manifest.version)
        if HostFile.exists(target) {
            try compare(manifest, with: target, known, stage.signer)
            // A command that was killed after making it appear may not have come to this.
            try disk.synchronise(directory: bundles)
            return Publication(outcome: .identical, manifest: manifest, path: target, newBytes: 0)
        }
        for item in items where item.isNew {
            try objects.adopt(directory.appending(item.entry.file), item.entry.sha256, item.entry.mode)
        }
        try seal(manifest, in: directory, known, stage.signer)
        try disk.rename(directory, to: target)
        try disk.synchronise(directory: bundles)
        let newBytes =
            items.reduce(0) { $0 &+ ($1.isNew ? $1.entry.size : 0) }
            + (batch?.entries.reduce(0) { $0 &+ $1.size } ?? 0)
        return Publication(outcome: .published, manifest: manifest, path: target, newBytes: newBytes)
    }

    /// An artefact that stands in the staging directory, read back.
    private struct Item {
        let entry: Manifest.Artefact
        let file: FileFingerprint
        let isNew: Bool

        /// The device and inode, by which a reader knows it again.
        var identity: [UInt64] { [file.device, file.inode] }
    }

    private func materialise(
        _ artefact: StagedArtefact, in directory: FilePath, _ written: [String: WrittenFile],
        _ verified: VerifiedFiles?
    ) throws -> Item {
        let target = directory.appending(artefact.file)
        var promised: Digest?
        switch artefact.source {
        case .bytes(let bytes):
            try disk.write(bytes, to: target)
            promised = Digest(of: bytes)
        case .file(let source, let digest):
            promised = digest
            let object = digest.flatMap { objects.find($0, artefact.mode, knowing: verified) }
            if let digest, let object, try disk.link(object.path, to: target) {
                return try item(artefact, target, digest, read: object.file, isNew: false)
            }
            try disk.copy(from: object?.path ?? source, to: target)
        case .writer(let writer):
            promised = try disk.generate(target) { try writer(target, written) }.digest
        }
        guard let file = FileFingerprint(of: target, followingLinks: false) else {
            throw BundleError(.mismatch, subject: artefact.file, detail: "was not written as a regular file")
        }
        let digest = try Digest(ofFile: target)
        if let promised, promised != digest {
            throw BundleError(
                .mismatch, subject: artefact.file,
                detail:
                    "reads back with SHA-256 \(digest) instead of \(promised); its source changed, or the disk fails")
        }
        let object = objects.find(digest, artefact.mode, knowing: verified)
        let link = directory.appending(".\(artefact.file)")
        if let object, try disk.link(object.path, to: link) {
            try disk.rename(link, to: target)
            return try item(artefact, target, digest, read: object.file, isNew: false)
        }
        try disk.setMode(of: target, artefact.mode)
        try disk.synchronise(file: target)
        return try item(artefact, target, digest, read: file, isNew: object == nil)
    }

    /// What an artefact is that stands complete; `read` is the file as it was when its bytes were read.
    private func item(
        _ artefact: StagedArtefact, _ path: FilePath, _ digest: Digest, read: FileFingerprint, isNew: Bool
    ) throws -> Item {
        guard let file = FileFingerprint(of: path, followingLinks: false), file.hasSameBytes(as: read) else {
            throw BundleError(.mismatch, subject: artefact.file, detail: "changed after it was read back")
        }
        let entry = Manifest.Artefact(
            role: artefact.role, file: artefact.file, size: file.size, sha256: digest, mode: artefact.mode)
        return Item(entry: entry, file: file, isNew: isNew)
    }

    /// Writes manifest, checksums and signatures, reads the whole directory back as any reader would, and makes it durable.
    private func seal(
        _ manifest: Manifest, in directory: FilePath, _ known: [[UInt64]: Digest], _ signer: BundleSigner?
    ) throws {
        let documents = [
            (Manifest.fileName, try manifest.encoded()),
            (ChecksumList.fileName, try ChecksumList(of: manifest).encoded()),
        ]
        let signatures = try signer?.files(for: manifest, in: directory).map { ($0.name, $0.bytes) } ?? []
        for (name, bytes) in documents + signatures {
            let path = directory.appending(name)
            try disk.write(bytes, to: path)
            try disk.setMode(of: path, EntryMode(0o444))
            try disk.synchronise(file: path)
        }
        try seal(nodesOf: manifest, in: directory)
        try disk.setMode(of: directory, manifest.directoryMode)
        let reading = try BundleVerification.read(
            directory, expecting: manifest.version, knowing: known, trusting: signer.map { [$0.key.publicKey] } ?? [])
        guard reading.isGood else {
            throw BundleError(
                .mismatch, subject: "version \(manifest.version)",
                detail: "does not read back as it was written (\(reading.findings.first?.description ?? ""))")
        }
        try disk.synchronise(directory: directory)
    }

    /// Accepts a version that is there when it is good and the same, byte for byte, and signed in the same way.
    private func compare(
        _ manifest: Manifest, with path: FilePath, _ known: [[UInt64]: Digest], _ signer: BundleSigner?
    ) throws {
        let subject = "version \(manifest.version)"
        let present = try BundleVerification.read(path, expecting: manifest.version, knowing: known)
        guard present.isGood, let other = present.manifest else {
            throw present.refusal(
                subject, remedy: "publish under another version, or remove \(path.string) and build again")
        }
        guard other.describesTheSame(as: manifest) else {
            throw BundleError(
                .versionTaken, subject: subject,
                detail: "is published already with another content (\(Self.difference(other, manifest))); "
                    + "a published version never changes: take a new version")
        }
        // The manifest that is there may say otherwise how the inputs were verified, and it is the one that is signed.
        let found = try SignatureFile.present(in: path, of: other)
        if let difference = SignatureFile.difference(found, try signer?.files(for: other, in: path) ?? []) {
            throw BundleError(
                .versionTaken, subject: subject,
                detail: "is published already \(difference); a published version never changes: take a new version")
        }
    }

    /// What a person needs to know of the difference between two manifests, on one line.
    static func difference(_ old: Manifest, _ new: Manifest) -> String {
        var parts: [String] = []
        let oldFiles = Dictionary(old.artefacts.map { ($0.path, $0) }) { first, _ in first }
        let newFiles = Dictionary(new.artefacts.map { ($0.path, $0) }) { first, _ in first }
        for name in Set(oldFiles.keys).union(newFiles.keys).sorted() where oldFiles[name] != newFiles[name] {
            switch (oldFiles[name], newFiles[name]) {
            case (nil, _): parts.append("\(name) is new")
            case (_, nil): parts.append("\(name) is gone")
            case (let a?, let b?) where a.sha256 != b.sha256: parts.append("\(name) has other bytes")
            default: parts.append("\(name) has another mode or role")
            }
        }
        let a = old.description
        let b = new.description
        if a.name != b.name { parts.append("name was \(a.name)") }
        if a.epoch != b.epoch { parts.append("epoch was \(a.epoch)") }
        if a.architecture != b.architecture { parts.append("architecture was \(a.architecture)") }
        if a.hostname != b.hostname { parts.append("hostname was \(a.hostname ?? "not given")") }
        if a.alpine != b.alpine { parts.append("Alpine was \(a.alpine.flavor) \(a.alpine.release)") }
        if a.kubesolo != b.kubesolo { parts.append("KubeSolo was \(a.kubesolo.variant) \(a.kubesolo.version)") }
        if a.datastore != b.datastore { parts.append("datastore was \(a.datastore.kubesolo)") }
        if a.ignoringTrust.inputs != b.ignoringTrust.inputs { parts.append("inputs differ") }
        if a.nodes != b.nodes { parts.append("the nodes differ") }
        if a.recipe != b.recipe { parts.append("the recipe differs") }
        if !old.agreesOnMedia(with: new) { parts.append("the media are composed otherwise") }
        return parts.listed(most: 4)
    }

    /// Refuses what no manifest could say, before anything is written.
    private static func check(_ stage: Stage) throws {
        let zero = Digest(of: [])
        let entries = stage.artefacts.map {
            Manifest.Artefact(role: $0.role, file: $0.file, size: 0, sha256: zero, mode: $0.mode)
        }
        let ofNodes = (stage.batch?.files ?? []).map {
            Manifest.Artefact(
                role: $0.role, node: $0.node, file: $0.file, size: 0, sha256: zero, mode: EntryMode(0o444))
        }
        do throws(BundleError) {
            _ = try Manifest(stage.description, artefacts: entries + ofNodes).encoded()
        } catch {
            throw BundleError(
                .invalidStage, subject: "version \(stage.description.version)",
                detail: "cannot be published: \(error.detail)")
        }
    }
}
