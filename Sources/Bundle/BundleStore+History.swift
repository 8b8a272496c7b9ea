internal import Artefact
internal import SystemPackage

/// What happened to the store, and what that comes to.
extension BundleStore {
    /// Every line so far.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidHistory`` where it is too large or no regular file,
    ///   ``ArtefactError`` where it cannot be read.
    public func history() throws -> History {
        guard let size = try historySize() else { return History(decoding: []) }
        guard size <= UInt64(History.maximumBytes) else {
            throw invalidHistory("is larger than \(History.maximumBytes >> 20) MiB")
        }
        return History(decoding: try HostFile.read(historyFile, limit: History.maximumBytes))
    }

    /// What the lines come to, from the last checkpoint on.
    ///
    /// - Throws: As ``history()``.
    public func standing() throws -> Standing { try tail().standing }

    /// What the history comes to, and the line that says what `current` is where the history says something else.
    ///
    /// That line is written together with the line of the next change, so that a command that changes nothing adds
    /// nothing.
    func reckon(on occasion: Occasion) throws -> (standing: Standing, repair: History.Entry?) {
        var standing = try standing()
        let pointed = try pointed()
        guard standing.live != pointed.version else { return (standing, nil) }
        var entry = History.Entry(from: standing.live, to: pointed.version, occasion: occasion, result: .repaired)
        entry.occasion.why = "current \(pointed.manner), which the history did not say"
        entry.occasion.evidence = nil
        standing.take(entry)
        return (standing, entry)
    }

    /// Adds lines to the history in one durable write, with a checkpoint before them where one is due.
    func append(_ entries: [History.Entry?]) throws {
        var lines = try entries.compactMap { $0 }.map(History.line)
        guard !lines.isEmpty else { return }
        let tail = try tail()
        if tail.lines >= Checkpoint.interval { lines.insert(try Checkpoint.line(tail.standing), at: 0) }
        try disk.appendLine(Array(lines.joined(separator: [UInt8(ascii: "\n")])), to: historyFile)
    }

    /// The size of the history in bytes, or `nil` where there is none.
    private func historySize() throws -> UInt64? {
        guard let status = try HostFile.present(historyFile) else { return nil }
        guard status.kind == .file else { throw invalidHistory("is no regular file") }
        return status.size
    }

    private func invalidHistory(_ why: String) -> BundleError {
        BundleError(
            .invalidHistory, subject: historyFile.string,
            detail: "\(why); move it away: the next switch begins a new one, and 'rollback' then needs --to VERSION")
    }

    /// What the history comes to, and how many lines follow its last checkpoint.
    ///
    /// The end of the file is read in pieces that double until one holds a checkpoint, or is the whole.
    private func tail() throws -> (standing: Standing, lines: Int) {
        guard let size = try historySize() else { return (Standing(), 0) }
        let file = try HostFile.open(historyFile)
        defer { try? file.close() }
        var length: UInt64 = 64 << 10
        while true {
            let isWhole = length >= size
            guard min(length, size) <= UInt64(History.maximumBytes) else { break }
            let bytes = try read(file, from: isWhole ? 0 : size - length, upTo: size)
            // What stands before the first end of a line belongs to a line that began earlier.
            let whole = isWhole ? bytes[...] : bytes.drop { $0 != UInt8(ascii: "\n") }
            if let found = Self.reckon(whole, fromBeginning: isWhole) { return found }
            length *= 4
        }
        throw invalidHistory("tells nothing in its last \(History.maximumBytes >> 20) MiB")
    }

    private func read(_ file: FileDescriptor, from start: UInt64, upTo end: UInt64) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(end - start))
        var count = 0
        while count < bytes.count {
            let piece: Int
            do {
                piece = unsafe try bytes.withUnsafeMutableBytes { buffer in
                    unsafe try file.read(
                        fromAbsoluteOffset: Int64(start) + Int64(count),
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                }
            } catch let errno as Errno {
                throw BundleError.system("read", historyFile, errno)
            }
            guard piece > 0 else { break }
            count += piece
        }
        return Array(bytes.prefix(count))
    }

    /// What lines come to from the last checkpoint among them on; `nil` where there is none and they are not all.
    private static func reckon(_ bytes: ArraySlice<UInt8>, fromBeginning: Bool) -> (standing: Standing, lines: Int)? {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        var checkpoint: (index: Int, standing: Standing)?
        for index in lines.indices.reversed() where lines[index].starts(with: Checkpoint.mark) {
            guard let standing = Checkpoint.standing(lines[index]) else { continue }
            checkpoint = (index, standing)
            break
        }
        guard checkpoint != nil || fromBeginning else { return nil }
        let rest = lines[(checkpoint.map { $0.index + 1 } ?? 0)...]
        var standing = checkpoint?.standing ?? Standing()
        for entry in History(decoding: Array(rest.joined(separator: [UInt8(ascii: "\n")]))).entries {
            standing.take(entry)
        }
        return (standing, rest.count)
    }
}
