/// The tree that a writer turns into bytes: entries by path, iterated in one order on every machine.
///
/// Parents are made as they are needed, 0755 and owned by root, so a tree never holds an entry without the directories
/// above it.
public struct FileTree: Hashable, Sendable {
    private var entriesByPath: [EntryPath: TreeEntry] = [:]

    /// Makes an empty tree.
    public init() {}

    /// The number of entries, directories included.
    public var count: Int { entriesByPath.count }

    /// Whether nothing is in the tree.
    public var isEmpty: Bool { entriesByPath.isEmpty }

    /// Every entry, sorted by ``EntryPath`` order: each directory directly before what it holds.
    public var entries: [TreeEntry] { entriesByPath.values.sorted { $0.path < $1.path } }

    /// The entry at `path`.
    public subscript(path: EntryPath) -> TreeEntry? { entriesByPath[path] }

    /// Whether any entry carries a secret.
    public var holdsSecrets: Bool { entriesByPath.values.contains { $0.isSecret } }

    /// The paths at which one of two trees has nothing or something else than the other, whoever put it there.
    public func pathsDiffering(from other: FileTree) -> Set<EntryPath> {
        var differing: Set<EntryPath> = []
        for (path, entry) in entriesByPath {
            let present = other.entriesByPath[path]
            if present?.kind != entry.kind || present?.mode != entry.mode { differing.insert(path) }
        }
        for path in other.entriesByPath.keys where entriesByPath[path] == nil { differing.insert(path) }
        return differing
    }

    /// Adds an entry whose path is still free; a directory that is there already only takes over mode and owner.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/conflict``.
    public mutating func insert(_ entry: TreeEntry) throws(ArtefactError) {
        if let present = entriesByPath[entry.path], !(present.isDirectory && entry.isDirectory) {
            throw ArtefactError(
                .conflict, subject: entry.path.string,
                detail: "comes from \(entry.origin) and from \(present.origin); only one of them can stay")
        }
        try put(entry)
    }

    /// Lays an entry over the tree, as layers do: last wins.
    ///
    /// - Returns: The entry that was covered, unless both are directories.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/conflict`` where a directory would become a file or the
    ///   other way round: that loses a whole subtree and is never what a layer means.
    @discardableResult
    public mutating func overlay(_ entry: TreeEntry) throws(ArtefactError) -> TreeEntry? {
        let present = entriesByPath[entry.path]
        if let present, present.isDirectory != entry.isDirectory {
            throw ArtefactError(
                .conflict, subject: entry.path.string,
                detail: "is a \(Self.noun(entry)) in \(entry.origin) but a \(Self.noun(present)) in \(present.origin)")
        }
        try put(entry)
        guard let present, !present.isDirectory else { return nil }
        return present
    }

    private mutating func put(_ entry: TreeEntry) throws(ArtefactError) {
        var ancestor = entry.path.parent
        while let directory = ancestor {
            if let present = entriesByPath[directory] {
                guard present.isDirectory else {
                    throw ArtefactError(
                        .conflict, subject: directory.string,
                        detail: "is a \(Self.noun(present)) in \(present.origin), and \(entry.origin) needs a directory"
                    )
                }
                break
            }
            entriesByPath[directory] = TreeEntry(
                path: directory, kind: .directory, mode: .directory, origin: entry.origin)
            ancestor = directory.parent
        }
        entriesByPath[entry.path] = entry
    }

    private static func noun(_ entry: TreeEntry) -> String {
        switch entry.kind {
        case .directory: "directory"
        case .file: "file"
        case .symlink: "symbolic link"
        }
    }
}

extension FileTree {
    /// Adds a regular file with the text given.
    ///
    /// - Throws: ``ArtefactError`` for a bad path or a conflict.
    public mutating func addFile(
        _ path: String, _ text: String, mode: EntryMode = .file, origin: String, isSecret: Bool = false
    ) throws(ArtefactError) {
        try insert(
            TreeEntry(
                path: EntryPath(path), kind: .file(.text(text)), mode: mode, origin: origin, isSecret: isSecret))
    }

    /// Adds a directory, or sets the mode of one that is there.
    ///
    /// - Throws: ``ArtefactError`` for a bad path or a conflict.
    public mutating func addDirectory(
        _ path: String, mode: EntryMode = .directory, origin: String
    ) throws(ArtefactError) {
        try insert(TreeEntry(path: EntryPath(path), kind: .directory, mode: mode, origin: origin))
    }

    /// Adds a symbolic link.
    ///
    /// - Throws: ``ArtefactError`` for a bad path or a conflict.
    public mutating func addSymlink(
        _ path: String, to target: String, origin: String
    ) throws(ArtefactError) {
        try insert(
            TreeEntry(path: EntryPath(path), kind: .symlink(target: target), mode: .symlink, origin: origin))
    }
}
