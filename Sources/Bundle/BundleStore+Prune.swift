internal import Artefact
internal import SystemPackage

/// Removing versions that nobody needs, and the files that only they had.
extension BundleStore {
    /// What pruning came to.
    public struct Pruning: Hashable, Sendable {
        /// Why a version stays.
        public enum Reason: String, Hashable, Sendable {
            /// It is live.
            case live
            /// It is the one that rolling back goes to.
            case wayBack = "way back"
            /// It was confirmed last.
            case lastKnownGood = "last known good"
            /// Something that uses it has left a pin.
            case pinned
            /// It is one of the newest.
            case newest
        }

        /// The versions that are gone, or would be, oldest first.
        public let removed: [Version]
        /// The versions that stay, and why.
        public let kept: [Version: Reason]
        /// The bytes of files that no bundle uses any more.
        public let freedBytes: UInt64
    }

    static let removalPrefix = ".removing-"

    /// The directory of pins: a file for each thing that uses a bundle, with the version in it.
    var pins: FilePath { out.appending("pins") }

    /// Removes all but the newest versions, never one that is live, to be gone back to, confirmed last or pinned.
    ///
    /// - Parameters:
    ///   - count: How many of the newest versions stay in any case.
    ///   - occasion: When, by whom and why.
    ///   - dryRun: Whether to find out only.
    /// - Returns: What is gone and what stays.
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidPin`` where a pin cannot be understood,
    ///   ``BundleError/Code/brokenPointer`` where `current` leads to no bundle, ``ArtefactError`` where a manifest
    ///   cannot be read that may be that of a version to keep: nothing is removed then.
    public func prune(keeping count: Int, _ occasion: Occasion, dryRun: Bool = false) throws -> Pruning {
        try changing {
            let live = try current()
            let (standing, repair) = try reckon(on: occasion)
            let kept = try reasonsToKeep(count, live, standing)
            let removed = try versions().filter { kept[$0] == nil }
            guard !dryRun else {
                return Pruning(
                    removed: removed, kept: kept, freedBytes: try objects.bytesUsed(onlyBy: removed.map(path)))
            }
            // The pointer must last before anything goes that it may have pointed to.
            try disk.synchronise(directory: out)
            if !removed.isEmpty {
                let lines = removed.map { version in
                    History.Entry(from: version, to: nil, occasion: occasion, result: .pruned)
                }
                try append([repair] + lines)
            }
            for version in removed {
                let leaving = bundles.appending("\(Self.removalPrefix)\(version)")
                try disk.rename(path(of: version), to: leaving)
                try disk.synchronise(directory: bundles)
                try disk.removeTree(leaving)
            }
            return Pruning(removed: removed, kept: kept, freedBytes: try objects.removeUnused())
        }
    }

    private func reasonsToKeep(
        _ count: Int, _ live: Version?, _ standing: Standing
    ) throws -> [Version: Pruning.Reason] {
        var kept: [Version: Pruning.Reason] = [:]
        for version in try versions().suffix(max(0, count)) { kept[version] = .newest }
        for version in try pinned() { kept[version] = .pinned }
        let good = try standing.confirmed.reversed().first { try digest(ofManifestOf: $0.version) == $0.manifest }
        if let good { kept[good.version] = .lastKnownGood }
        if let back = try wayBack(from: live, standing) { kept[back] = .wayBack }
        if let live { kept[live] = .live }
        return kept
    }

    /// The versions that something uses.
    private func pinned() throws -> [Version] {
        guard try HostFile.present(pins) != nil else { return [] }
        return try DirectoryNames(of: pins).readable.filter { !$0.hasPrefix(".") }.map { name in
            let file = pins.appending(name)
            do {
                let text = try HostFile.read(file, limit: 4096)
                return try Version(
                    String(decoding: text.split(separator: UInt8(ascii: "\n")).first ?? [], as: UTF8.self))
            } catch let error as BundleError {
                throw BundleError(
                    .invalidPin, subject: file.string,
                    detail: "should hold the version that is in use (\(error)); write one into it, or remove it")
            }
        }
    }
}

extension ObjectStore {
    /// Removes the files that no bundle has a name for.
    ///
    /// - Returns: How many bytes that were.
    func removeUnused() throws -> UInt64 {
        var freed: UInt64 = 0
        for directory in try directories() {
            for name in try DirectoryNames(of: directory).readable {
                let file = directory.appending(name)
                let status = try HostFile.status(of: file, followingLinks: false)
                guard status.kind == .file, status.links == 1 else { continue }
                try disk.remove(file)
                freed &+= status.size
            }
        }
        return freed
    }

    /// The bytes of files whose every name is that of an object or stands in one of the directories.
    func bytesUsed(onlyBy bundles: [FilePath]) throws -> UInt64 {
        var names: [[UInt64]: (count: UInt64, size: UInt64, links: UInt64)] = [:]
        for directory in bundles {
            for name in try DirectoryNames(of: directory).readable {
                let status = try HostFile.status(of: directory.appending(name), followingLinks: false)
                names[status.identity, default: (0, status.size, status.links)].count += 1
            }
        }
        return names.values.reduce(0) { $1.count + 1 >= $1.links ? $0 &+ $1.size : $0 }
    }

    private func directories() throws -> [FilePath] {
        guard try HostFile.present(root) != nil else { return [] }
        return try DirectoryNames(of: root).readable.map(root.appending).filter { directory in
            try HostFile.status(of: directory, followingLinks: false).kind == .directory
        }
    }
}
