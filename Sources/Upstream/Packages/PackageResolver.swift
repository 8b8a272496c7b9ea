/// Finds what apk installs for a world, from indexes alone.
///
/// It decides as the solver of apk-tools 3 does: constraints are propagated down from the world and up from what can no
/// longer be satisfied, a choice that is made is never taken back, and what decides between packages is, in this order:
/// that it can be installed, that all others of the last choice need the same, the newest version of the name asked for,
/// its own newest version, `provider_priority`, the first repository. A name that is only provided without a version is
/// taken by itself only where the provider has a priority or is asked for by its own name. What `install_if` names is
/// installed when all of it is there. The rules are those of `apk-package(5)` and of apk's observed behaviour.
public struct PackageResolver: Sendable {
    /// A repository that apk will be given.
    public struct Repository: Hashable, Sendable {
        /// What to call it in messages and plans.
        public let name: String
        /// What it lists.
        public let index: PackageIndex

        /// Joins the two.
        public init(name: String, index: PackageIndex) {
            self.name = name
            self.index = index
        }
    }

    /// How much may be looked at, in comparisons of a requirement with a provider.
    public static let maximumWork = 20_000_000

    /// The repositories in the order in which apk is given them.
    public let repositories: [Repository]
    let catalog: PackageCatalog

    /// Takes the repositories in the order in which apk is given them; the first is preferred among equals.
    ///
    /// - Parameters:
    ///   - repositories: The repositories.
    ///   - architecture: Alpine's name of the processor; packages for others are never taken.
    public init(_ repositories: [Repository], architecture: String) {
        self.repositories = repositories
        catalog = PackageCatalog(repositories.map(\.index), architecture: architecture)
    }

    /// What apk installs into an empty root.
    ///
    /// - Parameter world: Words of `/etc/apk/world`, `apk-world(5)`; of several about one name the last counts.
    /// - Returns: The closure.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/unsatisfiable``, which says why as a chain of reasons, or
    ///   ``UpstreamError/Code/tooComplex`` where indexes were made to take long.
    public func resolve(world: [String]) throws(UpstreamError) -> PackageClosure {
        let words = try Self.requirements(world)
        var resolution = Resolution(catalog, world: words)
        guard resolution.run() else { throw Self.tooComplex }
        let closure = resolution.closure()
        guard resolution.errors == 0 else { throw try unsatisfiable(words, resolution) }
        return closure
    }

    static let tooComplex = UpstreamError(
        .tooComplex, subject: "packages", detail: "the repositories' indexes take more work than any of Alpine's do")

    /// The words in apk's order: by name without regard to case, the last of each name.
    private static func requirements(_ world: [String]) throws(UpstreamError) -> [Requirement] {
        var byName: [String: Requirement] = [:]
        for word in world {
            guard let entry = WorldEntry(word) else {
                throw UpstreamError(
                    .unsatisfiable, subject: "packages",
                    detail: "\(String(reflecting: word)) is no word of a world; write NAME, NAME=VERSION or !NAME")
            }
            byName[entry.name] = Requirement(entry)
        }
        func folded(_ name: String) -> [UInt8] {
            name.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        }
        return byName.values.sorted { left, right in
            let (a, b) = (folded(left.name), folded(right.name))
            return a == b
                ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8) : a.lexicographicallyPrecedes(b)
        }
    }
}
