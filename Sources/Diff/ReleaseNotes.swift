internal import Artefact
internal import Bundle

/// What a person reads before taking a new version, in Markdown.
///
/// It tells what is in the version, what differs from the one before, and whether there is a way back. The same sides give
/// the same text.
public struct ReleaseNotes: Hashable, Sendable {
    /// The name of the file beside published bundles.
    public static let fileName = "CHANGES.md"

    /// The whole text.
    public let text: String

    /// The notes of a version against the one before.
    ///
    /// - Parameter difference: From the older side to the newer one.
    public init(_ difference: Difference) {
        let (old, new) = difference.sides
        var lines = Self.head(new) + ["Changes since \(Self.version(old)).", ""]
        lines += Self.releases(new, since: old)
        lines += Self.packages(difference)
        lines += Self.settings(difference)
        lines += Self.files(difference)
        if difference.isEqual { lines += ["Nothing differs.", ""] }
        if !difference.notCompared.isEmpty {
            let sections = difference.notCompared.joined(separator: ", ")
            lines += ["Not compared, since only one of them tells: \(sections).", ""]
        }
        if let present = new.description, let before = old.description {
            let verdict = RollbackVerdict(leaving: present, for: before)
            lines += [
                "## The way back", "",
                "From \(Self.version(new)) to \(Self.version(old)) with the data of a node: **\(verdict.kind.rawValue)**, "
                    + "\(Self.plain(verdict.reason)).", "",
            ]
        }
        text = lines.dropLast().joined(separator: "\n") + "\n"
    }

    /// The notes of a version before which there is none.
    public init(first side: Side) {
        var lines = Self.head(side) + ["The first version.", ""] + Self.releases(side, since: nil)
        if let packages = side.packages {
            lines += ["## Packages", ""]
            lines += packages.keys.sorted().map { "- \(Self.code($0)) \(Self.code(packages[$0] ?? ""))" } + [""]
        }
        text = lines.dropLast().joined(separator: "\n") + "\n"
    }

    private static func head(_ side: Side) -> [String] {
        ["# \(plain(side.description?.name ?? side.name)) \(version(side))", ""]
    }

    private static func version(_ side: Side) -> String { plain(side.description?.version.description ?? side.name) }

    /// The releases of others in it, with what they were.
    private static func releases(_ new: Side, since old: Side?) -> [String] {
        let titles = [("alpine", "Alpine"), ("kubesolo", "KubeSolo"), ("kubernetes", "Kubernetes")]
        let lines = titles.compactMap { name, title -> String? in
            guard let value = new.facts.first(where: { $0.name == name })?.value else { return nil }
            let before = old?.facts.first { $0.name == name }?.value
            guard let before, before != value else { return "- \(title): \(plain(value))" }
            return "- \(title): \(plain(value)), was \(plain(before))"
        }
        return lines.isEmpty ? [] : lines + [""]
    }

    private static func packages(_ difference: Difference) -> [String] {
        let changes = difference.changes.filter { $0.section == Difference.Section.packages.rawValue }
        guard !changes.isEmpty else { return [] }
        let rows = changes.map { change in
            "| \(code(change.item, inTable: true)) | \(cell(change.old)) | \(cell(change.new)) |"
        }
        let (old, new) = difference.sides
        let heads = (version(old) == version(new) ? ("before", "now") : (version(old), version(new)))
        return ["## Packages", "", "| package | \(heads.0) | \(heads.1) |", "|---|---|---|"] + rows + [""]
    }

    /// What the node is told otherwise: facts but the releases, kernel arguments, services, world.
    private static func settings(_ difference: Difference) -> [String] {
        let sections = [Difference.Section.about, .arguments, .services, .world].map(\.rawValue)
        let own: Set<String> = ["alpine", "kubesolo", "kubernetes", "version"]
        let changes = difference.changes.filter { change in
            sections.contains(change.section)
                && !(change.section == Difference.Section.about.rawValue && own.contains(change.item))
        }
        guard !changes.isEmpty else { return [] }
        return ["## Settings", ""]
            + changes.map { change in
                let isAbout = change.section == Difference.Section.about.rawValue
                let item = isAbout ? plain(change.item) : "\(change.section): \(code(change.item))"
                switch (change.old, change.new) {
                case (let old?, let new?): return "- \(item): \(code(new)), was \(code(old))"
                case (nil, _): return "- \(item): new"
                case (_, nil): return "- \(item): gone"
                }
            } + [""]
    }

    private static func files(_ difference: Difference) -> [String] {
        let changes = difference.changes.filter { $0.section.hasPrefix("files of the ") }
        guard !changes.isEmpty else { return [] }
        return ["## Files", ""]
            + changes.map { change in
                let word = change.old == nil ? "new" : change.new == nil ? "gone" : "changed"
                return "- \(change.section.dropFirst("files of the ".count)): \(code(change.item)) \(word)"
            } + [""]
    }

    private static func cell(_ value: String?) -> String { value.map { code($0, inTable: true) } ?? "–" }

    /// Text of others where Markdown could read marks in it.
    private static func plain(_ text: String) -> String {
        printable(text).reduce(into: "") { escaped, character in
            if "\\`*_[]<>#|&".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
    }

    /// Text of others as code, between more backticks than it has in a row (CommonMark 0.31 §6.1).
    private static func code(_ text: String, inTable: Bool = false) -> String {
        let text = inTable ? printable(text).split(separator: "|").joined(separator: "\\|") : printable(text)
        var (longest, run) = (0, 0)
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let mark = String(repeating: "`", count: longest + 1)
        return longest == 0 ? "`\(text)`" : "\(mark) \(text) \(mark)"
    }
}
