/// Two small texts line by line, in the form of `diff -u`.
enum LineDifference {
    /// The most lines of a text that is compared.
    static let maximumLines = 2000
    /// The lines that are shown before and after what differs.
    private static let context = 3

    private struct Line {
        let sign: Character
        let text: String
        let old: Int
        let new: Int
    }

    /// The hunks, without the lines that name the files.
    ///
    /// - Returns: `nil` for texts that are not UTF-8, too long, or the same.
    static func unified(_ old: [UInt8], _ new: [UInt8]) -> [String]? {
        guard old != new, let before = lines(old), let after = lines(new), before.count <= maximumLines,
            after.count <= maximumLines
        else { return nil }
        let all = merge(before, after)
        var hunks: [String] = []
        var index = 0
        while let first = all[index...].firstIndex(where: { $0.sign != " " }) {
            let start = max(index, first - context)
            var end = first
            while let next = all[end...].dropFirst().firstIndex(where: { $0.sign != " " }),
                next - end <= 2 * context + 1
            {
                end = next
            }
            let stop = min(all.count, end + context + 1)
            let piece = all[start..<stop]
            hunks.append(header(piece))
            hunks += piece.map { "\($0.sign)\($0.text)" }
            index = stop
        }
        return hunks
    }

    /// The lines, each with its end marked where it has none, as the last one of a text may lack it.
    private static func lines(_ bytes: [UInt8]) -> [String]? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true {
            lines.removeLast()
        } else if let last = lines.popLast() {
            lines.append(last + " (no end of line)")
        }
        return lines
    }

    /// Both texts as one sequence of lines that stay, go and come.
    private static func merge(_ before: [String], _ after: [String]) -> [Line] {
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in after.difference(from: before) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var lines: [Line] = []
        var (old, new) = (0, 0)
        while old < before.count || new < after.count {
            if removed.contains(old) {
                lines.append(Line(sign: "-", text: before[old], old: old, new: new))
                old += 1
            } else if inserted.contains(new) {
                lines.append(Line(sign: "+", text: after[new], old: old, new: new))
                new += 1
            } else {
                lines.append(Line(sign: " ", text: before[old], old: old, new: new))
                old += 1
                new += 1
            }
        }
        return lines
    }

    /// `@@ -1,3 +1,4 @@`: as in POSIX, a range of one line is a number, and an empty one begins a line earlier.
    private static func header(_ piece: ArraySlice<Line>) -> String {
        func range(_ start: Int, _ count: Int) -> String {
            count == 1 ? "\(start + 1)" : "\(count == 0 ? start : start + 1),\(count)"
        }
        let first = piece.first
        return "@@ -\(range(first?.old ?? 0, piece.count { $0.sign != "+" }))"
            + " +\(range(first?.new ?? 0, piece.count { $0.sign != "-" })) @@"
    }
}
