extension Resolution {
    /// A name that is being visited, and how far that has come.
    private struct Visit {
        let name: Int
        var stage = Stage.needs
        var provider = 0
        var item = 0

        init(_ name: Int) { self.name = name }
    }

    private enum Stage { case needs, triggered, neighbours, triggers, done }

    /// Ranks every name that the world can lead to.
    ///
    /// A name comes after what its providers need, and so is decided before it: what stands nearer to the world has the
    /// higher rank. Names of the world rank above all others, and names that packages have of their own above names that
    /// are only provided. The walk keeps its own stack, for indexes may chain names as deep as they are long.
    mutating func discover() {
        let asked = Set(world.map(\.name))
        var count = 0
        for need in world where !names[need.name].isDiscovered {
            var stack = [begin(need.name)]
            while var visit = stack.popLast() {
                let stage = visit.stage
                let next = advance(&visit)
                if stage == .neighbours, visit.stage == .triggers {
                    count += 1
                    names[visit.name].rank = rank(visit.name, count, isAsked: asked.contains(visit.name))
                }
                if visit.stage != .done { stack.append(visit) }
                if let next, !names[next].isDiscovered { stack.append(begin(next)) }
            }
        }
    }

    private mutating func begin(_ name: Int) -> Visit {
        names[name].isDiscovered = true
        names[name].cannotBeTriggered = true
        return Visit(name)
    }

    private func rank(_ name: Int, _ count: Int, isAsked: Bool) -> Int {
        let hasOwn = catalog.providers[name].contains { catalog.candidates[$0.candidate].name == name }
        return count + (hasOwn ? 1 << 30 : 0) - (isAsked ? 0 : 1 << 31)
    }

    /// The next name that a visit leads to; `nil` where only the stage has changed.
    private mutating func advance(_ visit: inout Visit) -> Int? {
        work += 1
        let providers = catalog.providers[visit.name]
        switch visit.stage {
        case .needs:
            guard visit.provider < providers.count else { return enter(.triggered, &visit) }
            let number = providers[visit.provider].candidate
            let candidate = catalog.candidates[number]
            if visit.item == 0 {
                guard !packages[number].isDiscovered else { return skip(number, &visit) }
                packages[number].isDiscovered = true
                packages[number].isPossible = candidate.isInstallable
                packages[number].cannotBeTriggered = candidate.triggers.isEmpty
            }
            guard visit.item < candidate.needs.count else { return skip(number, &visit) }
            visit.item += 1
            return candidate.needs[visit.item - 1].name
        case .triggered:
            guard visit.item < catalog.triggered[visit.name].count else { return enter(.neighbours, &visit) }
            visit.item += 1
            return catalog.triggered[visit.name][visit.item - 1]
        case .neighbours:
            guard visit.provider < providers.count else { return enter(.triggers, &visit) }
            let candidate = catalog.candidates[providers[visit.provider].candidate]
            let triggered = catalog.triggered[candidate.name]
            guard visit.item < triggered.count + candidate.offers.count else { return step(&visit) }
            visit.item += 1
            return visit.item <= triggered.count
                ? triggered[visit.item - 1] : candidate.offers[visit.item - 1 - triggered.count].name
        case .triggers:
            guard visit.provider < providers.count else { return enter(.done, &visit) }
            let triggers = catalog.candidates[providers[visit.provider].candidate].triggers
            guard visit.item < triggers.count else { return step(&visit) }
            visit.item += 1
            return triggers[visit.item - 1].name
        case .done: return nil
        }
    }

    private func enter(_ stage: Stage, _ visit: inout Visit) -> Int? {
        visit.stage = stage
        visit.provider = 0
        visit.item = 0
        return nil
    }

    private func step(_ visit: inout Visit) -> Int? {
        visit.provider += 1
        visit.item = 0
        return nil
    }

    /// Leaves a provider whose needs are known.
    private mutating func skip(_ candidate: Int, _ visit: inout Visit) -> Int? {
        names[visit.name].cannotBeTriggered =
            names[visit.name].cannotBeTriggered && packages[candidate].cannotBeTriggered
        return step(&visit)
    }
}
