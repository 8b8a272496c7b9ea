/// The packages of several repositories as apk sees them: names with those who provide them, each build once.
struct PackageCatalog: Sendable {
    /// A requirement and the number of the name in it.
    struct Need: Sendable {
        let name: Int
        let requirement: Requirement
    }

    /// A name that a package stands for, and the version in which it does.
    struct Offer: Sendable {
        let name: Int
        let version: PackageVersion?
    }

    /// A package that stands for a name, and the version in which it does.
    struct Provider: Sendable {
        let candidate: Int
        let version: PackageVersion?
    }

    /// A build that could be installed.
    struct Candidate: Sendable {
        let package: PackageIndex.Package
        /// The number of its own name.
        let name: Int
        let version: PackageVersion
        /// The first repository that lists it.
        let repository: Int
        let needs: [Need]
        let offers: [Offer]
        let triggers: [Need]
        let isInstallable: Bool
    }

    private(set) var names: [String] = []
    private(set) var candidates: [Candidate] = []
    /// By name: who stands for it, in the order in which the indexes list them.
    private(set) var providers: [[Provider]] = []
    /// By name: the names of packages that need or exclude it.
    private(set) var dependents: [[Int]] = []
    /// By name: the names of packages that are installed when it, and others, are there.
    private(set) var triggered: [[Int]] = []
    private var numbers: [String: Int] = [:]

    /// Takes indexes in the order in which apk is given their repositories.
    init(_ indexes: [PackageIndex], architecture: String) {
        var builds: Set<String> = []
        for (repository, index) in indexes.enumerated() {
            for package in index.packages {
                // apk takes packages of one identity for one and the same, wherever they are listed.
                guard package.identity.isEmpty || builds.insert(package.identity).inserted else { continue }
                add(package, repository, architecture)
            }
        }
        relate()
    }

    /// The number of a name, which it gets now where no package has it.
    mutating func number(_ name: String) -> Int {
        if let number = numbers[name] { return number }
        let number = names.count
        numbers[name] = number
        names.append(name)
        providers.append([])
        dependents.append([])
        triggered.append([])
        return number
    }

    private mutating func add(_ package: PackageIndex.Package, _ repository: Int, _ architecture: String) {
        let name = number(package.name)
        let needs = package.dependencies.map { Requirement($0) }
        let triggers = package.installIf.map { Requirement($0) }
        let isReadable = package.isUnderstood && !needs.contains { $0 == nil }
        let offers = package.provides.map { Offer(name: number($0.name), version: $0.version) }
        let candidate = Candidate(
            package: package, name: name, version: PackageVersion(asWritten: package.version), repository: repository,
            needs: needs.compactMap { $0 }.map { Need(name: number($0.name), requirement: $0) }, offers: offers,
            triggers: triggers.contains { $0 == nil }
                ? [] : triggers.compactMap { $0 }.map { Need(name: number($0.name), requirement: $0) },
            isInstallable: isReadable && ["", "noarch", architecture].contains(package.architecture))
        providers[name].append(Provider(candidate: candidates.count, version: candidate.version))
        for offer in offers {
            providers[offer.name].append(Provider(candidate: candidates.count, version: offer.version))
        }
        candidates.append(candidate)
    }

    /// Turns the needs round, name by name in the order in which apk goes through its table of names.
    private mutating func relate() {
        let order = names.indices.map { (Self.bucket(names[$0]), -$0) }.sorted { $0 < $1 }.map { -$0.1 }
        var lastDependent = [Int](repeating: -1, count: names.count)
        var lastTriggered = lastDependent
        for name in order {
            for provider in providers[name] {
                for need in candidates[provider.candidate].needs where lastDependent[need.name] != name {
                    lastDependent[need.name] = name
                    dependents[need.name].append(name)
                }
                for need in candidates[provider.candidate].triggers where lastTriggered[need.name] != name {
                    lastTriggered[need.name] = name
                    triggered[need.name].append(name)
                }
            }
        }
    }

    /// The place of a name in apk's table: MurmurHash3 (32 bits, Appleby) of the name, by 20,000 buckets.
    private static func bucket(_ name: String) -> UInt32 {
        func rotated(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }
        let bytes = Array(name.utf8)
        var hash: UInt32 = 5381
        var start = 0
        while start < bytes.count {
            let block = bytes[start..<min(start + 4, bytes.count)]
            var word: UInt32 = 0
            for (place, byte) in block.enumerated() { word |= UInt32(byte) << UInt32(8 * place) }
            hash ^= rotated(word &* 0xcc9e_2d51, 15) &* 0x1b87_3593
            if block.count == 4 { hash = rotated(hash, 13) &* 5 &+ 0xe654_6b64 }
            start += 4
        }
        hash ^= UInt32(truncatingIfNeeded: bytes.count)
        hash = (hash ^ hash >> 16) &* 0x85eb_ca6b
        hash = (hash ^ hash >> 13) &* 0xc2b2_ae35
        return (hash ^ hash >> 16) % 20_000
    }
}
