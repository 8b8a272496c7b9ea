/// Finds the packages that can never be installed because what they need is not there, whatever is chosen.
///
/// Exclusions and choices are left aside: what this eliminates, no solver can install. It goes outward from what is
/// absent, so that each package is eliminated by the shortest chain.
struct Elimination {
    typealias Need = PackageCatalog.Need

    /// Why a package is eliminated, and how many needs away the absent thing is.
    struct Cause {
        /// The need that fails; `nil` where apk cannot take the package by itself.
        let need: Need?
        let distance: Int
    }

    private let catalog: PackageCatalog
    private(set) var causes: [Int: Cause] = [:]

    init(_ catalog: PackageCatalog) { self.catalog = catalog }

    /// Eliminates among all that a world could lead to.
    mutating func run(from world: [Need]) {
        var reachable: [Int] = []
        var isReachable = [Bool](repeating: false, count: catalog.candidates.count)
        var isNamed = [Bool](repeating: false, count: catalog.names.count)
        var needers = [[(candidate: Int, need: Need)]](repeating: [], count: catalog.names.count)
        func reach(_ name: Int) {
            guard !isNamed[name] else { return }
            isNamed[name] = true
            for provider in catalog.providers[name] where !isReachable[provider.candidate] {
                isReachable[provider.candidate] = true
                reachable.append(provider.candidate)
            }
        }
        for need in world where !need.requirement.isExclusion { reach(need.name) }
        var next = 0
        while next < reachable.count {
            let candidate = reachable[next]
            next += 1
            for need in catalog.candidates[candidate].needs where !need.requirement.isExclusion {
                needers[need.name].append((candidate, need))
                reach(need.name)
            }
        }
        var eliminated: [Int] = []
        for candidate in reachable {
            if !catalog.candidates[candidate].isInstallable {
                causes[candidate] = Cause(need: nil, distance: 0)
            } else if let absent = catalog.candidates[candidate].needs.first(where: { fails($0) }) {
                causes[candidate] = Cause(need: absent, distance: 0)
            } else {
                continue
            }
            eliminated.append(candidate)
        }
        next = 0
        while next < eliminated.count {
            let candidate = catalog.candidates[eliminated[next]]
            let distance = (causes[eliminated[next]]?.distance ?? 0) + 1
            next += 1
            for name in [candidate.name] + candidate.offers.map(\.name) {
                for (needer, need) in needers[name] where causes[needer] == nil && fails(need) {
                    causes[needer] = Cause(need: need, distance: distance)
                    eliminated.append(needer)
                }
            }
        }
    }

    /// The packages whose version satisfies a need, eliminated or not.
    func matching(_ need: Need) -> [Int] {
        catalog.providers[need.name].filter { need.requirement.accepts($0.version) }.map(\.candidate)
    }

    /// Whether nothing that could be installed satisfies a need.
    func fails(_ need: Need) -> Bool {
        guard !need.requirement.isExclusion else { return false }
        return !catalog.providers[need.name].contains {
            causes[$0.candidate] == nil && need.requirement.accepts($0.version)
        }
    }

    /// How far what is absent is from a package.
    func distance(of candidate: Int) -> Int { causes[candidate]?.distance ?? .max }

    /// How far what is absent is from what satisfies a need.
    func distance(_ need: Need) -> Int { matching(need).map { distance(of: $0) + 1 }.min() ?? 0 }
}
