internal import Node

extension PackageResolver {
    /// Says why no set of packages satisfies a world, by the shortest chain of reasons.
    ///
    /// What cannot be had at all is told before what excludes each other: a package that nothing provides explains more
    /// than what apk tried instead.
    func unsatisfiable(_ world: [Requirement], _ resolution: Resolution) throws(UpstreamError) -> UpstreamError {
        func error(_ detail: String) -> UpstreamError {
            UpstreamError(.unsatisfiable, subject: "packages", detail: detail)
        }
        if let chain = missing(world, resolution) { return error("the world needs \(chain)") }
        let words = try smallestFailing(world)
        var small = Resolution(catalog, world: words)
        guard small.run() else { throw Self.tooComplex }
        _ = small.closure()
        let reasons = small.failures.lazy.compactMap { explanation(of: $0, small) }
        let reason = reasons.first ?? "apk finds no way to install \(words.map(\.text).joined(separator: ", "))"
        guard words.count > 1 else { return error(reason) }
        let names = words.map(\.text).joined(separator: " and ")
        return error("the world cannot have \(names) together: \(reason)")
    }

    // MARK: What is not there

    /// The shortest chain from the world to what nothing provides.
    private func missing(_ world: [Requirement], _ resolution: Resolution) -> String? {
        let catalog = resolution.catalog
        var elimination = Elimination(catalog)
        elimination.run(from: resolution.world)
        let failing = resolution.world.filter { elimination.fails($0) }
        guard let first = failing.min(by: { elimination.distance($0) < elimination.distance($1) }) else { return nil }
        var text = ""
        var need = first
        while true {
            text += need.requirement.text
            let providers = elimination.matching(need)
            guard
                let next = providers.min(by: { elimination.distance(of: $0) < elimination.distance(of: $1) }),
                let cause = elimination.causes[next]
            else { return text + absence(of: need, catalog) }
            let package = catalog.candidates[next].package
            if package.name != need.requirement.name { text += " (by \(package.name)-\(package.version))" }
            if providers.count > 1 { text += " (as do the \(providers.count - 1) others that could be taken)" }
            guard let lacking = cause.need else {
                return text + ", and \(package.fileName) \(unreadable(package))"
            }
            text += ", which needs "
            need = lacking
        }
    }

    private func unreadable(_ package: PackageIndex.Package) -> String {
        package.isUnderstood && package.dependencies.allSatisfy { Requirement($0) != nil }
            ? "is for \(package.architecture)" : "says something in the index that apk cannot read"
    }

    /// ", which nothing in A or B provides; nearest: NAME-VERSION in A".
    private func absence(of need: PackageCatalog.Need, _ catalog: PackageCatalog) -> String {
        let places = repositories.map(\.name).joined(separator: " or ")
        let others = catalog.providers[need.name].sorted { left, right in
            guard let a = left.version, let b = right.version else { return left.version != nil }
            return a.compared(to: b) > 0
        }
        if let other = others.first {
            let candidate = catalog.candidates[other.candidate]
            return ", which nothing in \(places) provides; nearest: "
                + "\(need.requirement.name) \(other.version?.text ?? "without a version") of "
                + "\(candidate.package.name)-\(candidate.package.version) in \(repositories[candidate.repository].name)"
        }
        let known = catalog.candidates.lazy.map(\.package.name)
        guard
            let name = NearestWord.find(need.requirement.name, among: known, orKin: .hyphenated),
            let candidate = catalog.candidates.first(where: { $0.package.name == name })
        else { return ", which nothing in \(places) provides" }
        return ", which nothing in \(places) provides; nearest: \(name)-\(candidate.package.version) in "
            + repositories[candidate.repository].name
    }

    // MARK: What excludes each other

    /// The words without which a world would still fail left out, one after the other.
    private func smallestFailing(_ world: [Requirement]) throws(UpstreamError) -> [Requirement] {
        var words = world
        var work = 0
        for word in world where words.count > 1 && work < Self.maximumWork {
            let fewer = words.filter { $0 != word }
            var resolution = Resolution(catalog, world: fewer)
            guard resolution.run() else { throw Self.tooComplex }
            _ = resolution.closure()
            work += resolution.work
            if resolution.errors > 0 { words = fewer }
        }
        return words
    }

    private func explanation(of failure: Resolution.Failure, _ resolution: Resolution) -> String? {
        let catalog = resolution.catalog
        func title(_ candidate: Int) -> String {
            "\(catalog.candidates[candidate].package.name)-\(catalog.candidates[candidate].package.version)"
        }
        switch failure {
        case .name(let name):
            let providers = catalog.providers[name].filter { !resolution.isSelectable($0) }
            let names = Set(providers.map { catalog.candidates[$0.candidate].package.name }).sorted()
            guard !names.isEmpty else { return nil }
            let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
            return "\(resolution.chain(to: name)) is provided by \(shown), of which apk takes none unasked; "
                + "name the one that is meant in the world"
        case .package(let candidate):
            let wanted = resolution.chain(toCandidate: candidate)
            switch resolution.obstacles[candidate] {
            case .excluded(let requirer, let requirement):
                return "\(wanted), and \(resolution.origin(of: requirement, by: requirer)) exclude each other"
            case .lacks(let requirement):
                let need = requirement.isExclusion ? "excludes" : "needs"
                let text = "\(wanted), which \(need) \(requirement.text.drop { $0 == "!" }), "
                return text + "but "
                    + (resolution.hindrance(to: requirement) ?? "nothing satisfies that beside the rest")
            case .displaced(let other, let name) where other != candidate:
                return "\(wanted) would be \(title(candidate)), but \(resolution.chain(toCandidate: other)) is "
                    + "\(title(other)), and both stand for \(catalog.names[name])"
            case .displaced(_, let name):
                return "\(wanted) stands for \(catalog.names[name]) twice"
            case .outsider(let name):
                return "\(wanted) would be \(title(candidate)), which does not stand for \(catalog.names[name])"
            case nil: return nil
            }
        }
    }
}

extension Resolution {
    /// Where a requirement comes from, and what it says: "a, which needs b=1".
    fileprivate func origin(of requirement: Requirement, by requirer: Int?) -> String {
        requirer.map { "\(chain(toCandidate: $0)), which needs \(requirement.text)" }
            ?? "the world's own \(requirement.text)"
    }

    /// What keeps those out that would satisfy a requirement, or what brings in that which it excludes.
    fileprivate func hindrance(to requirement: Requirement) -> String? {
        guard let name = catalog.names.firstIndex(of: requirement.name) else { return nil }
        if requirement.isExclusion {
            guard let choice = names[name].choice?.candidate else { return nil }
            return "\(chain(toCandidate: choice)) is there"
        }
        for provider in catalog.providers[name] where requirement.accepts(provider.version) {
            let title = catalog.candidates[provider.candidate].package.name
            switch obstacles[provider.candidate] {
            case .excluded(let requirer, let other): return "\(origin(of: other, by: requirer)) rules that out"
            case .displaced(let other, let shared):
                return "\(chain(toCandidate: other)) stands for \(catalog.names[shared]) in place of \(title)"
            case .lacks(let other): return "\(title) would need \(other.text) in turn"
            case .outsider, nil: continue
            }
        }
        return nil
    }

    /// "a, which needs b, which needs c" for a package, from the word of the world that leads to it.
    fileprivate func chain(toCandidate candidate: Int) -> String {
        let package = catalog.candidates[candidate]
        let name = ([package.name] + package.offers.map(\.name)).first { firstRequirer[$0] != nil }
        guard let name else {
            return package.triggers.isEmpty
                ? package.package.name
                : "\(package.package.name), which comes with "
                    + package.triggers.map(\.requirement.text).joined(separator: " and ")
        }
        return chain(to: name)
    }

    fileprivate func chain(to name: Int) -> String {
        var words: [String] = []
        var seen: Set<Int> = []
        var current = name
        while let (candidate, requirement) = firstRequirer[current], seen.insert(current).inserted, words.count < 32 {
            words.append(requirement.text)
            guard let candidate else { break }
            let package = catalog.candidates[candidate]
            guard let next = ([package.name] + package.offers.map(\.name)).first(where: { firstRequirer[$0] != nil })
            else {
                words.append(package.package.name)
                break
            }
            current = next
        }
        return words.reversed().joined(separator: ", which needs ")
    }
}
