internal import Artefact

/// Takes an answer as it comes: decides by its head what it means, and puts its body where it belongs.
final class Receiver: AnswerTaker {
    /// What an answer comes to.
    enum Verdict {
        /// Its body is the file, or the rest of it.
        case body
        /// The file is somewhere else.
        case redirect(String)
        /// What is there already is not the beginning of what the server has.
        case startOver
        /// It may be had later, in some seconds where the server says so.
        case later(String, after: Int?)
    }

    private(set) var head = ResponseHead()
    private(set) var verdict: Verdict?
    /// Why the answer was given up.
    private(set) var failure: (any Error)?
    /// The size of the whole file, where the server states it.
    private(set) var total: UInt64?

    let partial: PartialFile
    let task: TransferTask
    /// The first byte that was asked for.
    let offset: UInt64
    private let subject: String

    init(_ task: TransferTask, _ partial: PartialFile, subject: String) {
        self.task = task
        self.partial = partial
        self.subject = subject
        offset = partial.size
        super.init(isCancelled: task.isCancelled)
    }

    /// Takes a line of the head, or of what follows the body.
    ///
    /// - Returns: Whether to go on.
    override func takeLine(_ line: [UInt8]) -> Bool {
        let wasComplete = head.isComplete
        guard head.take(line) else {
            failure = TransferError(
                .unavailable, subject: subject,
                detail: "the head of the answer is longer than \(ResponseHead.maximumBytes) bytes")
            return false
        }
        guard head.isComplete, !wasComplete else { return true }
        do {
            let verdict = try judge()
            self.verdict = verdict
            guard case .body = verdict else { return false }
            return true
        } catch {
            failure = error
            return false
        }
    }

    /// Takes a piece of the body.
    ///
    /// - Returns: Whether to go on.
    override func takeBody(_ bytes: Span<UInt8>) -> Bool {
        guard failure == nil, case .body = verdict else { return false }
        do {
            let size = partial.size + UInt64(bytes.count)
            guard size <= task.largest else { throw tooLarge(nil) }
            try partial.append(bytes)
            task.report?(.received(size, of: total ?? task.expectation.size))
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func judge() throws -> Verdict {
        switch head.status {
        case 200:
            try require(head.contentLength)
            try partial.begin(head.validator, total: head.contentLength)
            total = head.contentLength
            return .body
        case 206: return try judgePart()
        case 416: return .startOver
        case 301, 302, 303, 307, 308:
            guard let location = head.location else {
                throw error(.badRedirect, "answers \(head.status) and does not say where the file is")
            }
            return .redirect(location)
        case 404, 410: throw error(.notFound, "is not there (the server answers \(head.status))")
        case 401, 403:
            throw error(
                .denied,
                "the server does not give it to this client (it answers \(head.status)); give credentials by"
                    + " --netrc FILE or --token-file FILE")
        case 407: throw error(.denied, "the proxy wants other credentials (it answers 407)")
        case 408, 425, 429, 500...599:
            return .later("the server answers \(head.status)", after: head.retryAfter)
        default: throw error(.unavailable, "the server answers \(head.status), which is no answer to this request")
        }
    }

    /// Whether a part continues what is there: it begins where that ends, and is of the same file.
    private func judgePart() throws -> Verdict {
        guard offset > 0, let state = partial.state, let range = head.contentRange, range.first == offset else {
            return .startOver
        }
        let told = state.validator.isEntityTag ? head.entityTag : head.lastModified
        guard told == nil || told == state.validator.text else { return .startOver }
        if let known = state.total, let now = range.total, known != now { return .startOver }
        try require(range.total)
        total = range.total ?? state.total
        partial.goOn()
        return .body
    }

    /// Requires that a file of the stated size may come.
    private func require(_ size: UInt64?) throws {
        guard let size else { return }
        if let expected = task.expectation.size, size != expected {
            throw error(
                .wrongSize, "has \(size) bytes where \(expected) are expected; check the address and the pinned size")
        }
        guard size <= task.limit else { throw tooLarge(size) }
    }

    private func tooLarge(_ size: UInt64?) -> TransferError {
        let told = size.map { "has \($0) bytes" } ?? "has more bytes"
        if let expected = task.expectation.size, expected < task.limit {
            return error(.wrongSize, "\(told) than the \(expected) that are expected; check the address")
        }
        return error(.wrongSize, "\(told) where at most \(task.limit) are taken; check the address")
    }

    private func error(_ code: TransferError.Code, _ detail: String) -> TransferError {
        TransferError(code, subject: subject, detail: detail)
    }
}
