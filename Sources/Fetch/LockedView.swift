internal import Artefact
public import SystemPackage
public import Upstream

/// Locked inputs under the names that upstream gives them, in a directory that serves as a mirror.
public enum LockedView {
    /// Makes the directory.
    ///
    /// - Parameters:
    ///   - inputs: What it holds; each becomes a link to the file in the cache.
    ///   - folder: An empty directory, or one that is made.
    /// - Returns: The mirror.
    /// - Throws: `ArtefactError`.
    @discardableResult
    public static func make(_ inputs: [(name: String, path: FilePath)], in folder: FilePath) throws -> DirectoryMirror {
        try HostFile.makeDirectories(folder)
        for input in inputs {
            let place = folder.pushing(FilePath(input.name))
            try HostFile.makeDirectories(place.removingLastComponent())
            try HostFile.remove(place)
            try HostFile.makeSymlink(place, to: input.path.string)
        }
        return DirectoryMirror(root: folder)
    }

    /// Makes a directory that holds the inputs themselves, for a host that reaches no other mirror.
    ///
    /// Files that are there and right stay; `SHA256SUMS` lists all of them.
    ///
    /// - Parameters:
    ///   - entries: What the lock says of them.
    ///   - fetcher: Has brought them into its cache; also tells when to stop.
    ///   - folder: The directory.
    ///   - progress: Is told of each file that is written.
    /// - Throws: `ArtefactError`, ``FetchError`` for an input that the cache lacks, and as
    ///   ``InputFetcher/requireGoingOn()`` does.
    public static func copy(
        _ entries: [InputLock.Entry], with fetcher: InputFetcher, to folder: FilePath, progress: (String) -> Void
    ) throws {
        var sums = ""
        for entry in entries {
            let place = folder.pushing(FilePath(entry.name))
            sums += "\(entry.sha256)  \(entry.name)\n"
            if let status = try? HostFile.status(of: place, followingLinks: false), status.kind == .file,
                status.size == entry.size, (try? Digest(ofFile: place)) == entry.sha256
            {
                continue
            }
            guard let path = try fetcher.cache.find(entry.sha256) else { throw FetchError.notCached([entry]) }
            progress(entry.name)
            try HostFile.makeDirectories(place.removingLastComponent())
            var file = try StagedFile(place, digesting: true)
            try HostFile.forEachChunk(of: path) { chunk in
                try fetcher.requireGoingOn()
                try file.write(chunk)
            }
            let written = try file.commit()
            guard written.digest == entry.sha256 else {
                try HostFile.remove(place)
                throw FetchError.notCached([entry])
            }
        }
        try StagedFile.write(Array(sums.utf8), to: folder.appending("SHA256SUMS"))
    }
}
