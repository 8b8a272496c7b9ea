internal import Artefact
public import SystemPackage

/// The output directory: every published bundle, the objects they share, which bundle is live and how that came about.
///
/// ```
/// OUT/bundles/VERSION/       one bundle, never written again
/// OUT/store/sha256/AB/…      its files by digest and mode; a bundle's files are hard links to them
/// OUT/current                a symbolic link to bundles/VERSION: the live bundle
/// OUT/history.jsonl          one line for every switch, confirmation and removal
/// OUT/pins/NAME              the version that something outside uses
/// ```
///
/// Every change becomes visible by one rename. What is written before it has a name that begins with a dot, which no
/// reader takes; what a killed command left under such names is removed by the next command that changes the store.
public struct BundleStore: Sendable {
    /// The output directory.
    public let out: FilePath
    /// Whether a change waits for another command that is changing the store to end.
    public let isPatient: Bool
    let disk: StoreDisk

    /// Names the output directory; nothing is read or made yet.
    ///
    /// - Parameters:
    ///   - out: The output directory.
    ///   - isPatient: Whether a change waits while another command changes the store, instead of being refused.
    public init(_ out: FilePath, isPatient: Bool = false) { self.init(out, isPatient: isPatient, disk: StoreDisk()) }

    package init(_ out: FilePath, isPatient: Bool = false, disk: StoreDisk) {
        self.out = out
        self.isPatient = isPatient
        self.disk = disk
    }

    static let stagingPrefix = ".staging-"
    var bundles: FilePath { out.appending("bundles") }
    var pointer: FilePath { out.appending("current") }
    var newPointer: FilePath { out.appending(".current-new") }
    var historyFile: FilePath { out.appending("history.jsonl") }
    var objects: ObjectStore { ObjectStore(root: out.appending("store").appending("sha256"), disk: disk) }

    /// Where a version's bundle stands.
    public func path(of version: Version) -> FilePath { bundles.appending(version.description) }

    /// What the store tells of one bundle without reading its artefacts.
    public struct Summary: Hashable, Sendable {
        /// The version.
        public let version: Version
        /// What it says of itself, where that can be read.
        public let manifest: Manifest?
        /// Why its manifest cannot be read or believed.
        public let problem: BundleFinding?
        /// Whether it is the live one.
        public let isLive: Bool
        /// What is known of it.
        public let state: State
        /// Whether rolling back goes to it.
        public let isWayBack: Bool
    }

    /// What is known of a version.
    public enum State: Hashable, Sendable {
        /// It was never made live, or left for another one before it was confirmed.
        case kept
        /// It is live and has yet to prove itself.
        case pending
        /// It has proven itself.
        case confirmed
        /// It was left by rolling back.
        case failed(Occasion)
    }

    /// The published versions in order of precedence, without reading them; other names are not versions.
    ///
    /// - Throws: ``ArtefactError`` where the directory cannot be read.
    public func versions() throws -> [Version] {
        guard try HostFile.present(bundles) != nil else { return [] }
        return try DirectoryNames(of: bundles).readable.compactMap { try? Version($0) }.sorted()
    }

    /// The published bundles, oldest version first; their manifests are read, their artefacts are not.
    ///
    /// None is live where ``current()`` says that the pointer is broken.
    ///
    /// - Throws: ``ArtefactError`` where the directory cannot be read.
    public func list() throws -> [Summary] {
        let live = try pointed().version
        let standing = try standing()
        // A manifest that cannot be read is told as a problem of its version.
        let back = try? wayBack(from: live ?? standing.live, standing)
        return try versions().map { version in
            let (manifest, problem) = summary(of: version)
            return Summary(
                version: version, manifest: manifest, problem: problem, isLive: version == live,
                state: state(of: version, isLive: version == live, standing), isWayBack: version == back)
        }
    }

    /// What a published bundle says of itself; `nil` where it is not there or its manifest cannot be read.
    public func description(of version: Version) -> BundleDescription? { summary(of: version).manifest?.description }

    private func state(of version: Version, isLive: Bool, _ standing: Standing) -> State {
        if !isLive, let failure = standing.failed[version] { return .failed(failure.occasion) }
        let manifest = try? digest(ofManifestOf: version)
        let isConfirmed = manifest.map { standing.isConfirmed(version, manifest: $0) } ?? false
        return isConfirmed ? .confirmed : isLive ? .pending : .kept
    }

    private func summary(of version: Version) -> (manifest: Manifest?, problem: BundleFinding?) {
        let name = Manifest.fileName
        let file = path(of: version).appending(name)
        do {
            guard try HostFile.present(file) != nil else {
                return (nil, BundleFinding(file: name, problem: .missing, detail: "is not there"))
            }
            return (try Manifest(decoding: try HostFile.read(file, limit: Manifest.maximumBytes)), nil)
        } catch let error as BundleError {
            return (nil, BundleFinding(file: name, problem: .badManifest, detail: error.detail))
        } catch {
            return (nil, BundleFinding(unreadable: name, error))
        }
    }

    /// Re-reads every byte of a published bundle.
    ///
    /// - Parameters:
    ///   - version: The version.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    /// - Returns: All that is wrong with it.
    /// - Throws: ``BundleError`` with ``BundleError/Code/notFound`` where there is none.
    public func verify(_ version: Version, trusting keys: [MinisignPublicKey] = []) throws -> BundleVerification {
        guard try HostFile.present(path(of: version)) != nil else {
            let known = try versions()
            let newest = known.last.map { "the newest of \(known.count) is \($0)" } ?? "none is published"
            throw BundleError(
                .notFound, subject: "version \(version)", detail: "is not in \(out.string) (\(newest))")
        }
        return try BundleVerification.read(path(of: version), expecting: version, knowing: [:], trusting: keys)
    }

    /// Runs a change while no other one runs, after clearing away what an interrupted one left.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/notFound`` where there is no store; only publishing begins one.
    func changing<Result>(_ body: () throws -> Result) throws -> Result {
        guard try HostFile.present(out) != nil, try HostFile.present(bundles) != nil else {
            throw BundleError(
                .notFound, subject: out.string,
                detail: "no store is there; name the directory that 'ksbuild bundle' published into with --out")
        }
        return try exclusively(body)
    }

    /// The same, where there may be no store yet.
    func exclusively<Result>(_ body: () throws -> Result) throws -> Result {
        try StoreLock.hold(out, isPatient: isPatient) {
            try clearLeftovers()
            return try body()
        }
    }

    private func clearLeftovers() throws {
        try disk.remove(newPointer)
        guard try HostFile.present(bundles) != nil else { return }
        for name in try DirectoryNames(of: bundles).readable
        where name.hasPrefix(Self.stagingPrefix) || name.hasPrefix(Self.removalPrefix) {
            try disk.removeTree(bundles.appending(name))
        }
    }
}
