/// One run of the resolver: what is known of every name and package while the world is being worked out.
///
/// It goes in steps. ``discover()`` ranks the names that the world can lead to; ``constrain(_:by:)`` applies one
/// requirement; ``review(_:)`` draws what follows for a name from what has changed around it; ``choose(_:)`` decides a
/// name for good.
struct Resolution {
    typealias Provider = PackageCatalog.Provider
    typealias Need = PackageCatalog.Need

    /// What is known of a name.
    struct NameState {
        var isDiscovered = false
        var rank = 0
        /// How many ask for it.
        var requirers = 0
        /// Whether it is decided, and for whom; nobody where that is `nil`.
        var isDecided = false
        var choice: Provider?
        var isToReview = false
        /// Whether the needs of its providers, or what triggers them, have to be looked at again.
        var haveNeedsChanged = false
        var haveTriggersChanged = false
        /// Whether a provider is to be installed because of what else is, or none ever will be.
        var isTriggered = false
        var cannotBeTriggered = false
        /// Whether a trigger waits for this name to be decided against.
        var isAwaited = false
        var hasChoice = false
        var isSelectable = false
        var areDependentsDecided = false
        /// How many of the providers under review share it as a need, and as a name.
        var sharedNeed = 0
        var sharedOffer = 0
        var isSharedWithoutVersion = false
    }

    /// What is known of a package.
    struct CandidateState {
        var isDiscovered = false
        var isPossible = false
        /// How many requirements it goes against.
        var conflicts = 0
        var wasInLastReview = false
        var isInReview = false
        var isTriggered = false
        var cannotBeTriggered = false
        var isBroken = false
    }

    /// Why a package cannot be taken.
    enum Obstacle {
        /// Somebody's requirement excludes it; the world's where there is no package.
        case excluded(by: Int?, Requirement)
        /// Something that it needs can no longer be had.
        case lacks(Requirement)
        /// Another package has been taken for a name that both stand for.
        case displaced(by: Int, name: Int)
        /// All that can be taken for one name stands for another one as well, and this package does not.
        case outsider(name: Int)
    }

    var catalog: PackageCatalog
    let world: [Need]
    var names: [NameState]
    var packages: [CandidateState]
    var queue: NameQueue
    var toReview: [Int] = []
    var nextToReview = 0
    var work = 0
    /// How many packages or names came out wrong; more than none and there is no solution.
    var errors = 0
    /// Who asked for a name first: a package, or the world.
    var firstRequirer: [Int: (candidate: Int?, requirement: Requirement)] = [:]
    /// The first obstacle of each package that has one.
    var obstacles: [Int: Obstacle] = [:]
    /// The packages that had to be taken although they cannot be, and names without any, in the order found.
    var failures: [Failure] = []

    /// What went wrong.
    enum Failure {
        case package(Int)
        case name(Int)
    }

    init(_ catalog: PackageCatalog, world: [Requirement]) {
        var catalog = catalog
        self.world = world.map { Need(name: catalog.number($0.name), requirement: $0) }
        names = [NameState](repeating: NameState(), count: catalog.names.count)
        packages = [CandidateState](repeating: CandidateState(), count: catalog.candidates.count)
        queue = NameQueue(count: catalog.names.count)
        self.catalog = catalog
    }

    private var isOverworked: Bool { work > PackageResolver.maximumWork }

    /// Decides every name that the world leads to.
    ///
    /// - Returns: `false` when that takes too much.
    mutating func run() -> Bool {
        discover()
        for need in world { constrain(need, by: nil) }
        while !isOverworked {
            if nextToReview < toReview.count {
                let name = toReview[nextToReview]
                nextToReview += 1
                names[name].isToReview = false
                if !names[name].isDecided { review(name) }
            } else if let name = queue.next() {
                if !names[name].isDecided { choose(name) }
            } else {
                return true
            }
        }
        return false
    }

    /// Whether a provider, or that there is none, satisfies a need of a package, or of the world.
    mutating func isMet(_ need: Need, of candidate: Int?, by provider: Provider?) -> Bool {
        work += 1
        guard let provider else { return need.requirement.isExclusion }
        if need.requirement.isExclusion, let candidate, candidate == provider.candidate { return true }
        return need.requirement.accepts(provider.version)
    }

    /// Applies a requirement of a package, or of the world, to all that could satisfy it.
    mutating func constrain(_ need: Need, by candidate: Int?) {
        if !need.requirement.isExclusion {
            names[need.name].requirers += 1
            if names[need.name].requirers == 1 {
                firstRequirer[need.name] = (candidate, need.requirement)
                requirersAppeared(need.name)
            }
        }
        for provider in catalog.providers[need.name] where !isMet(need, of: candidate, by: provider) {
            packages[provider.candidate].conflicts += 1
            if packages[provider.candidate].isPossible {
                rule(out: provider.candidate, .excluded(by: candidate, need.requirement))
            }
        }
    }

    mutating func requirersAppeared(_ name: Int) {
        enqueue(name)
        reconsiderTriggered(by: name)
        markForReview(name)
    }

    /// Makes a package one that cannot be taken any more, and has all reviewed that this may touch.
    mutating func rule(out candidate: Int, _ obstacle: Obstacle) {
        guard !isOverworked else { return }
        packages[candidate].isPossible = false
        if obstacles[candidate] == nil { obstacles[candidate] = obstacle }
        reconsiderDependents(of: catalog.candidates[candidate].name)
        for offer in catalog.candidates[candidate].offers { reconsiderDependents(of: offer.name) }
        reconsiderTriggered(byCandidate: candidate)
    }

    mutating func reconsiderDependents(of name: Int) {
        for dependent in catalog.dependents[name] where names[dependent].isDiscovered {
            work += 1
            names[dependent].haveNeedsChanged = true
            markForReview(dependent)
        }
    }

    mutating func reconsiderTriggered(by name: Int) {
        for other in catalog.triggered[name] where names[other].isDiscovered && !names[other].cannotBeTriggered {
            work += 1
            names[other].haveTriggersChanged = true
            markForReview(other)
        }
    }

    mutating func reconsiderTriggered(byCandidate candidate: Int) {
        reconsiderTriggered(by: catalog.candidates[candidate].name)
        for offer in catalog.candidates[candidate].offers { reconsiderTriggered(by: offer.name) }
    }

    private mutating func markForReview(_ name: Int) {
        let state = names[name]
        guard !state.isToReview, !state.isDecided, state.requirers > 0 || state.haveTriggersChanged else { return }
        names[name].isToReview = true
        toReview.append(name)
    }

    /// Lines a name up to be decided, or moves it to where it belongs by now.
    mutating func enqueue(_ name: Int, hasMoved: Bool = false) {
        let state = names[name]
        guard !state.isDecided else { return }
        let isSettled =
            state.areDependentsDecided && state.requirers > 0 && state.isSelectable && !state.hasChoice
        if queue.holds(name) {
            guard !queue.isSettled(name), isSettled || hasMoved else { return }
            queue.remove(name, rank: state.rank)
        } else {
            guard state.requirers > 0 || state.isTriggered || state.isAwaited else { return }
        }
        if isSettled {
            queue.insertSettled(name)
        } else {
            queue.insert(name, rank: state.rank, isSelectable: state.isSelectable)
        }
    }

    /// Whether a provider may be taken for a name without being asked for by its own.
    func isSelectable(_ provider: Provider) -> Bool {
        let candidate = catalog.candidates[provider.candidate]
        return provider.version != nil || candidate.package.providerPriority != 0
            || names[candidate.name].requirers > 0
    }
}
