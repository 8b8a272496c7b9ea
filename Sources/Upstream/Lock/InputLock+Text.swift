/// The one text of a lock.
///
/// ```yaml
/// # What every input of a build must be; `ksbuild fetch --update-lock` writes this file, edit nothing.
/// version: 1
/// inputs:
///   - name: alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso
///     url: "https://dl-cdn.alpinelinux.org/alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso"
///     size: 71303168
///     sha256: "…64 digits…"
///     trust: signature 0482D84022F52DF1C4E7CD43293ACD0907D9495A
///     date: "2026-11-28T07:00:00Z"
/// ```
///
/// A lock without inputs ends with `inputs: []`. Texts that some tool could take for a number, a date or a mapping stand
/// in quotes.
extension InputLock {
    /// The lines before the entries, without the one that begins them.
    static let head = [
        "# What every input of a build must be; `ksbuild fetch --update-lock` writes this file, edit nothing.",
        "version: \(version)",
    ]

    /// How many lines an entry has.
    static let linesPerEntry = 6

    /// The line on which an entry begins, from 1.
    static func line(ofEntry index: Int) -> Int { head.count + 2 + index * linesPerEntry }

    /// The text.
    ///
    /// - Throws: ``LockError`` with ``LockError/Code/tooLarge`` where it does not fit in ``maximumBytes``.
    public func encoded() throws(LockError) -> [UInt8] {
        var text = Self.head.joined(separator: "\n") + (entries.isEmpty ? "\ninputs: []\n" : "\ninputs:\n")
        for entry in entries {
            for line in entry.lines { text += line + "\n" }
        }
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumBytes else {
            throw LockError(
                .tooLarge, subject: Self.fileName,
                detail: "would be \(bytes.count) bytes (the most is \(Self.maximumBytes))")
        }
        return bytes
    }
}

extension InputLock.Entry {
    /// Its lines in the lock file.
    fileprivate var lines: [String] {
        [
            "  - name: \(name)", "    url: \"\(url)\"", "    size: \(size)", "    sha256: \"\(sha256)\"",
            "    trust: \(trust)", "    date: \"\(date)\"",
        ]
    }
}
