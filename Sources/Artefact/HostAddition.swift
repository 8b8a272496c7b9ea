public import SystemPackage

/// A file or directory of the host's and its place on a medium, written `LOCAL:PATH`.
public struct HostAddition: Hashable, Sendable {
    /// What is on the host.
    public let source: FilePath
    /// Where it goes.
    public let path: EntryPath

    /// The deepest nesting of a directory that is followed.
    static let maximumDepth = 64

    /// Takes `LOCAL:PATH`; the last colon counts, and PATH may begin with a slash.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/invalidPath``.
    public init(_ text: String) throws(ArtefactError) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else {
            throw ArtefactError(
                .invalidPath, subject: text,
                detail: "is not LOCAL:PATH; name a file or directory and, after a colon, its place")
        }
        var place = text[text.index(after: colon)...]
        if place.first == "/" { place = place.dropFirst() }
        source = FilePath(String(text[..<colon]))
        path = try EntryPath(String(place))
    }

    /// The entries that it becomes, each directory before what it holds, in the order of their paths.
    ///
    /// Owners are root. Of the permission bits it counts whether the owner may execute a file and whether others may
    /// read it, as the rest tells the umask of whoever made it: 0755, 0644, 0700 or 0600, and 0755 for directories.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/unsupportedKind`` for a device, socket or pipe,
    ///   ``ArtefactError/Code/invalidPath`` for a name that no image holds, or what the system says.
    public func entries() throws(ArtefactError) -> [TreeEntry] {
        var found: [TreeEntry] = []
        try add(source, at: path, followingLinks: true, depth: 0, to: &found)
        return found
    }

    private func add(
        _ file: FilePath, at path: EntryPath, followingLinks: Bool, depth: Int, to found: inout [TreeEntry]
    ) throws(ArtefactError) {
        let origin = "--add \(source)"
        let status = try HostFile.status(of: file, followingLinks: followingLinks)
        switch status.kind {
        case .file:
            let isSecret = status.mode.bits & 0o077 == 0
            let isProgram = status.mode.bits & 0o100 != 0
            let mode: EntryMode =
                isSecret ? (isProgram ? EntryMode(0o700) : .secret) : (isProgram ? .executable : .file)
            found.append(
                TreeEntry(
                    path: path, kind: .file(.file(file, size: status.size)), mode: mode, origin: origin,
                    isSecret: isSecret))
        case .directory:
            guard depth < Self.maximumDepth else {
                throw ArtefactError(
                    .unsupportedKind, subject: file.string,
                    detail: "is nested deeper than \(Self.maximumDepth) directories")
            }
            found.append(TreeEntry(path: path, kind: .directory, mode: .directory, origin: origin))
            for name in try HostFile.names(in: file) {
                try add(
                    file.appending(name), at: try path.appending(name), followingLinks: false, depth: depth + 1,
                    to: &found)
            }
        case .symlink:
            let target = try HostFile.target(ofLink: file)
            found.append(TreeEntry(path: path, kind: .symlink(target: target), mode: .symlink, origin: origin))
        case .special:
            throw ArtefactError(
                .unsupportedKind, subject: file.string,
                detail: "is a device, socket or pipe; only files, directories and links are carried")
        }
    }
}
