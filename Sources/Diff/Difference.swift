internal import Artefact
public import Bundle

/// What differs between two sides, each difference once, and what going back would mean for the data of a node.
public struct Difference: Sendable {
    /// One thing that differs.
    public struct Change: Hashable, Sendable, Encodable {
        /// The part of a node that it belongs to, one of the words of ``Section``.
        public let section: String
        /// What differs: a path, the name of a package, a service.
        public let item: String
        /// What it was; `nil` where it is new.
        public let old: String?
        /// What it is; `nil` where it is gone.
        public let new: String?
        /// The lines that differ of a small text that is no secret, as a unified diff, where they were asked for.
        public let lines: [String]?
    }

    /// The names of the sections, in the order shown; trees follow as `files of the overlay`.
    public enum Section: String, CaseIterable, Sendable {
        /// Facts of the whole.
        case about
        /// Words of kernel command lines.
        case arguments = "kernel arguments"
        /// Services by runlevel.
        case services
        /// Words of the world.
        case world
        /// Packages with their versions.
        case packages
        /// The files of a bundle.
        case artefacts
    }

    /// What is compared.
    public let sides: (a: Side, b: Side)
    /// All that differs.
    public let changes: [Change]
    /// The parts that only one side tells of or nobody looked into, and so are not compared.
    public let notCompared: [String]
    /// What going from the newer side back to the older one means, where both are bundles or plans.
    public let verdict: RollbackVerdict?
    /// Which side is the newer one: the first exactly where its version is the higher one.
    public let isFirstNewer: Bool

    /// Whether nothing differs.
    public var isEqual: Bool { changes.isEmpty }

    /// Compares.
    ///
    /// - Parameters:
    ///   - a: The first side.
    ///   - b: The second side.
    ///   - showsText: Whether small texts are compared line by line.
    public init(_ a: Side, _ b: Side, showsText: Bool) {
        var changes: [Change] = []
        var notCompared: [String] = []
        func compare<Part>(_ section: String, _ left: Part?, _ right: Part?, _ body: (Part, Part) -> [Change]) {
            switch (left, right) {
            case (let left?, let right?): changes += body(left, right)
            case (nil, nil): break
            default: notCompared.append(section)
            }
        }
        func words(_ section: Section, _ left: [String], _ right: [String], of item: String? = nil) -> [Change] {
            Self.words(left, right).map { word, isNew in
                let name = item.map { "\($0): \(word)" } ?? word
                return Change(
                    section: section.rawValue, item: name, old: isNew ? nil : word, new: isNew ? word : nil, lines: nil)
            }
        }
        compare(
            Section.about.rawValue, a.facts.isEmpty ? nil : a.facts, b.facts.isEmpty ? nil : b.facts
        ) { left, right in
            let (before, after) = (Self.values(left), Self.values(right))
            return (left + right.filter { before[$0.name] == nil }).map(\.name).compactMap { name in
                let (old, new) = (before[name], after[name])
                return old == new
                    ? nil : Change(section: Section.about.rawValue, item: name, old: old, new: new, lines: nil)
            }
        }
        compare(Section.arguments.rawValue, a.arguments, b.arguments) { left, right in
            Set(left.keys).union(right.keys).sorted().flatMap { entry -> [Change] in
                let (old, new) = (left[entry] ?? [], right[entry] ?? [])
                let changed = words(.arguments, old, new, of: entry)
                guard changed.isEmpty, old != new else { return changed }
                return [
                    Change(
                        section: Section.arguments.rawValue, item: entry, old: old.joined(separator: " "),
                        new: new.joined(separator: " "), lines: nil)
                ]
            }
        }
        compare(Section.services.rawValue, a.services, b.services) { left, right in
            Set(left.keys).union(right.keys).sorted().flatMap { level in
                words(.services, left[level] ?? [], right[level] ?? [], of: level)
            }
        }
        compare(Section.world.rawValue, a.world, b.world) { left, right in words(.world, left, right) }
        compare(Section.packages.rawValue, a.packages, b.packages) { left, right in
            Self.values(.packages, left, right)
        }
        compare(Section.artefacts.rawValue, a.artefacts, b.artefacts) { left, right in
            let line = { (file: (size: UInt64, digest: Digest)) in
                "\(file.size) bytes, sha256 \(file.digest.hex.prefix(16))…"
            }
            return Self.values(.artefacts, left.mapValues(line), right.mapValues(line))
        }
        for tree in Set(a.trees.keys).union(b.trees.keys).sorted() {
            compare("files of the \(tree)", a.trees[tree], b.trees[tree]) { left, right in
                Self.files("files of the \(tree)", left.files, right.files, showsText: showsText)
            }
        }
        sides = (a, b)
        self.changes = changes
        self.notCompared = notCompared + a.unread + b.unread
        isFirstNewer =
            a.description.flatMap { first in b.description.map { first.version > $0.version } } ?? false
        let (newer, older) = isFirstNewer ? (a, b) : (b, a)
        verdict = newer.description.flatMap { present in
            older.description.map { RollbackVerdict(leaving: present, for: $0) }
        }
    }

    private static func values(_ facts: [(name: String, value: String)]) -> [String: String] {
        Dictionary(facts.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// The words that only one side has, as often as it has more of them, in their order.
    private static func words(_ left: [String], _ right: [String]) -> [(word: String, isNew: Bool)] {
        var counts: [String: Int] = [:]
        for word in right { counts[word, default: 0] += 1 }
        var found: [(String, Bool)] = []
        for word in left {
            if let count = counts[word], count > 0 { counts[word] = count - 1 } else { found.append((word, false)) }
        }
        var others: [String: Int] = [:]
        for word in left { others[word, default: 0] += 1 }
        for word in right {
            if let count = others[word], count > 0 { others[word] = count - 1 } else { found.append((word, true)) }
        }
        return found
    }

    private static func values(_ section: Section, _ left: [String: String], _ right: [String: String]) -> [Change] {
        Set(left.keys).union(right.keys).sorted().compactMap { name in
            left[name] == right[name]
                ? nil
                : Change(section: section.rawValue, item: name, old: left[name], new: right[name], lines: nil)
        }
    }

    private static func files(
        _ section: String, _ left: [String: ComparedFile], _ right: [String: ComparedFile], showsText: Bool
    ) -> [Change] {
        let paths = Set(left.keys).union(right.keys).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return paths.compactMap { path in
            let (old, new) = (left[path], right[path])
            if let old, let new, old.isSame(as: new) { return nil }
            let isSecret = old?.isSecret ?? false || new?.isSecret ?? false
            let before = old?.line(hiding: isSecret)
            var after = new?.line(hiding: isSecret)
            // Of a secret no more is said than that there is another one.
            if isSecret, before == after { after = after.map { $0 + ", another" } }
            let texts = (old.map { $0.text ?? nil } ?? [], new.map { $0.text ?? nil } ?? [])
            var lines: [String]?
            if showsText, !isSecret, let left = texts.0, let right = texts.1 {
                lines = LineDifference.unified(left, right)
            }
            return Change(section: section, item: path, old: before, new: after, lines: lines)
        }
    }
}
