internal import Node

/// The packages of a repository, as its `APKINDEX.tar.gz` lists them.
///
/// Format 2 of `apk-index(5)`: a gzip stream with a tar of signatures that has no end mark, then a gzip stream with a tar
/// of `DESCRIPTION` and `APKINDEX`. The signature covers the second stream as it is compressed.
public struct PackageIndex: Hashable, Sendable {
    /// A name that a package provides besides its own: `cmd:sh`, `so:libc.musl-x86_64.so.1`, a virtual name.
    public struct Provision: Hashable, Sendable {
        /// The name.
        public let name: String
        /// Its version, where it has one.
        public let version: PackageVersion?
    }

    /// One package.
    public struct Package: Hashable, Sendable {
        /// The name (`P:`).
        public let name: String
        /// The version (`V:`).
        public let version: String
        /// The architecture, or `noarch` (`A:`).
        public let architecture: String
        /// The identity: `Q1` and the SHA-1 of the control stream in base 64 (`C:`).
        public let identity: String
        /// The size of the package file in bytes (`S:`).
        public let size: UInt64
        /// The size when installed in bytes (`I:`).
        public let installedSize: UInt64
        /// One line about it (`T:`).
        public let summary: String
        /// Its licence, in the words of whoever packaged it (`L:`).
        public let license: String
        /// The source package (`o:`).
        public let origin: String
        /// Which of several providers is preferred (`k:`).
        public let providerPriority: Int
        /// What it needs, in the form of ``WorldEntry`` (`D:`).
        public let dependencies: [String]
        /// What it provides besides its own name (`p:`).
        public let provides: [Provision]
        /// The package is installed when all of these are (`i:`).
        public let installIf: [String]
        /// Whether the index says nothing of it in capital letters that apk does not know; such a package it never takes.
        public let isUnderstood: Bool
        /// The line of the index on which its block begins.
        public let line: Int

        /// The name of the package file.
        public var fileName: String { "\(name)-\(version).apk" }
    }

    /// A signature on the index; whether it is right takes the key and is not said here.
    public struct Signature: Hashable, Sendable {
        /// The kind in the name of the member: `RSA` (with SHA-1), `RSA256`, `RSA512`.
        public let kind: String
        /// The file name of the public key below `/etc/apk/keys`.
        public let keyName: String
        /// Its size in bytes, that of the key's modulus.
        public let size: Int

        /// Whether it can be a signature of an RSA key of 1024 to 8192 bits.
        var isPlausible: Bool { size >= 128 && size <= 1024 && size % 64 == 0 }
    }

    /// The largest index file, compressed, in bytes.
    public static let maximumCompressedBytes = 8 << 20
    /// The largest index, unpacked, in bytes.
    public static let maximumBytes = 24 << 20
    /// The most packages.
    public static let maximumPackages = 100_000
    /// The longest line in bytes.
    public static let maximumLineBytes = 1 << 20

    /// What the index was read from, for messages.
    public let source: String
    /// The packages in the order of the index.
    public let packages: [Package]
    /// The signatures in the order of the file.
    public let signatures: [Signature]
    private let providers: [String: [Provider]]

    /// A package that satisfies a name, and the version in which it does.
    private struct Provider: Hashable, Sendable {
        let package: Int
        let version: PackageVersion?
    }

    /// Reads `APKINDEX.tar.gz`.
    ///
    /// - Parameters:
    ///   - archive: The whole file.
    ///   - named: What to call it in messages.
    ///   - keys: The keys that a signature must be by; without them signatures are only recorded.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongKind``, ``UpstreamError/Code/malformed`` or
    ///   ``UpstreamError/Code/truncated``; with keys also ``UpstreamError/Code/unsigned``,
    ///   ``UpstreamError/Code/untrusted`` or ``UpstreamError/Code/tampered``.
    public init(archive: [UInt8], named: String, trusting keys: AlpineKeys? = nil) throws(UpstreamError) {
        let parts = try IndexArchive.read(archive, named: named)
        if let keys {
            _ = try keys.verify(parts.signatures, over: Array(archive[parts.signed]), subject: named)
        }
        let signatures = parts.signatures.map {
            Signature(kind: $0.kind, keyName: $0.keyName, size: $0.bytes.count)
        }
        try self.init(text: parts.text, signatures: signatures, named: "\(named)(APKINDEX)")
    }

    /// Reads the member `APKINDEX` alone.
    ///
    /// - Parameters:
    ///   - text: The lines of the index.
    ///   - signatures: What is known of the signatures on it.
    ///   - named: What to call it in messages.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` and the line.
    public init(text: [UInt8], signatures: [Signature] = [], named: String) throws(UpstreamError) {
        let packages = try IndexParser.packages(text, named: named)
        var providers: [String: [Provider]] = [:]
        for (index, package) in packages.enumerated() {
            providers[package.name, default: []].append(
                Provider(package: index, version: PackageVersion(package.version)))
            for provision in package.provides {
                providers[provision.name, default: []].append(Provider(package: index, version: provision.version))
            }
        }
        source = named
        self.packages = packages
        self.signatures = signatures
        self.providers = providers
    }

    /// Whether a package has this name or provides it.
    public func offers(_ name: String) -> Bool { providers[name] != nil }

    /// The words of a world that nothing in the index satisfies, in their order and as they are written.
    ///
    /// apk drops such words without failing when it starts a diskless system, so they must be found before the boot. A
    /// word that keeps a package out is always satisfied; one that is no word of a world never is.
    public func missing(world: [String]) -> [String] {
        world.filter { word in
            guard let entry = WorldEntry(word) else { return true }
            return !entry.isExcluded && satisfying(entry).isEmpty
        }
    }

    /// What the packages of a world need and nothing in the index satisfies: the package and its word, each once.
    ///
    /// Where several packages provide a name, none of them is followed: which one apk takes is its decision.
    public func missingDependencies(world: [String]) -> [(package: String, word: String)] {
        var missing: [(package: String, word: String)] = []
        var seen: Set<Int> = []
        var pending = world.compactMap { WorldEntry($0) }.filter { !$0.isExcluded }.flatMap(taken)
        while let next = pending.popLast() {
            guard seen.insert(next).inserted else { continue }
            for word in packages[next].dependencies {
                guard let entry = WorldEntry(word), !entry.isExcluded else { continue }
                if satisfying(entry).isEmpty { missing.append((packages[next].name, word)) }
                pending += taken(entry)
            }
        }
        return missing.sorted { ($0.package, $0.word) < ($1.package, $1.word) }
    }

    private func satisfying(_ entry: WorldEntry) -> [Provider] {
        (providers[entry.name] ?? []).filter { entry.accepts($0.version) }
    }

    /// The package that apk takes for a word, where there is no choice.
    private func taken(_ entry: WorldEntry) -> [Int] {
        let found = Set(satisfying(entry).map(\.package))
        let named = found.filter { packages[$0].name == entry.name }
        return named.count == 1 ? Array(named) : found.count == 1 ? Array(found) : []
    }

    /// The name in the index that comes nearest to one that is missing.
    public func nearestName(to name: String) -> String? {
        NearestWord.find(name, among: packages.lazy.map(\.name), orKin: .hyphenated)
    }

    /// Demands a signature, without which apk ignores the repository.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/unsigned``.
    public func requireSignature() throws(UpstreamError) {
        guard !signatures.contains(where: \.isPlausible) else { return }
        if let odd = signatures.first {
            throw UpstreamError(
                .unsigned, subject: source,
                detail: "carries a signature of \(odd.size) bytes, which none can have, so apk ignores it at boot")
        }
        throw UpstreamError(
            .unsigned, subject: source,
            detail: "carries no signature, and apk ignores an unsigned index at boot; sign it with abuild-sign")
    }
}
