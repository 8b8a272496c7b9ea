internal import Artefact
internal import SystemPackage
internal import Transfer

/// Sending blobs: looked for first, taken from another repository where that has them, else sent in pieces, and gone on
/// with where an earlier attempt was cut off.
extension RegistryClient {
    /// An upload that the registry has begun.
    private struct Session {
        /// Where the next request goes.
        var location: String
        /// How many bytes the registry has.
        var offset: UInt64
        /// The fewest bytes of a piece that the registry takes, but for the last one.
        var smallest: UInt64 = 0
    }

    /// Sends a blob unless it is there.
    ///
    /// - Throws: ``RegistryError``, `TransferError`, `ArtefactError`.
    public func push(_ blob: Descriptor, from source: BlobSource) async throws -> Movement {
        guard try await !has(blob) else { return .present }
        if try await mount(blob) { return .mounted }
        let note = UploadNote(access.notes, "\(name)@\(blob.name)")
        var session = try await resumed(note, blob)
        var failures = 0
        // Only what goes further than ever before counts as progress: a registry that takes and loses the same pieces
        // again and again is given up.
        var furthest = session?.offset ?? 0
        func count(_ session: Session?) {
            guard let session, session.offset > furthest else { return }
            furthest = session.offset
            failures = 0
        }
        var sent: UInt64 = 0
        var piece = access.chunkBytes
        while true {
            if session == nil { session = try await begun(blob) }
            guard var current = session else { continue }
            note.write(current.location)
            if current.offset == blob.size {
                switch try await finish(current, blob) {
                case .answered: break
                case .later(let delay):
                    try await pause(&failures, delay)
                    if try await has(blob) { break }
                    session = try await status(current, blob)
                    continue
                }
                note.remove()
                return .sent(sent)
            }
            let before = current.offset
            let size = min(max(piece, current.smallest), blob.size - before)
            switch try await send(size, of: source, in: current) {
            case .answered(let answer) where (200..<300).contains(answer.status):
                current.location = try location(answer, from: current.location)
                // Of one byte, `0-0` says both that it is there and that nothing is.
                current.offset = before + size == 1 ? 1 : offset(answer, blob) ?? before + size
                sent += size
                session = current
                guard current.offset > before else {
                    try await pause(&failures, Delay("the registry does not take what is sent to it"))
                    continue
                }
                count(current)
                access.progress(current.offset)
            case .answered(let answer) where answer.status == 404 || answer.status == 416:
                // It has another count of bytes, or knows nothing of it any more. Some registries take only one piece.
                piece = blob.size
                try await pause(&failures, Delay("the registry has lost the upload (it answers \(answer.status))"))
                session = try await status(current, blob)
                count(session)
            case .answered(let answer): throw refusal(answer, "\(blob.name) is not taken")
            case .later(let delay):
                try await pause(&failures, delay)
                session = try await status(current, blob)
                count(session)
            }
        }
    }

    /// Whether the repository has a blob; one that it would send the client elsewhere for is there.
    private func has(_ blob: Descriptor) async throws -> Bool {
        let answer = try await send(HTTPRequest(.head, "blobs/\(blob.name)"), .pull)
        switch answer.status {
        case 200, 301, 302, 303, 307, 308: return true
        case 404: return false
        default: throw refusal(answer, "whether \(blob.name) is there")
        }
    }

    /// Has the registry take a blob from another repository; one that does not, for whatever reason, gets it sent.
    private func mount(_ blob: Descriptor) async throws -> Bool {
        for repository in access.mountedFrom where repository != reference.repository {
            let request = HTTPRequest(.post, "blobs/uploads/?mount=\(blob.name)&from=\(repository)")
            do {
                // 202 begins an upload instead, which the registry drops by itself after some time.
                if try await send(request, .push).status == 201 { return true }
            } catch let error as RegistryError where error.code == .denied {
                // The other repository may be one that this client must not read.
                continue
            }
        }
        return false
    }

    private func begun(_ blob: Descriptor) async throws -> Session {
        let answer = try await send(HTTPRequest(.post, "blobs/uploads/"), .push)
        guard answer.status == 202 else { throw refusal(answer, "an upload cannot be begun") }
        return Session(
            location: try location(answer, from: base), offset: 0,
            smallest: answer.field("oci-chunk-min-length").flatMap { UInt64($0) } ?? 0)
    }

    /// What an earlier command began and could not end.
    ///
    /// A registry that answers anything but how far that came, be it that the client may not ask, has the upload begun
    /// anew, and the new one takes the place of the old one in the note. One that cannot be reached says nothing of it.
    private func resumed(_ note: UploadNote, _ blob: Descriptor) async throws -> Session? {
        guard let location = note.read(), try Transfer.shareOrigin(location, base) else { return nil }
        var failures = 0
        do {
            while true {
                switch try await attempt(HTTPRequest(.get, location), .push) {
                case .answered(let answer): return try? session(answer, from: location, blob)
                case .later(let delay) where delay.isAnswer && failures >= access.settings.retries: return nil
                case .later(let delay): try await pause(&failures, delay)
                }
            }
        } catch let error as RegistryError where error.code == .denied {
            return nil
        }
    }

    /// How far an upload has come, or `nil` where the registry knows nothing of it.
    private func status(_ session: Session, _ blob: Descriptor) async throws -> Session? {
        let answer = try await send(HTTPRequest(.get, session.location), .push)
        return try self.session(answer, from: session.location, blob)
    }

    /// An upload as a registry tells of it that was asked how far it has come.
    private func session(_ answer: HTTPAnswer, from address: String, _ blob: Descriptor) throws -> Session? {
        guard answer.status == 204 || answer.status == 202 else { return nil }
        guard let offset = offset(answer, blob) else { return nil }
        return Session(location: try location(answer, from: address), offset: offset)
    }

    private func send(_ count: UInt64, of source: BlobSource, in session: Session) async throws -> Attempt {
        let body: HTTPRequest.Body
        switch source {
        case .bytes(let bytes):
            let start = Int(session.offset)
            body = .bytes(Array(bytes[start..<(start + Int(count))]))
        case .file(let path, _): body = .file(path, offset: session.offset, count: count)
        }
        let request = HTTPRequest(
            .patch, session.location,
            headers: [
                ("Content-Type", "application/octet-stream"),
                ("Content-Range", "\(session.offset)-\(session.offset + count - 1)"),
            ], body: body)
        let start = session.offset
        return try await attempt(request, .push, sent: { [access] bytes in access.progress(start + bytes) })
    }

    /// Says that all is sent, and has the registry compare the digest.
    private func finish(_ session: Session, _ blob: Descriptor) async throws -> Attempt {
        let mark = session.location.contains("?") ? "&" : "?"
        var request = HTTPRequest(
            .put, "\(session.location)\(mark)digest=sha256%3A\(blob.digest)",
            headers: [("Content-Type", "application/octet-stream")])
        // The registry reads all of it again.
        request.stallSeconds = 600
        let outcome = try await attempt(request, .push)
        guard case .answered(let answer) = outcome else { return outcome }
        switch answer.status {
        case 201, 204: return outcome
        case 404, 416: return .later(Delay("the registry has lost the upload (it answers \(answer.status))"))
        case 400 where RegistryProblem(answer).code == "DIGEST_INVALID":
            throw RegistryError(
                .wrongBytes, subject: name,
                detail:
                    "\(blob.name) arrived there with other bytes; its file changed while it "
                    + "was sent, or somebody on the "
                    + "way changes it: run again")
        default: throw refusal(answer, "\(blob.name) is not taken")
        }
    }

    private func location(_ answer: HTTPAnswer, from address: String) throws -> String {
        guard let location = answer.field("location") else {
            throw RegistryError(
                .unavailable, subject: name, detail: "the registry does not say where an upload goes on")
        }
        let next = try Transfer.address(location, from: address)
        guard next.hasPrefix("https://") || base.hasPrefix("http://") else {
            throw RegistryError(
                .unavailable, subject: name,
                detail:
                    "the registry wants an upload to go on without TLS (\(try Transfer.shown(next))), which is not safe"
            )
        }
        return next
    }

    /// The bytes that the registry has, by `Range: 0-LAST`; a registry that has none says `0-0` or nothing.
    private func offset(_ answer: HTTPAnswer, _ blob: Descriptor) -> UInt64? {
        guard let range = answer.field("range")?.replacing("bytes=", with: "") else { return nil }
        let ends = range.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends[0] == "0", let last = UInt64(ends[1]), last < blob.size else { return nil }
        return last == 0 ? 0 : last + 1
    }
}
