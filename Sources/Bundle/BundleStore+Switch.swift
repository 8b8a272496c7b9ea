internal import Artefact
internal import SystemPackage

/// Which bundle is live: one symbolic link, replaced by one rename.
extension BundleStore {
    /// What a switch came to.
    public struct Switch: Hashable, Sendable {
        /// The version that was live before, where one was.
        public let from: Version?
        /// The version that is live now.
        public let to: Version
        /// Whether the pointer moved; not where the version was live already.
        public let isChange: Bool
        /// Whether the version has yet to prove itself.
        public let isPending: Bool
    }

    /// Makes a version live, after re-reading every byte of it.
    ///
    /// It is pending until it is confirmed.
    ///
    /// - Parameters:
    ///   - version: The version.
    ///   - occasion: When, by whom and why.
    ///   - insisting: Whether a version that failed is taken again.
    ///   - allowingDowngrade: Whether a version is taken that was never confirmed and is older than one that was.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    /// - Returns: From where to where the pointer moved.
    /// - Throws: ``BundleError`` with ``BundleError/Code/notFound``, ``BundleError/Code/damaged`` where the bundle is
    ///   not as it was published, ``BundleError/Code/untrusted``, ``BundleError/Code/failedBefore``, ``BundleError/Code/belowFloor`` or
    ///   ``BundleError/Code/busy``; the pointer is then where it was.
    public func activate(
        _ version: Version, _ occasion: Occasion, insisting: Bool = false, allowingDowngrade: Bool = false,
        trusting keys: [MinisignPublicKey] = []
    ) throws -> Switch {
        try changing {
            try point(to: version, .activated, occasion, trusting: keys) { standing, manifest in
                if !insisting { try requireNotFailed(version, standing) }
                if !allowingDowngrade, !standing.isConfirmed(version, manifest: manifest) {
                    try requireFloor(version, standing)
                }
            }
        }
    }

    /// Goes back to the version that was confirmed last, or to one that is named; what is left counts as failed.
    ///
    /// Only the pointer moves: the state on a node's data disk goes back when the node boots the version. A version that
    /// failed is passed over, and so is one whose bundle is gone or has another content than was confirmed. Where
    /// `current` leads to no bundle, the present one is the one that the history says.
    ///
    /// - Parameters:
    ///   - target: The version to go to, or `nil` for the first that ``Standing/waysBack(from:)`` gives.
    ///   - occasion: When, by whom and why.
    ///   - insisting: Whether a version that failed is taken again; one must be named.
    ///   - keys: The keys of which one must have signed it; with none, it need not be signed.
    /// - Returns: From where to where the pointer moved.
    /// - Throws: ``BundleError`` with ``BundleError/Code/noWayBack`` where there is none, and as
    ///   ``activate(_:_:insisting:allowingDowngrade:trusting:)`` does.
    public func rollback(
        to target: Version? = nil, _ occasion: Occasion, insisting: Bool = false,
        trusting keys: [MinisignPublicKey] = []
    ) throws -> Switch {
        try changing {
            if let target {
                return try point(to: target, .rolledBack, occasion, trusting: keys) { standing, _ in
                    if !insisting { try requireNotFailed(target, standing) }
                }
            }
            let standing = try reckon(on: occasion).standing
            guard let live = standing.live else {
                throw BundleError(.noWayBack, subject: out.string, detail: "no version is live; activate one")
            }
            guard let previous = try wayBack(from: live, standing) else {
                throw BundleError(
                    .noWayBack, subject: "version \(live)",
                    detail: "no other version that was confirmed is left; name one with --to VERSION")
            }
            return try point(to: previous, .rolledBack, occasion, trusting: keys) { _, _ in }
        }
    }

    /// The version that 'rollback' goes to: the latest that was confirmed, is there as it was then, and is not live.
    ///
    /// - Throws: ``ArtefactError`` where it cannot be told, since a manifest is there and cannot be read.
    func wayBack(from live: Version?, _ standing: Standing) throws -> Version? {
        try standing.waysBack(from: live).first { try digest(ofManifestOf: $0.version) == $0.manifest }?.version
    }

    /// The digest of a published version's manifest; `nil` where none is there, or nothing that was ever one.
    ///
    /// - Throws: ``ArtefactError`` where it is there and cannot be read: that says nothing about what it holds.
    func digest(ofManifestOf version: Version) throws -> Digest? {
        let file = path(of: version).appending(Manifest.fileName)
        do {
            return Digest(of: try HostFile.read(file, limit: Manifest.maximumBytes))
        } catch let error as ArtefactError {
            switch error.errno {
            case .noSuchFileOrDirectory, .notDirectory, .isDirectory, .tooManySymbolicLinkLevels, .fileTooLarge:
                return nil
            default: throw error
            }
        }
    }

    private func requireNotFailed(_ version: Version, _ standing: Standing) throws {
        guard let failure = standing.failed[version] else { return }
        let when = History.date(failure.occasion.when)
        throw BundleError(
            .failedBefore, subject: "version \(version)",
            detail: "was left on \(when) by \(failure.occasion.who) (\(failure.occasion.why.prefix(200))); "
                + "--force takes it again")
    }

    /// Refuses a version that is older than one that has proven itself.
    func requireFloor(_ version: Version, _ standing: Standing) throws {
        guard let floor = standing.floor, version < floor else { return }
        throw BundleError(
            .belowFloor, subject: "version \(version)",
            detail:
                "is older than \(floor), which was confirmed; take a newer version, go back to a confirmed one with "
                + "'rollback', or say --allow-downgrade")
    }

    private func point(
        to version: Version, _ result: History.Result, _ occasion: Occasion, trusting keys: [MinisignPublicKey],
        unless refused: (Standing, Digest) throws -> Void
    ) throws -> Switch {
        try requireReplaceablePointer()
        let reading = try verify(version, trusting: keys)
        guard reading.isGood, let manifest = reading.manifest else {
            throw reading.refusal("version \(version)", remedy: "'verify' lists everything; name another version")
        }
        let digest = Digest(of: try manifest.encoded())
        let (standing, repair) = try reckon(on: occasion)
        let isPending = !standing.isConfirmed(version, manifest: digest)
        // Where `current` leads to no bundle, the version that is left is the one that the history says.
        let from = standing.live
        guard try pointed().version != version else {
            // A command that was killed after moving the pointer may not have come to this.
            try disk.synchronise(directory: out)
            return Switch(from: version, to: version, isChange: false, isPending: isPending)
        }
        try refused(standing, digest)
        let entry = History.Entry(from: from, to: version, manifest: digest, occasion: occasion, result: result)
        try disk.makeSymlink(newPointer, to: "bundles/\(version)")
        do {
            try append([repair, entry])
        } catch {
            try? disk.remove(newPointer)
            throw error
        }
        do {
            try disk.rename(newPointer, to: pointer)
        } catch {
            var note = History.Entry(from: version, to: from, occasion: occasion, result: .undone)
            note.occasion.why = "\(error)"
            try? append([note])
            try? disk.remove(newPointer)
            throw error
        }
        try disk.synchronise(directory: out)
        return Switch(from: from, to: version, isChange: true, isPending: isPending)
    }
}
