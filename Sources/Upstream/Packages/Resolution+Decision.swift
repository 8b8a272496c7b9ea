extension Resolution {
    /// Draws what follows for a name from what has changed around it.
    ///
    /// Providers whose needs cannot be satisfied fall away. What all that are left need is needed, whichever of them it
    /// will be; names that all of them stand for can go to nobody else.
    mutating func review(_ name: Int) {
        let haveNeedsChanged = names[name].haveNeedsChanged
        let haveTriggersChanged = names[name].haveTriggersChanged
        names[name].haveNeedsChanged = false
        names[name].haveTriggersChanged = false

        var options = 0
        var first: Int?
        var isTriggered = false
        var cannotBeTriggered = true
        var isSelectable = false
        for provider in catalog.providers[name] {
            let number = provider.candidate
            work += 1
            packages[number].isInReview = false
            if haveNeedsChanged, packages[number].isPossible, let lacking = lackingNeed(of: number) {
                rule(out: number, .lacks(lacking))
            }
            guard packages[number].isPossible else { continue }
            if haveTriggersChanged { reviewTriggers(of: number) }
            isTriggered = isTriggered || packages[number].isTriggered
            cannotBeTriggered = cannotBeTriggered && packages[number].cannotBeTriggered
            isSelectable = isSelectable || packages[number].isTriggered
            guard names[name].requirers > 0 else { continue }
            packages[number].isInReview = true
            if first == nil { first = number }
            share(number, among: options, isVersioned: provider.version != nil)
            options += 1
            isSelectable = isSelectable || self.isSelectable(provider)
        }
        names[name].hasChoice = options > 1
        names[name].isTriggered = isTriggered
        names[name].cannotBeTriggered = cannotBeTriggered
        let hasMoved = isSelectable != names[name].isSelectable
        names[name].isSelectable = isSelectable
        if let first {
            for provider in catalog.providers[name] {
                packages[provider.candidate].wasInLastReview = packages[provider.candidate].isInReview
            }
            applyShared(first, of: name, options: options)
        }
        names[name].areDependentsDecided = !catalog.dependents[name].contains {
            names[$0].isDiscovered && !names[$0].isDecided
        }
        enqueue(name, hasMoved: hasMoved)
    }

    /// The first need of a package that nothing can satisfy any more.
    private mutating func lackingNeed(of candidate: Int) -> Requirement? {
        catalog.candidates[candidate].needs.first { !canMeet($0, of: candidate) }?.requirement
    }

    private mutating func canMeet(_ need: Need, of candidate: Int) -> Bool {
        let state = names[need.name]
        if state.isDecided { return isMet(need, of: candidate, by: state.choice) }
        if state.requirers == 0, need.requirement.isExclusion { return true }
        for provider in catalog.providers[need.name]
        where packages[provider.candidate].isPossible && isMet(need, of: candidate, by: provider) {
            return true
        }
        return false
    }

    /// Looks whether all that triggers a package is there by now, or whether that can no longer be.
    private mutating func reviewTriggers(of candidate: Int) {
        guard !packages[candidate].isTriggered, !packages[candidate].cannotBeTriggered else { return }
        for need in catalog.candidates[candidate].triggers {
            guard names[need.name].isDecided else {
                if need.requirement.isExclusion {
                    names[need.name].isAwaited = true
                    enqueue(need.name)
                }
                return
            }
            guard isMet(need, of: candidate, by: names[need.name].choice) else {
                packages[candidate].cannotBeTriggered = true
                return
            }
        }
        packages[candidate].isTriggered = true
    }

    /// Counts what a provider has in common with all those before it.
    private mutating func share(_ candidate: Int, among options: Int, isVersioned: Bool) {
        let package = catalog.candidates[candidate]
        work += package.needs.count + package.offers.count
        for need in package.needs where !need.requirement.isExclusion && names[need.name].sharedNeed == options {
            names[need.name].sharedNeed = options + 1
        }
        func count(_ name: Int, isVersioned: Bool) {
            guard names[name].sharedOffer == options else { return }
            names[name].sharedOffer = options + 1
            if !isVersioned { names[name].isSharedWithoutVersion = true }
        }
        count(package.name, isVersioned: isVersioned)
        for offer in package.offers { count(offer.name, isVersioned: offer.version != nil) }
    }

    /// Draws what follows from what all providers of a name have in common; the first of them has all of that.
    private mutating func applyShared(_ candidate: Int, of name: Int, options: Int) {
        let package = catalog.candidates[candidate]
        for need in package.needs {
            let isShared = names[need.name].sharedNeed == options
            if options == 1 || names[need.name].requirers == 0 || !isShared { names[need.name].sharedNeed = 0 }
            guard isShared else { continue }
            if options == 1 {
                constrain(need, by: candidate)
            } else {
                names[need.name].sharedNeed = 0
                guard names[need.name].requirers == 0 else { continue }
                // One of them will need it, in which version is not known yet.
                names[need.name].requirers = 1
                firstRequirer[need.name] = (candidate, need.requirement)
                requirersAppeared(need.name)
            }
        }
        for offered in [package.name] + package.offers.map(\.name) {
            let isShared = names[offered].sharedOffer == options
            names[offered].sharedOffer = 0
            if isShared {
                excludeOutsiders(from: offered, to: name, sparingVirtual: names[offered].isSharedWithoutVersion)
            }
        }
        names[package.name].isSharedWithoutVersion = false
        for offer in package.offers { names[offer.name].isSharedWithoutVersion = false }
    }

    /// Rules out what stands for a name that will be taken, unless it stands for the name that takes it.
    private mutating func excludeOutsiders(from offered: Int, to name: Int, sparingVirtual: Bool) {
        guard offered != name else { return }
        for provider in catalog.providers[offered] where packages[provider.candidate].isPossible {
            let package = catalog.candidates[provider.candidate]
            work += package.offers.count + 1
            let isSpared =
                package.name == name || (sparingVirtual && provider.version == nil)
                || package.offers.contains { $0.name == name || (sparingVirtual && $0.version == nil) }
            if !isSpared { rule(out: provider.candidate, .outsider(name: name)) }
        }
    }

    /// Decides a name for good, and with it all names that the chosen package stands for.
    mutating func choose(_ name: Int) {
        var best: Provider?
        let isAsked = names[name].requirers > 0
        if isAsked || names[name].isTriggered {
            for provider in catalog.providers[name] {
                let state = packages[provider.candidate]
                work += 1
                guard isAsked || (state.isTriggered && state.isPossible), isSelectable(provider) else { continue }
                if best.map({ isPreferred(provider, to: $0) }) ?? true { best = provider }
            }
        }
        guard let best else {
            decide(name, for: nil)
            if isAsked {
                errors += 1
                failures.append(.name(name))
            }
            return
        }
        let number = best.candidate
        let package = catalog.candidates[number]
        if !packages[number].isPossible { markBroken(number) }
        decide(package.name, for: Provider(candidate: number, version: package.version))
        for offer in package.offers { decide(offer.name, for: Provider(candidate: number, version: offer.version)) }
        for need in package.needs { constrain(need, by: number) }
    }

    mutating func markBroken(_ candidate: Int) {
        guard !packages[candidate].isBroken else { return }
        packages[candidate].isBroken = true
        errors += 1
        failures.append(.package(candidate))
    }

    private mutating func decide(_ name: Int, for provider: Provider?) {
        if names[name].isDecided {
            // Several packages may stand for one name as long as none of them does so in a version.
            guard provider?.version != nil || names[name].choice?.version != nil else { return }
            for candidate in [provider?.candidate, names[name].choice?.candidate].compactMap({ $0 }) {
                if let other = names[name].choice?.candidate, obstacles[candidate] == nil {
                    obstacles[candidate] = .displaced(by: other, name: name)
                }
                markBroken(candidate)
            }
            return
        }
        names[name].isDecided = true
        names[name].choice = provider
        queue.remove(name, rank: names[name].rank)
        if let provider, names[name].requirers == 0, packages[provider.candidate].isTriggered {
            for need in catalog.candidates[provider.candidate].triggers where !names[need.name].isDecided {
                constrain(need, by: provider.candidate)
            }
        }
        for other in catalog.providers[name] where other.candidate != provider?.candidate {
            if let provider {
                guard provider.version != nil || other.version != nil else { continue }
                rule(out: other.candidate, .displaced(by: provider.candidate, name: name))
            } else if other.version != nil {
                rule(out: other.candidate, .outsider(name: name))
            }
        }
        reconsiderDependents(of: name)
        if let provider {
            reconsiderTriggered(byCandidate: provider.candidate)
        } else {
            reconsiderTriggered(by: name)
        }
    }

    /// Whether one provider of a name is to be taken rather than another.
    private func isPreferred(_ left: Provider, to right: Provider) -> Bool {
        let (a, b) = (packages[left.candidate], packages[right.candidate])
        if a.isPossible != b.isPossible { return a.isPossible }
        if a.wasInLastReview != b.wasInLastReview { return a.wasInLastReview }
        if a.conflicts != b.conflicts { return a.conflicts < b.conflicts }
        if (left.version == nil) != (right.version == nil) { return left.version != nil }
        if let new = left.version, let old = right.version {
            let order = new.compared(to: old)
            if order != 0 { return order > 0 }
        }
        let (new, old) = (catalog.candidates[left.candidate], catalog.candidates[right.candidate])
        if new.name == old.name {
            let order = new.version.compared(to: old.version)
            if order != 0 { return order > 0 }
        }
        if new.package.providerPriority != old.package.providerPriority {
            return new.package.providerPriority > old.package.providerPriority
        }
        return new.repository < old.repository
    }
}
