internal import Bundle

extension Difference {
    /// For people: a line for each change below the name of its section, and the verdict.
    ///
    /// What others wrote may be in a line as it is, but for line breaks, since each is a line.
    public var lines: [String] {
        let (a, b) = sides
        var lines = changedLines
        if !notCompared.isEmpty {
            lines.append("not compared, since only one side tells: \(notCompared.joined(separator: ", "))")
        }
        if isEqual { lines.append("\(a.name) and \(b.name): no difference") }
        if let before = a.size, let after = b.size { lines.append("size: \(before) -> \(after) bytes") }
        if let verdict {
            let (newer, older) = isFirstNewer ? (a, b) : (b, a)
            lines.append("going from \(newer.name) to \(older.name): \(verdict.kind.rawValue), \(verdict.reason)")
        }
        return lines
    }

    /// The same without what follows the changes.
    public var changedLines: [String] {
        var lines: [String] = []
        var section: String?
        for change in changes {
            if change.section != section { lines.append(change.section) }
            section = change.section
            switch (change.old, change.new) {
            case (let old?, let new?): lines.append("  ~ \(change.item): \(old) -> \(new)")
            case (let old?, nil): lines.append("  - \(change.item)\(Self.particulars(old, change.item))")
            case (nil, let new): lines.append("  + \(change.item)\(Self.particulars(new ?? "", change.item))")
            }
            lines += (change.lines ?? []).map { "      \($0)" }
        }
        return lines
    }

    /// What stands behind the item, unless the item says it.
    private static func particulars(_ value: String, _ item: String) -> String {
        item == value || item.hasSuffix(": \(value)") ? "" : ": \(value)"
    }
}

/// The same for machines, see `docs/commands.md`.
extension Difference: Encodable {
    private enum Key: String, CodingKey {
        case format, a, b, equal, changes, notCompared, verdict
    }

    private struct Named: Encodable {
        let kind: String
        let name: String
        let size: UInt64?

        init(_ side: Side) {
            kind = side.kind.rawValue
            name = side.name
            size = side.size
        }
    }

    private struct Verdict: Encodable {
        let kind: String
        let reason: String
        let from: String
        let to: String
    }

    /// Writes the document.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode("ksbuild-diff/1", forKey: .format)
        try container.encode(Named(sides.a), forKey: .a)
        try container.encode(Named(sides.b), forKey: .b)
        try container.encode(isEqual, forKey: .equal)
        try container.encode(changes, forKey: .changes)
        try container.encode(notCompared, forKey: .notCompared)
        guard let verdict else { return }
        let (newer, older) = isFirstNewer ? sides : (sides.b, sides.a)
        try container.encode(
            Verdict(kind: verdict.kind.rawValue, reason: verdict.reason, from: newer.name, to: older.name),
            forKey: .verdict)
    }
}
