internal import Artefact
public import SystemPackage

/// Fetches files over HTTP, or from this host, one at a time; several transfers may run beside each other.
///
/// Bytes go to a partial file as they come and are digested on the way, so memory does not grow with the file. Beside
/// it, `PARTIAL.state` says of which file it is the beginning; with that, a transfer that was killed goes on where it
/// stopped, as long as the server still has the same file.
public struct Transfer: Sendable {
    let settings: TransferSettings

    /// Takes the settings for all transfers.
    public init(_ settings: TransferSettings) { self.settings = settings }

    /// Where the state of a partial file lies.
    public static func statePath(of partial: FilePath) -> FilePath { FilePath(partial.string + ".state") }

    /// Removes what the state of a partial file says, once that has another name.
    ///
    /// - Throws: `ArtefactError`.
    public static func removeState(of partial: FilePath) throws { try HostFile.remove(statePath(of: partial)) }

    /// Fetches a file; only one process may do so into the same partial file.
    ///
    /// - Parameters:
    ///   - text: Where it is: `https://…`, `http://…` or `file:///…`.
    ///   - partial: Where the bytes go; what is there of an earlier attempt is the beginning.
    ///   - expectation: What is known of it.
    ///   - limit: The most bytes that are taken.
    ///   - connections: Connections to use again; they are left open.
    ///   - report: Is told what happens.
    ///   - isCancelled: Is asked again and again whether to stop, at least once a second.
    /// - Returns: What came; all of it is at `partial`, synchronised.
    /// - Throws: ``TransferError``, or `ArtefactError` where the disk refuses. What came so far stays for another
    /// attempt,
    ///   but for bytes that cannot be right.
    public func fetch(
        _ text: String, into partial: FilePath, expecting expectation: TransferExpectation = TransferExpectation(),
        limit: UInt64, over connections: Connections? = nil, report: ((TransferEvent) -> Void)? = nil,
        isCancelled: @escaping () -> Bool = { false }
    ) throws -> Fetched {
        let address = try Address(text)
        let task = TransferTask(
            settings: settings, address: address, expectation: expectation, limit: limit, report: report,
            isCancelled: isCancelled, connections: connections)
        // The password is no part of what a file is, the query may be.
        let file = try PartialFile(
            partial, address: address.location, sha512: expectation.wantsSHA512, isCancelled: isCancelled)
        let before = file.size
        do {
            guard !isCancelled() else { throw task.cancelled }
            guard address.scheme != "file" else { return try LocalSource.copy(task, file) }
            return try TransferLoop(task, file).run()
        } catch {
            // The beginning of nothing is worth no name.
            if file.size == 0, !isCancelled() { try? file.remove() }
            guard let error = error as? TransferError else { throw error }
            // An answer that was refused by its head says nothing about what came before it.
            let hasWrongBytes = error.code == .wrongSize && file.size != before
            if hasWrongBytes || error.code == .wrongDigest && !expectation.keepsOther { try file.remove() }
            throw error
        }
    }
}
