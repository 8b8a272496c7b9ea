internal import Artefact
public import Bundle
internal import Glibc
public import SystemPackage

/// Publishes a bundle in a directory: `PATH/VERSION/` with exactly the bundle's files, and `PATH/latest`.
///
/// The folder is filled under a hidden name and renamed when it is complete and durable. Files are copies, which share
/// blocks where the file system can and never the inode: what is done to a published file reaches no store.
public struct FolderPublication {
    private let bundle: BundleFolder
    private let path: FilePath
    private let report: (PublishEvent) -> Void

    /// The link to the newest version.
    static let latest = "latest"

    /// Joins what is to be done.
    public init(_ bundle: BundleFolder, in path: FilePath, report: @escaping (PublishEvent) -> Void = { _ in }) {
        self.bundle = bundle
        self.path = path
        self.report = report
    }

    /// Publishes.
    ///
    /// - Returns: What was copied.
    /// - Throws: ``PublishError`` with ``PublishError/Code/taken`` or ``PublishError/Code/busy``, `ArtefactError`.
    public func run() throws -> PublishReport {
        try requireOutsideBundles()
        try HostFile.makeDirectories(path)
        let folder = try HostFile.open(path)
        defer { try? folder.close() }
        guard flock(folder.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw PublishError(.busy, subject: path.string, detail: "another command publishes there; try again later")
        }
        try requireLink()
        try requireSameBundle()
        let version = bundle.manifest.version
        let target = path.appending(version.description)
        var outcome = PublishReport(
            place: "dir:\(target)", version: version, digest: Digest(of: try bundle.manifest.encoded()))
        if HostFile.exists(target) {
            try requireSame(target)
            outcome.presentBytes = bundle.files.reduce(0) { $0 &+ $1.size }
        } else {
            let hidden = path.appending(".\(version).incoming")
            try fill(hidden, &outcome)
            try HostFile.rename(hidden, to: target)
        }
        try HostFile.synchronise(directory: path)
        outcome.names = [version.description] + (try pointLatest() ? [Self.latest] : [])
        return outcome
    }

    /// Brings the hidden folder to exactly the bundle's files; those that are whole and right stay.
    private func fill(_ folder: FilePath, _ outcome: inout PublishReport) throws {
        try HostFile.makeDirectory(folder, mode: .privateDirectory)
        try HostFile.setMode(of: folder, .privateDirectory)
        try removeOthers(in: folder, below: "", keeping: folders, Set(bundle.files.map(\.path)))
        let total = bundle.files.reduce(0) { $0 &+ $1.size }
        var done: UInt64 = 0
        for file in bundle.files {
            report(.began(file.path, file.size))
            let target = folder.pushing(FilePath(file.path))
            let isPresent = isWhole(target, file)
            if isPresent {
                // A command that was killed after the copy may not have come to this.
                try HostFile.setMode(of: target, file.mode)
                outcome.presentBytes += file.size
            } else {
                try HostFile.makeDirectories(target.removingLastComponent())
                try copy(file, to: target)
                outcome.movedBytes += file.size
            }
            done += file.size
            report(.ended(file.path, isMoved: !isPresent))
            report(.progress(done, of: total))
        }
        try HostFile.synchronise(directory: folder)
        for inner in folders.sorted() {
            try HostFile.setMode(of: folder.pushing(FilePath(inner)), bundle.manifest.directoryMode)
        }
        try HostFile.setMode(of: folder, bundle.manifest.directoryMode)
        let reading = try BundleVerification.read(folder, expecting: bundle.manifest.version)
        guard reading.isGood else {
            throw PublishError(
                .damaged, subject: folder.string,
                detail:
                    "does not read back as it was written "
                    + "(\(reading.findings.first?.description ?? "")); the disk fails"
            )
        }
        try HostFile.synchronise(fileSystemOf: folder)
    }

    /// The directories below the bundle's, of the nodes of a fleet.
    private var folders: Set<String> {
        var found: Set<String> = []
        for file in bundle.files {
            let parts = file.path.split(separator: "/").dropLast().map(String.init)
            for count in 0..<parts.count { found.insert(parts[...count].joined(separator: "/")) }
        }
        return found
    }

    private func copy(_ file: BundleFolder.File, to target: FilePath) throws {
        var copy = try StagedFile(target)
        try copy.copy(bundle.path.pushing(FilePath(file.path)), size: file.size)
        try copy.commit(mode: file.mode)
    }

    private func isWhole(_ target: FilePath, _ file: BundleFolder.File) -> Bool {
        guard let status = try? HostFile.status(of: target, followingLinks: false), status.kind == .file,
            status.size == file.size
        else { return false }
        return (try? Digest(ofFile: target)) == file.sha256
    }

    /// Removes what an earlier attempt left that is no file of this bundle.
    private func removeOthers(
        in folder: FilePath, below prefix: String, keeping folders: Set<String>, _ files: Set<String>
    ) throws {
        for name in try HostFile.names(in: folder) {
            let path = folder.appending(name)
            let place = prefix + name
            let kind = try HostFile.status(of: path, followingLinks: false).kind
            if kind == .directory, folders.contains(place) {
                try HostFile.setMode(of: path, .privateDirectory)
                try removeOthers(in: path, below: "\(place)/", keeping: folders, files)
            } else if kind != .file || !files.contains(place) {
                try HostFile.removeTree(path)
            }
        }
    }

    /// Accepts a folder of this version that holds the very same bundle, and nothing else.
    private func requireSame(_ target: FilePath) throws {
        func taken(_ why: String) -> PublishError {
            PublishError(
                .taken, subject: target.string,
                detail:
                    "\(why); a published version never changes: publish under a new version, or remove the folder first"
            )
        }
        guard try HostFile.status(of: target, followingLinks: false).kind == .directory else {
            throw taken("is no folder")
        }
        let present: BundleFolder
        do {
            present = try BundleFolder(target, expecting: bundle.manifest.version)
        } catch let error as PublishError where error.code == .damaged {
            throw taken("is there already and \(error.detail)")
        }
        let own = Dictionary(bundle.files.map { ($0.path, $0) }) { first, _ in first }
        let other = Dictionary(present.files.map { ($0.path, $0) }) { first, _ in first }
        let names = Set(own.keys).union(other.keys).sorted()
        guard let odd = names.first(where: { own[$0]?.sha256 != other[$0]?.sha256 }) else { return }
        throw taken("holds another bundle already ('\(odd)' differs)")
    }

    /// Sees to it that `latest` is there as a link or not at all.
    private func requireLink() throws {
        let link = path.appending(Self.latest)
        guard HostFile.exists(link), try HostFile.status(of: link, followingLinks: false).kind != .symlink else {
            return
        }
        throw PublishError(
            .taken, subject: link.string, detail: "is no link; move it away, so that it can name the newest version")
    }

    /// Refuses a place within a bundle, whose files are all that it may hold.
    private func requireOutsideBundles() throws {
        var place = path.isAbsolute ? path : FilePath(".").pushing(path)
        while !place.isEmpty {
            if HostFile.exists(place.appending(Manifest.fileName)),
                HostFile.exists(place.appending(ChecksumList.fileName))
            {
                throw PublishError(
                    .taken, subject: path.string,
                    detail: "lies in a bundle (\(place)), which never changes; publish somewhere else")
            }
            guard place.removeLastComponent() else { return }
        }
    }

    /// Refuses a directory of another bundle or architecture: `latest` would lead from one to the other.
    private func requireSameBundle() throws {
        let own = bundle.manifest.description
        for version in try Self.versions(in: path).sorted().reversed() where version != own.version {
            let folder = path.appending(version.description)
            let file = folder.appending(Manifest.fileName)
            guard let bytes = try? HostFile.read(file, limit: Manifest.maximumBytes),
                let manifest = try? Manifest(decoding: bytes)
            else { continue }
            let there = manifest.description
            guard there.name != own.name || there.architecture != own.architecture else { return }
            let names = there.name != own.name ? (there.name, own.name) : (there.architecture, own.architecture)
            throw PublishError(
                .taken, subject: path.string,
                detail: "holds versions of \(printable(names.0)), and this one is of \(names.1); publish it in a"
                    + " directory of its own")
        }
    }

    /// The versions of which there is a bundle in a directory, in no order.
    public static func versions(in path: FilePath) throws -> [Version] {
        try HostFile.names(in: path).compactMap { try? Version($0) }.filter { version in
            HostFile.exists(path.appending(version.description).appending(Manifest.fileName))
        }
    }

    /// Has `latest` name the newest version that is there, before a release no pre-release; it never goes back.
    ///
    /// - Returns: Whether it names this version.
    private func pointLatest() throws -> Bool {
        let versions = try Self.versions(in: path)
        guard let newest = versions.filter({ !$0.isPreRelease }).max() ?? versions.max() else { return false }
        let link = path.appending(Self.latest)
        let isLatest = newest == bundle.manifest.version
        if HostFile.exists(link), try HostFile.target(ofLink: link) == newest.description { return isLatest }
        let fresh = path.appending(".\(Self.latest)-new")
        try HostFile.remove(fresh)
        try HostFile.makeSymlink(fresh, to: newest.description)
        try HostFile.rename(fresh, to: link)
        try HostFile.synchronise(directory: path)
        return isLatest
    }
}
