public import Artefact
internal import Glibc
internal import SystemPackage

/// Looking after the cache.
extension InputCache {
    /// An input and when it was last used.
    public struct Listed: Hashable, Sendable {
        /// The SHA-256 that its name says.
        public let digest: Digest
        /// Its size in bytes.
        public let size: UInt64
        /// When it was last used, by the clock of the file system.
        public let lastUsed: FileTime
    }

    /// What pruning removed.
    public struct Pruned: Hashable, Sendable {
        /// The inputs.
        public let digests: [Digest]
        /// The count of partial files.
        public let partials: Int
        /// The bytes that all of it had.
        public let bytes: UInt64
    }

    /// What the cache holds, by digest; nothing where there is no cache.
    ///
    /// - Throws: `ArtefactError` where it cannot be read.
    public func list() throws -> [Listed] {
        guard HostFile.exists(objects) else { return [] }
        var listed: [Listed] = []
        for folder in try HostFile.names(in: objects) {
            let path = objects.appending(folder)
            guard try HostFile.status(of: path, followingLinks: false).kind == .directory else { continue }
            for name in try HostFile.names(in: path) {
                guard let digest = try? Digest(hex: name), digest.hex == name, name.hasPrefix(folder),
                    let file = FileFingerprint(of: path.appending(name), followingLinks: false)
                else { continue }
                let used = FileFingerprint(of: uses.appending(name), followingLinks: false)?.modified
                listed.append(Listed(digest: digest, size: file.size, lastUsed: used ?? file.changed))
            }
        }
        return listed.sorted { $0.digest < $1.digest }
    }

    /// Removes inputs and partial files that were not used since a time.
    ///
    /// Partial files that another process is fetching stay.
    ///
    /// - Parameters:
    ///   - time: What was last used before this goes.
    ///   - kept: Inputs that stay whenever they were used.
    /// - Returns: What was removed.
    /// - Throws: `ArtefactError`.
    public func prune(notUsedSince time: FileTime, keeping kept: Set<Digest> = []) throws -> Pruned {
        var digests: [Digest] = []
        var bytes: UInt64 = 0
        for old in try list() where old.lastUsed < time && !kept.contains(old.digest) {
            try CacheLock.hold(root.appending(".lock")) {
                // It may have been used since it was listed.
                let used = FileFingerprint(of: uses.appending(old.digest.hex), followingLinks: false)?.modified
                guard used ?? old.lastUsed < time else { return }
                try HostFile.remove(path(old.digest))
                try HostFile.remove(uses.appending(old.digest.hex))
                digests.append(old.digest)
                bytes += old.size
            }
        }
        let (partials, partialBytes) = try prunePartials(notUsedSince: time)
        return Pruned(digests: digests, partials: partials, bytes: bytes + partialBytes)
    }

    private func prunePartials(notUsedSince time: FileTime) throws -> (count: Int, bytes: UInt64) {
        guard HostFile.exists(partials) else { return (0, 0) }
        var count = 0
        var bytes: UInt64 = 0
        let present = try HostFile.names(in: partials)
        // A process that was killed while it wrote a state leaves a hidden file.
        for name in present where name.hasPrefix(".") && name.contains(".partial-") {
            let path = partials.appending(name)
            guard let file = FileFingerprint(of: path, followingLinks: false), file.modified < time else { continue }
            try HostFile.remove(path)
        }
        // `NAME`, `NAME.state` and `NAME.got` belong together.
        let names = Set(present.map { $0.prefix { $0 != "." } })
        for name in names.sorted() where name.utf8.count == 64 {
            let files = ["", ".state", ".got"].map { partials.appending("\(name)\($0)") }
            var isTried = false
            _ = try CacheLock.hold(
                partials.appending("\(name).lock"),
                isCancelled: {
                    defer { isTried = true }
                    return isTried
                }
            ) { _ in
                let found = files.compactMap { FileFingerprint(of: $0, followingLinks: false) }
                guard !found.isEmpty, found.allSatisfy({ $0.modified < time }) else { return }
                if let partial = FileFingerprint(of: files[0], followingLinks: false) {
                    count += 1
                    bytes += partial.size
                }
                for file in files { try HostFile.remove(file) }
            }
        }
        return (count, bytes)
    }

    /// Reads every input again, whatever was noted.
    ///
    /// - Returns: The digests whose files were something else; those files are gone.
    /// - Throws: `ArtefactError`.
    public func verify() throws -> [Digest] {
        let strict = InputCache(root, isBelieved: false)
        return try list().map(\.digest).filter { digest in try !strict.checked(digest) }
    }

    /// Whether an input is good, without counting as a use of it.
    private func checked(_ digest: Digest) throws -> Bool {
        let mark = uses.appending(digest.hex)
        let used = FileFingerprint(of: mark, followingLinks: false)?.modified
        let isGood = try find(digest) != nil
        guard let used else { return isGood }
        var times = [
            timespec(tv_sec: 0, tv_nsec: 0), timespec(tv_sec: Int(used.seconds), tv_nsec: Int(used.nanoseconds)),
        ]
        unsafe mark.withPlatformString { name in unsafe _ = utimensat(AT_FDCWD, name, &times, 0) }
        return isGood
    }
}
