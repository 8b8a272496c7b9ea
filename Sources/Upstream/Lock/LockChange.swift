internal import Artefact

/// What differs between two locks about one input, for showing before it is written.
public enum LockChange: Hashable, Sendable, CustomStringConvertible {
    /// The input is new.
    case added(InputLock.Entry)
    /// The input is no longer there.
    case removed(InputLock.Entry)
    /// The input is in both, and something about it differs.
    case changed(from: InputLock.Entry, to: InputLock.Entry)

    /// The input's name.
    public var name: String {
        switch self {
        case .added(let entry), .removed(let entry), .changed(_, let entry): entry.name
        }
    }

    /// One line that begins with `+`, `-` or `~`.
    public var description: String {
        switch self {
        case .added(let entry):
            return printable("+ \(entry.name): \(entry.size) bytes, sha256 \(entry.sha256), \(entry.trust)")
        case .removed(let entry): return printable("- \(entry.name)")
        case .changed(let old, let new):
            let parts: [(String, String, String)] = [
                ("sha256", old.sha256.hex, new.sha256.hex), ("size", "\(old.size)", "\(new.size)"),
                ("url", old.url, new.url), ("trust", "\(old.trust)", "\(new.trust)"),
                ("date", "\(old.date)", "\(new.date)"),
            ]
            let shown = parts.filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1) → \($0.2)" }
            return printable("~ \(new.name): \(shown.joined(separator: ", "))")
        }
    }
}

extension InputLock {
    /// What a new lock changes about an old one, in the order of the names.
    public static func changes(from old: InputLock, to new: InputLock) -> [LockChange] {
        var changes: [LockChange] = []
        var left = old.entries[...]
        var right = new.entries[...]
        while true {
            switch (left.first, right.first) {
            case (nil, nil): return changes
            case (let entry?, nil):
                changes.append(.removed(entry))
                left.removeFirst()
            case (nil, let entry?):
                changes.append(.added(entry))
                right.removeFirst()
            case (let before?, let after?):
                if before.name == after.name {
                    if before != after { changes.append(.changed(from: before, to: after)) }
                    left.removeFirst()
                    right.removeFirst()
                } else if before.name.utf8.lexicographicallyPrecedes(after.name.utf8) {
                    changes.append(.removed(before))
                    left.removeFirst()
                } else {
                    changes.append(.added(after))
                    right.removeFirst()
                }
            }
        }
    }
}
