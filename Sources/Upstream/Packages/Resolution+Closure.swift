extension Resolution {
    /// Collects what the world takes of what was decided, and finds what came out wrong in it.
    ///
    /// Breadth first, so that each package's reason is the nearest to the world.
    mutating func closure() -> PackageClosure {
        var members: [PackageClosure.Member] = []
        var isReached = [Bool](repeating: false, count: names.count)
        var reached: [Int] = []
        var isMember = [Bool](repeating: false, count: packages.count)
        func take(_ name: Int, _ reason: PackageClosure.Reason) {
            isReached[name] = true
            guard let number = names[name].choice?.candidate, !isMember[number] else { return }
            isMember[number] = true
            let candidate = catalog.candidates[number]
            isReached[candidate.name] = true
            for offer in candidate.offers { isReached[offer.name] = true }
            reached.append(number)
            members.append(
                PackageClosure.Member(package: candidate.package, repository: candidate.repository, reason: reason))
        }
        // What is excluded in some versions may be there in another one, and apk follows that word as any other.
        for need in world {
            take(need.name, .world(word: need.requirement.text))
        }
        var next = 0
        while next < reached.count {
            let number = reached[next]
            next += 1
            let candidate = catalog.candidates[number]
            for need in candidate.needs {
                if !isMet(need, of: number, by: names[need.name].choice) {
                    if obstacles[number] == nil { obstacles[number] = .lacks(need.requirement) }
                    markBroken(number)
                }
                take(need.name, .need(package: candidate.package.name, word: need.requirement.text))
            }
            for name in [candidate.name] + candidate.offers.map(\.name) {
                for other in catalog.triggered[name] where names[other].isDiscovered && !isReached[other] {
                    guard let choice = names[other].choice?.candidate else { continue }
                    let triggers = catalog.candidates[choice].triggers
                    var isPresent = !triggers.isEmpty
                    for need in triggers where isPresent {
                        isPresent =
                            (need.requirement.isExclusion || isReached[need.name])
                            && isMet(need, of: choice, by: names[need.name].choice)
                    }
                    if isPresent { take(other, .presence(of: triggers.map(\.requirement.text))) }
                }
            }
        }
        members.sort { $0.package.name.utf8.lexicographicallyPrecedes($1.package.name.utf8) }
        return PackageClosure(members: members)
    }
}
