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
    }

    /// Makes a version live, after re-reading every byte of it.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/notFound``, ``BundleError/Code/damaged`` where the bundle is
    ///   not as it was published, or ``BundleError/Code/busy``; the pointer is then where it was.
    public func activate(_ version: Version, _ occasion: Occasion) throws -> Switch {
        try changing {
            try point(to: version, .activated, occasion)
        }
    }

    /// Goes back to the version that was live before the present one, or to one that is named.
    ///
    /// Only the pointer moves: what the newer version wrote on a node's data disk stays as it is. A version that was
    /// itself left by rolling back is passed over, and so is one whose bundle is no longer there. Where `current` leads
    /// to no bundle, the present one is the one that the history says.
    ///
    /// - Parameters:
    ///   - target: The version to go to, or `nil` for the one that ``History/wayBack`` gives first.
    ///   - occasion: When, by whom and why.
    /// - Returns: From where to where the pointer moved.
    /// - Throws: ``BundleError`` with ``BundleError/Code/noWayBack`` where there is none, and as
    ///   ``activate(_:_:)`` does.
    public func rollback(to target: Version? = nil, _ occasion: Occasion) throws -> Switch {
        try changing {
            if let target { return try point(to: target, .rolledBack, occasion) }
            let history = try history()
            let told = history.adding(try repair(of: history, occasion))
            guard let live = told.live else {
                throw BundleError(.noWayBack, subject: out.string, detail: "no version is live; activate one")
            }
            guard let previous = told.wayBack.first(where: { HostFile.exists(path(of: $0)) }) else {
                throw BundleError(
                    .noWayBack, subject: "version \(live)",
                    detail: "no version that was live before it is left; name one with --to VERSION")
            }
            return try point(to: previous, .rolledBack, occasion)
        }
    }

    /// Every switch so far.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidHistory`` where it is too large or no regular file,
    ///   ``ArtefactError`` where it cannot be read.
    public func history() throws -> History {
        guard let status = try HostFile.present(historyFile) else { return History(decoding: []) }
        func refuse(_ why: String) -> BundleError {
            BundleError(
                .invalidHistory, subject: historyFile.string,
                detail: "\(why); move it away: the next switch begins a new one, and 'rollback' then needs --to VERSION"
            )
        }
        guard status.kind == .file else { throw refuse("is no regular file") }
        guard status.size <= UInt64(History.maximumBytes) else {
            throw refuse("is larger than \(History.maximumBytes >> 20) MiB")
        }
        return History(decoding: try HostFile.read(historyFile, limit: History.maximumBytes))
    }

    private func point(to version: Version, _ result: History.Result, _ occasion: Occasion) throws -> Switch {
        try requireReplaceablePointer()
        let from = try pointed().version
        let reading = try verify(version)
        guard reading.isGood else {
            throw reading.refusal("version \(version)", remedy: "'verify' lists everything; name another version")
        }
        guard from != version else { return Switch(from: from, to: version, isChange: false) }
        let repair = try repair(of: history(), occasion)
        let entry = History.Entry(from: from, to: version, occasion: occasion, result: result)
        let lines = try ([repair].compactMap { $0 } + [entry]).map(History.line)
        try disk.makeSymlink(newPointer, to: "bundles/\(version)")
        do {
            try disk.appendLine(Array(lines.joined(separator: [UInt8(ascii: "\n")])), to: historyFile)
        } catch {
            try? disk.remove(newPointer)
            throw error
        }
        do {
            try disk.rename(newPointer, to: pointer)
        } catch {
            var note = History.Entry(from: version, to: from, occasion: occasion, result: .failed)
            note.occasion.why = "\(error)"
            try? disk.appendLine(try History.line(note), to: historyFile)
            try? disk.remove(newPointer)
            throw error
        }
        try disk.synchronise(directory: out)
        return Switch(from: from, to: version, isChange: true)
    }

    /// The line that says what `current` is, where the history says something else.
    ///
    /// It is written together with the line of the next switch, so that a command that changes nothing adds nothing.
    private func repair(of history: History, _ occasion: Occasion) throws -> History.Entry? {
        let pointed = try pointed()
        guard history.live != pointed.version else { return nil }
        var entry = History.Entry(from: history.live, to: pointed.version, occasion: occasion, result: .repaired)
        entry.occasion.why = "current \(pointed.manner), which the history did not say"
        return entry
    }
}
