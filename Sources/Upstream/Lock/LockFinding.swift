internal import Artefact

/// An entry that a lock should have, or should not.
public struct LockFinding: Hashable, Sendable, CustomStringConvertible {
    /// Which of the two.
    public enum Kind: Hashable, Sendable {
        /// The build needs an input that is not locked.
        case missing
        /// An input is locked that the build does not need.
        case unused
    }

    /// Which of the two.
    public let kind: Kind
    /// The input's name.
    public let name: String
    /// The lock file, for the message.
    public let source: String
    /// The line of an unused entry, from 1.
    public let line: Int?

    /// The lock, and in it the place of an unused entry: `ksbuild.lock:5:11`.
    public var place: String { kind == .missing ? source : "\(source):\(line ?? 1):11" }

    /// What is wrong, and the command that mends it.
    public var detail: String {
        switch kind {
        case .missing: "\(name) is needed and not locked; run 'ksbuild fetch --update-lock \(name)'"
        case .unused: "\(name) is locked and not needed; run 'ksbuild fetch --update-lock' to drop it"
        }
    }

    /// One line: the place, what is wrong, and the command that mends it.
    public var description: String { printable("\(place): \(detail)") }
}

extension InputLock {
    /// Holds the lock against what a build needs.
    ///
    /// - Parameters:
    ///   - needed: The names of all inputs of all builds that share the lock.
    ///   - named: What to call the lock in messages.
    /// - Returns: The inputs that are missing, then the entries that are unused, each in the order of the names.
    public func findings(needed: Set<String>, named: String = InputLock.fileName) -> [LockFinding] {
        let locked = Set(entries.map(\.name))
        let missing = needed.subtracting(locked).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let unused = entries.indices.filter { !needed.contains(entries[$0].name) }
        return missing.map { LockFinding(kind: .missing, name: $0, source: named, line: nil) }
            + unused.map { index in
                LockFinding(
                    kind: .unused, name: entries[index].name, source: named, line: Self.line(ofEntry: index))
            }
    }
}
