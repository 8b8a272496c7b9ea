public import Artefact

/// What every input of a build must be: `ksbuild.lock`.
///
/// The file is YAML that people can read and compare; it has one text for one content, byte for byte (``encoded()``), and
/// no other text is taken.
public struct InputLock: Hashable, Sendable {
    /// One input.
    public struct Entry: Hashable, Sendable {
        /// Where upstream has it, below the name of the project: `alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso`.
        public let name: String
        /// Where it was taken from; holds neither credentials nor anything that is not printable ASCII.
        public let url: String
        /// Its size in bytes.
        public let size: UInt64
        /// Its digest.
        public let sha256: Digest
        /// How it was found to be the one that is meant.
        public let trust: LockTrust
        /// When that was.
        public let date: LockDate

        /// Joins the parts.
        ///
        /// - Throws: ``LockError`` with ``LockError/Code/malformed`` for a name, an address or a size that a lock cannot
        ///   hold.
        public init(
            name: String, url: String, size: UInt64, sha256: Digest, trust: LockTrust, date: LockDate
        ) throws(LockError) {
            let problems = [
                Self.problem(withName: name).map { "the name \($0)" },
                Self.problem(withURL: url).map { "the address \($0)" },
                Self.problem(withSize: size).map { "the size \($0)" }, trust.problem.map { "the trust \($0)" },
            ]
            if let problem = problems.compactMap({ $0 }).first {
                throw LockError(.malformed, subject: name, detail: problem)
            }
            self.name = name
            self.url = url
            self.size = size
            self.sha256 = sha256
            self.trust = trust
            self.date = date
        }

        /// Whether all but the date is the same.
        public func isSameInput(as other: Entry) -> Bool {
            name == other.name && url == other.url && size == other.size && sha256 == other.sha256
                && trust == other.trust
        }
    }

    /// The name of the file, which is looked for beside the recipe.
    public static let fileName = "ksbuild.lock"
    /// The version of the format.
    public static let version = 1
    /// The largest file that is read or written, in bytes.
    public static let maximumBytes = 4 << 20
    /// The most entries.
    public static let maximumEntries = 20_000
    /// The largest input, in bytes.
    public static let maximumSize: UInt64 = 1 << 40
    /// The longest name, in bytes.
    public static let maximumNameBytes = 512
    /// The longest address, in bytes.
    public static let maximumURLBytes = 2048

    /// The entries in the byte order of their names; no two have one name.
    public let entries: [Entry]

    /// Takes entries in any order.
    ///
    /// - Throws: ``LockError`` with ``LockError/Code/ambiguous`` for a name that comes twice,
    ///   ``LockError/Code/tooLarge`` for more than ``maximumEntries``.
    public init(_ entries: some Sequence<Entry> = []) throws(LockError) {
        let sorted = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        guard sorted.count <= Self.maximumEntries else {
            throw LockError(
                .tooLarge, subject: Self.fileName,
                detail: "would hold \(sorted.count) inputs (the most is \(Self.maximumEntries))")
        }
        for (entry, next) in zip(sorted, sorted.dropFirst()) where entry.name == next.name {
            throw LockError(.ambiguous, subject: entry.name, detail: "is locked twice; keep one of the two")
        }
        self.entries = sorted
    }

    /// The entry of an input.
    public func entry(_ name: String) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].name.utf8.lexicographicallyPrecedes(name.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < entries.count && entries[low].name == name ? entries[low] : nil
    }

    /// The lock that replaces this one when inputs were looked up anew; where nothing but the date differs, the older date
    /// stays, so that a lock changes only where an input does.
    ///
    /// - Throws: As ``init(_:)`` does.
    public func replaced(by entries: [Entry]) throws(LockError) -> InputLock {
        var kept: [Entry] = []
        for new in entries {
            let old = entry(new.name)
            kept.append(old.flatMap { $0.isSameInput(as: new) ? $0 : nil } ?? new)
        }
        return try InputLock(kept)
    }
}

extension InputLock.Entry {
    /// Says what keeps a text from naming an input: at least two components of plain characters, none hidden.
    static func problem(withName name: String) -> String? {
        guard name.utf8.count <= InputLock.maximumNameBytes else {
            return "is longer than \(InputLock.maximumNameBytes) bytes"
        }
        let components = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard components.count >= 2 else { return "has no '/', and begins with the name of a project" }
        for component in components {
            guard let first = component.first, isLetterOrDigit(first) else {
                return "has a part that begins with neither a letter nor a digit"
            }
            guard component.allSatisfy({ isLetterOrDigit($0) || "._+~-".utf8.contains($0) }) else {
                return "holds a character other than A-Z, a-z, 0-9, '.', '_', '+', '~', '-' and '/'"
            }
        }
        return nil
    }

    /// Says what keeps a text from being an address of an input.
    static func problem(withURL url: String) -> String? {
        guard url.utf8.count <= InputLock.maximumURLBytes else {
            return "is longer than \(InputLock.maximumURLBytes) bytes"
        }
        guard let scheme = ["https://", "http://", "file:///"].first(where: { url.hasPrefix($0) }) else {
            return "does not begin with https://, http:// or file:///"
        }
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"\\<>^`{|}".utf8.contains($0) }
        guard isPlain else { return "holds a blank or a character that addresses write as '%XX'" }
        guard !url.utf8.contains(UInt8(ascii: "#")) else { return "has a fragment ('#')" }
        guard scheme != "file:///" else { return nil }
        let authority = url.utf8.dropFirst(scheme.utf8.count).prefix { !"/?".utf8.contains($0) }
        guard !authority.contains(UInt8(ascii: "@")) else { return "holds credentials, which belong into .netrc" }
        guard let first = authority.first, isLetterOrDigit(first) || first == UInt8(ascii: "[") else {
            return "names no server"
        }
        return nil
    }

    /// Says what keeps a number from being the size of an input.
    static func problem(withSize size: UInt64) -> String? {
        (1...InputLock.maximumSize).contains(size) ? nil : "is \(size) bytes (1 to \(InputLock.maximumSize))"
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
    }
}
