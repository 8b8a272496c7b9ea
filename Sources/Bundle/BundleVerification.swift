public import Artefact
internal import Glibc
public import SystemPackage

/// One thing about a bundle on the disk that is not as it was published.
public struct BundleFinding: Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Problem: String, Hashable, Sendable, CaseIterable {
        /// A file that the manifest lists is not there.
        case missing
        /// A file is shorter than the manifest says.
        case truncated
        /// A file is longer, or has other bytes than the manifest says.
        case tampered
        /// Something is there that the manifest does not list.
        case extra
        /// Something is not a regular file.
        case wrongKind = "wrong-kind"
        /// Permission bits are not those that were published.
        case wrongMode = "wrong-mode"
        /// The manifest cannot be read or is not what the contract says.
        case badManifest = "bad-manifest"
        /// The manifest is that of another version.
        case wrongVersion = "wrong-version"
        /// The checksum file is not the one that belongs to the manifest.
        case badChecksums = "bad-checksums"
        /// A signature is not one of this bundle, or not in the form that is taken.
        case badSignature = "bad-signature"
        /// There is no signature, and one is demanded.
        case unsigned
        /// The bundle is signed by a key that is not trusted.
        case untrusted
        /// A file or directory cannot be read.
        case unreadable
    }

    /// The file's name in the bundle, or `.` for the directory itself.
    public let file: String
    /// What is wrong.
    public let problem: Problem
    /// The particulars.
    public let detail: String
    /// What it means to the caller: a finding, or the reason why the system did not let the file be read.
    public let failureClass: FailureClass

    /// `FILE: PROBLEM: particulars`.
    public var description: String { "\(file): \(problem.rawValue): \(detail)" }

    init(file: String, problem: Problem, detail: String, failureClass: FailureClass = .findings) {
        self.file = file
        self.problem = problem
        self.detail = detail
        self.failureClass = failureClass
    }

    /// A file that cannot be read.
    init(unreadable file: String, _ error: any Error) {
        let failure = error as? ArtefactError
        self.init(
            file: file, problem: .unreadable,
            detail: failure.map { failure in
                failure.errno.map { "\(failure.detail) (\($0.description))" } ?? failure.detail
            } ?? "\(error)",
            failureClass: failure?.failureClass ?? .io)
    }
}

/// What re-reading a bundle came to.
public struct BundleVerification: Hashable, Sendable {
    /// Where the bundle stands.
    public let path: FilePath
    /// What it says of itself, where that can be read.
    public let manifest: Manifest?
    /// All that is wrong, by file name; empty for a good bundle.
    public let findings: [BundleFinding]
    /// How many bytes were read.
    public let bytesRead: UInt64
    /// Who signed it.
    public let signature: BundleSignature

    /// Whether the bundle is as it was published.
    public var isGood: Bool { findings.isEmpty }

    /// What the findings mean to the caller, or `nil` where there is none: that the bundle is not as it was published,
    /// or where nothing was read that says so, why it cannot be read.
    public var failureClass: FailureClass? {
        findings.contains { $0.failureClass == .findings } ? .findings : findings.first?.failureClass
    }

    /// Re-reads every byte of the bundle in a directory.
    ///
    /// Nothing is believed that was not read: names, kinds, sizes, modes and digests are compared with the manifest, and
    /// the manifest with `SHA256SUMS`, whose bytes must be exactly those that follow from it, and which is what a
    /// signature signs.
    ///
    /// - Parameters:
    ///   - path: The bundle's directory, or a symbolic link to it such as `OUT/current`, which is resolved once.
    ///   - version: The version it must have, where that is known.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    /// - Returns: All that is wrong with it.
    /// - Throws: ``BundleError`` with ``BundleError/Code/notFound`` where there is no directory, ``ArtefactError`` where
    ///   that cannot be found out.
    public static func read(
        _ path: FilePath, expecting version: Version? = nil, trusting keys: [MinisignPublicKey] = []
    ) throws -> BundleVerification {
        try read(try resolved(path), expecting: version, knowing: [:], trusting: keys)
    }

    /// What a symbolic link leads to, so that a switch of the pointer midway does not mix two bundles.
    private static func resolved(_ path: FilePath) throws -> FilePath {
        guard try HostFile.present(path)?.kind == .symlink else { return path }
        let found = unsafe path.withPlatformString { name in unsafe realpath(name, nil) }
        guard let found = unsafe found else {
            throw BundleError(
                .notFound, subject: path.string,
                detail: "is a link to '\((try? HostFile.target(ofLink: path)) ?? "")', where nothing is")
        }
        defer { unsafe free(found) }
        return FilePath(unsafe String(cString: found))
    }

    /// The same in a store, where no link counts and some files have been read already: digests by device and inode.
    static func read(
        _ path: FilePath, expecting version: Version?, knowing known: [[UInt64]: Digest],
        trusting keys: [MinisignPublicKey] = []
    ) throws -> BundleVerification {
        guard let status = try HostFile.present(path), status.kind == .directory else {
            throw BundleError(.notFound, subject: path.string, detail: "no bundle is there")
        }
        var reading = Reading(path: path, known: known, keys: keys)
        let manifest = reading.readManifest(expecting: version)
        if let manifest { reading.readAll(of: manifest, directory: status) }
        return BundleVerification(
            path: path, manifest: manifest,
            findings: reading.findings.sorted { ($0.file, $0.problem.rawValue) < ($1.file, $1.problem.rawValue) },
            bytesRead: reading.bytesRead, signature: reading.signature)
    }

    /// The error that refuses to use this bundle, naming the first finding and how many more there are.
    func refusal(_ subject: String, remedy: String) -> BundleError {
        let first = findings.first?.description ?? "nothing is wrong"
        let more = findings.count > 1 ? " and \(findings.count - 1) more findings" : ""
        guard let failureClass, failureClass != .findings else {
            if !findings.isEmpty, findings.allSatisfy({ [.unsigned, .untrusted].contains($0.problem) }) {
                return BundleError(.untrusted, subject: subject, detail: "is not trusted (\(first)\(more)); \(remedy)")
            }
            return BundleError(.damaged, subject: subject, detail: "is damaged (\(first)\(more)); \(remedy)")
        }
        return BundleError(
            .system(failureClass), subject: subject, detail: "cannot be verified (\(first)\(more))")
    }
}

/// A verification under way.
private struct Reading {
    let path: FilePath
    let known: [[UInt64]: Digest]
    let keys: [MinisignPublicKey]
    var findings: [BundleFinding] = []
    var bytesRead: UInt64 = 0
    var signature = BundleSignature.none

    init(path: FilePath, known: [[UInt64]: Digest], keys: [MinisignPublicKey]) {
        self.path = path
        self.known = known
        self.keys = keys
    }

    mutating func note(_ file: String, _ problem: BundleFinding.Problem, _ detail: String) {
        findings.append(BundleFinding(file: file, problem: problem, detail: detail))
    }

    mutating func note(unreadable file: String, _ error: any Error) {
        findings.append(BundleFinding(unreadable: file, error))
    }

    mutating func readManifest(expecting version: Version?) -> Manifest? {
        guard let bytes = readSmall(Manifest.fileName, limit: Manifest.maximumBytes) else { return nil }
        let manifest: Manifest
        do throws(BundleError) {
            manifest = try Manifest(decoding: bytes)
        } catch {
            note(Manifest.fileName, .badManifest, error.detail)
            return nil
        }
        if let version, manifest.version != version {
            note(Manifest.fileName, .wrongVersion, "is that of version \(manifest.version)")
        }
        return manifest
    }

    mutating func readAll(of manifest: Manifest, directory: HostFile.Status) {
        if directory.mode != manifest.directoryMode {
            note(".", .wrongMode, "the directory has mode \(directory.mode) instead of \(manifest.directoryMode)")
        }
        readChecksums(of: manifest)
        readSignatures(of: manifest)
        for artefact in manifest.artefacts { readArtefact(artefact) }
        let files = Dictionary(grouping: manifest.artefacts, by: \.node).mapValues { $0.map(\.file) }
        let own = (files[nil] ?? []) + [Manifest.fileName, ChecksumList.fileName] + manifest.signatureNames
        let directory = BundleNode.directory
        demand(only: own + (manifest.nodes.isEmpty ? [] : [directory]), in: ".")
        guard !manifest.nodes.isEmpty, isFolder(directory, of: manifest) else { return }
        demand(only: manifest.nodes.map(\.name), in: directory)
        for node in manifest.nodes {
            let folder = "\(directory)/\(node.name)"
            if isFolder(folder, of: manifest) { demand(only: files[node.name] ?? [], in: folder) }
        }
    }

    /// Whether a directory below the bundle's is one; its mode is noted where it is another than due.
    private mutating func isFolder(_ folder: String, of manifest: Manifest) -> Bool {
        do throws(ArtefactError) {
            let status = try HostFile.status(of: path.pushing(FilePath(folder)), followingLinks: false)
            guard status.kind == .directory else {
                note(folder, .wrongKind, "is no directory")
                return false
            }
            if status.mode != manifest.directoryMode {
                note(folder, .wrongMode, "has mode \(status.mode) instead of \(manifest.directoryMode)")
            }
            return true
        } catch {
            // What it should hold has been noted as missing.
            if error.errno != .noSuchFileOrDirectory { note(unreadable: folder, error) }
            return false
        }
    }

    /// Notes everything in a directory that has none of the names.
    private mutating func demand(only listed: [String], in folder: String) {
        let listed = Set(listed)
        let prefix = folder == "." ? "" : folder + "/"
        do throws(ArtefactError) {
            let names = try DirectoryNames(of: folder == "." ? path : path.pushing(FilePath(folder)))
            for name in names.readable where !listed.contains(name) {
                note(String(reflecting: prefix + name), .extra, "is not in the manifest")
            }
            for name in names.others { note(String(reflecting: prefix + name), .extra, "is not in the manifest") }
        } catch {
            note(unreadable: folder, error)
        }
    }

    private mutating func readChecksums(of manifest: Manifest) {
        guard let bytes = readSmall(ChecksumList.fileName, limit: ChecksumList.maximumBytes) else { return }
        do throws(BundleError) {
            let due = try ChecksumList(of: manifest)
            guard bytes != due.encoded() else { return }
            let found = try ChecksumList(decoding: bytes)
            let names = Set(due.digests.keys).union(found.digests.keys).sorted()
            let odd = names.first { due.digests[$0] != found.digests[$0] }
            note(
                ChecksumList.fileName, .badChecksums,
                odd.map { "does not agree with the manifest on '\($0)'" } ?? "is not in the order or form published")
        } catch {
            note(ChecksumList.fileName, .badChecksums, error.detail)
        }
    }

    private mutating func readSignatures(of manifest: Manifest) {
        let present = manifest.signatureNames.filter { HostFile.exists(path.appending($0)) }
        var files: [String: [UInt8]] = [:]
        for name in present { files[name] = readSmall(name, limit: SignatureFile.maximumBytes(of: name)) }
        guard files.count == present.count else { return }
        do throws(BundleError) {
            let check = try SignatureCheck(files, of: manifest, trusting: keys)
            signature = check.outcome
            findings += check.findings
        } catch {
            note(Manifest.fileName, .badManifest, error.detail)
        }
    }

    private mutating func readArtefact(_ artefact: Manifest.Artefact) {
        let file = artefact.path
        guard let status = status(file, mode: artefact.mode) else { return }
        guard status.size >= artefact.size else {
            note(file, .truncated, "has \(status.size) of \(artefact.size) bytes")
            return
        }
        guard status.size == artefact.size else {
            note(file, .tampered, "has \(status.size) bytes instead of \(artefact.size)")
            return
        }
        if known[status.identity] == artefact.sha256 { return }
        do {
            let digest = try Digest(ofFile: path.pushing(FilePath(file)))
            bytesRead &+= status.size
            if digest != artefact.sha256 {
                note(file, .tampered, "has other bytes than were published (SHA-256 \(digest))")
            }
        } catch {
            note(unreadable: file, error)
        }
    }

    private mutating func readSmall(_ name: String, limit: Int) -> [UInt8]? {
        guard status(name, mode: EntryMode(0o444)) != nil else { return nil }
        do {
            let bytes = try HostFile.read(path.appending(name), limit: limit)
            bytesRead &+= UInt64(bytes.count)
            return bytes
        } catch {
            note(unreadable: name, error)
            return nil
        }
    }

    private mutating func status(_ name: String, mode: EntryMode) -> HostFile.Status? {
        let file = path.pushing(FilePath(name))
        do throws(ArtefactError) {
            let status = try HostFile.status(of: file, followingLinks: false)
            guard status.kind == .file else {
                note(name, .wrongKind, "is no regular file")
                return nil
            }
            if status.mode != mode { note(name, .wrongMode, "has mode \(status.mode) instead of \(mode)") }
            return status
        } catch {
            if error.errno == .noSuchFileOrDirectory {
                note(name, .missing, "is not there")
            } else {
                note(unreadable: name, error)
            }
            return nil
        }
    }
}
