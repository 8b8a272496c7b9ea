internal import Artefact
public import SystemPackage

/// A bundle that comes from elsewhere: its files are kept as objects as they arrive, and the bundle appears when all
/// are there.
public struct ReceivedBundle: Hashable, Sendable {
    /// Its manifest.
    public let manifest: Manifest
    /// The files that sign it, by name.
    public let signatures: [String: [UInt8]]

    /// Joins the two.
    public init(_ manifest: Manifest, signatures: [String: [UInt8]] = [:]) {
        self.manifest = manifest
        self.signatures = signatures
    }
}

extension BundleStore {
    /// Whether a file of a bundle is in the store already, read anew.
    public func holds(_ artefact: Manifest.Artefact) -> Bool {
        objects.find(artefact.sha256, artefact.mode, knowing: nil)?.file.size == artefact.size
    }

    /// Whether a version may enter the store, as far as that can be told before its files are there.
    ///
    /// - Parameters:
    ///   - bundle: What arrives.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    ///   - allowingDowngrade: Whether a version is taken that is older than one that was confirmed.
    /// - Throws: ``BundleError`` with ``BundleError/Code/untrusted``, ``BundleError/Code/belowFloor``; with
    ///   ``BundleError/Code/versionTaken`` where another bundle has the version.
    public func requireWelcome(
        _ bundle: ReceivedBundle, trusting keys: [MinisignPublicKey] = [], allowingDowngrade: Bool = false
    ) throws {
        let version = bundle.manifest.version
        let check = try SignatureCheck(bundle.signatures, of: bundle.manifest, trusting: keys)
        if let finding = check.findings.first {
            throw BundleError(
                .untrusted, subject: "version \(version)", detail: "is not trusted (\(finding)); nothing was changed")
        }
        guard try HostFile.present(path(of: version)) == nil else { return try requireSame(bundle) }
        guard !allowingDowngrade else { return }
        try requireFloor(version, standing())
    }

    /// Takes a file that arrived whole into the store; no bundle has it yet.
    ///
    /// - Parameters:
    ///   - file: The file, on the store's file system, synchronised and read; it loses its name.
    ///   - artefact: What it is.
    /// - Throws: ``BundleError`` with ``BundleError/Code/busy``, or `ArtefactError`.
    public func keep(_ file: FilePath, as artefact: Manifest.Artefact) throws {
        try disk.ensureDirectory(out)
        try exclusively {
            let target = objects.path(artefact.sha256, artefact.mode)
            let directory = target.removingLastComponent()
            let root = objects.root
            for level in [root.removingLastComponent(), root, directory] { try disk.ensureDirectory(level) }
            if try HostFile.present(target)?.kind == .directory { try disk.removeTree(target) }
            try disk.setMode(of: file, artefact.mode)
            try disk.synchronise(file: file)
            try disk.rename(file, to: target)
            try disk.synchronise(directory: directory)
        }
    }

    /// Makes a bundle appear whose files are all in the store, after reading every byte of it.
    ///
    /// - Parameters:
    ///   - bundle: What arrived.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    ///   - allowingDowngrade: Whether a version is taken that is older than one that was confirmed.
    /// - Returns: Whether the version is new, or was there already with the very same content.
    /// - Throws: ``BundleError`` as ``requireWelcome(_:allowingDowngrade:)`` does; with ``BundleError/Code/damaged`` or
    ///   ``BundleError/Code/untrusted`` where it does not verify, ``BundleError/Code/busy``.
    public func adopt(
        _ bundle: ReceivedBundle, trusting keys: [MinisignPublicKey] = [], allowingDowngrade: Bool = false
    ) throws -> Publication {
        let manifest = bundle.manifest
        try disk.ensureDirectory(out)
        return try exclusively {
            try requireWelcome(bundle, trusting: keys, allowingDowngrade: allowingDowngrade)
            try disk.ensureDirectory(bundles)
            let target = path(of: manifest.version)
            guard try HostFile.present(target) == nil else {
                let present = try BundleVerification.read(
                    target, expecting: manifest.version, knowing: [:], trusting: keys)
                guard present.isGood else {
                    throw present.refusal(
                        "version \(manifest.version)", remedy: "remove \(target.string) and pull again")
                }
                try disk.synchronise(directory: bundles)
                return Publication(outcome: .identical, manifest: manifest, path: target, newBytes: 0)
            }
            let directory = bundles.appending("\(Self.stagingPrefix)\(manifest.version)")
            try disk.makeDirectory(directory, mode: .privateDirectory)
            defer { try? disk.removeTree(directory) }
            try assemble(bundle, in: directory)
            let reading = try BundleVerification.read(
                directory, expecting: manifest.version, knowing: [:], trusting: keys)
            guard reading.isGood else {
                throw reading.refusal("version \(manifest.version)", remedy: "nothing was changed")
            }
            try disk.synchronise(directory: directory)
            try disk.rename(directory, to: target)
            try disk.synchronise(directory: bundles)
            return Publication(outcome: .published, manifest: manifest, path: target, newBytes: manifest.size)
        }
    }

    private func assemble(_ bundle: ReceivedBundle, in directory: FilePath) throws {
        let manifest = bundle.manifest
        for artefact in manifest.artefacts {
            let object = objects.path(artefact.sha256, artefact.mode)
            try disk.linkOrCopy(object, to: directory.appending(artefact.file))
        }
        let documents = [
            (Manifest.fileName, try manifest.encoded()),
            (ChecksumList.fileName, try ChecksumList(of: manifest).encoded()),
        ]
        let signatures = bundle.signatures.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for (name, bytes) in documents + signatures {
            let path = directory.appending(name)
            try disk.write(bytes, to: path)
            try disk.setMode(of: path, EntryMode(0o444))
            try disk.synchronise(file: path)
        }
        try disk.setMode(of: directory, manifest.directoryMode)
    }

    /// Refuses a bundle where its version has another content or other signatures.
    private func requireSame(_ bundle: ReceivedBundle) throws {
        let version = bundle.manifest.version
        let path = path(of: version)
        func taken(_ how: String) -> BundleError {
            BundleError(
                .versionTaken, subject: "version \(version)",
                detail:
                    "is in \(out.string) already \(how); a published version never changes: pull it into another --out")
        }
        let bytes = try HostFile.read(path.appending(Manifest.fileName), limit: Manifest.maximumBytes)
        let own = try Manifest(decoding: bytes)
        guard own == bundle.manifest else {
            let difference = Self.difference(own, bundle.manifest)
            throw taken(
                "with another content (\(difference.isEmpty ? "its inputs were verified otherwise" : difference))")
        }
        let names = try DirectoryNames(of: path).readable
        for name in Set(names.filter(own.maySign)).union(bundle.signatures.keys).sorted() {
            let here =
                names.contains(name)
                ? try HostFile.read(path.appending(name), limit: Manifest.maximumSignatureBytes) : nil
            guard here == bundle.signatures[name] else { throw taken("with another \(name)") }
        }
    }
}

extension Manifest {
    /// The largest file that signs a bundle, in bytes.
    public static let maximumSignatureBytes = 16 << 20

    /// Whether a file of the name may stand in the bundle beside what the manifest lists, to sign it.
    public func maySign(_ name: String) -> Bool { SignatureFile.names.contains(name) }
}
