internal import Artefact
internal import Glibc

/// Asks again and again until a file is there, or it is clear that it will not come.
struct TransferLoop {
    /// Attempts do not count as long as each brings at least so many bytes further than any before.
    private static let progressBytes: UInt64 = 1 << 20
    /// The longest that a server may have the client wait, in seconds.
    private static let longestWait = 60

    private let task: TransferTask
    private let partial: PartialFile
    private var failures = 0
    private var furthest: UInt64
    private var hasStartedOver = false
    private var hasEnded = false
    private var source: Address
    private var stated: UInt64?

    init(_ task: TransferTask, _ partial: PartialFile) {
        self.task = task
        self.partial = partial
        furthest = partial.size
        source = task.address
    }

    /// Brings the file.
    ///
    /// - Throws: ``TransferError`` or `ArtefactError`.
    consuming func run() throws -> Fetched {
        while true {
            if try hasEnded || isWhole() {
                do {
                    return try conclude()
                } catch let error as TransferError where error.code == .wrongDigest && partial.isPieced {
                    // Perhaps the pieces are not of the same file, whatever the server said.
                    guard !hasStartedOver else { throw error }
                    try startOver()
                    continue
                }
            }
            if partial.state == nil, partial.size > 0 { try partial.discard() }
            switch try followed() {
            // Without a size from anybody, libcurl's word that all is there is the only one.
            case .ended where isEnded(): hasEnded = true
            case .ended:
                let size = task.expectation.size ?? stated ?? 0
                try pause("the connection ended after \(partial.size) of \(size) bytes", nil)
            case .later(let reason, let seconds): try pause(reason, seconds)
            case .startOver where !hasStartedOver: try startOver()
            case .startOver, .redirect:
                throw error(.unavailable, "the server does not give the part of the file that is asked for")
            }
        }
    }

    /// Whether nothing needs to be asked for: all bytes are there and there is a digest that judges them.
    private mutating func isWhole() throws -> Bool {
        guard let total = partial.state?.total, partial.size == total, total == task.expectation.size ?? total else {
            return false
        }
        stated = total
        guard task.expectation.sha256 == nil else { return true }
        try partial.giveUpLastByte()
        return false
    }

    /// Whether as many bytes are there as are expected and were promised.
    private func isEnded() -> Bool {
        partial.size == task.expectation.size ?? partial.size && partial.size == stated ?? partial.size
    }

    private mutating func startOver() throws {
        hasStartedOver = true
        hasEnded = false
        stated = nil
        try partial.discard()
    }

    /// One attempt: the task's address, and on to where servers say that the file is.
    private mutating func followed() throws -> Exchange.Ending {
        stated = nil
        source = task.address
        for _ in 0...max(0, task.settings.maximumRedirects) {
            guard !task.isCancelled() else { throw task.cancelled }
            let ending = try Exchange.run(source, task, partial, stated: &stated)
            guard case .redirect(let location) = ending else { return ending }
            let next = try source.following(location)
            guard next.scheme == "https" || next.scheme == source.scheme else {
                throw error(
                    .badRedirect, "the server sends the client on to \(next.shown), which is not safe to follow")
            }
            source = next
        }
        throw error(
            .badRedirect, "the server sends the client on more than \(task.settings.maximumRedirects) times")
    }

    /// Waits before the next attempt.
    private mutating func pause(_ reason: String, _ seconds: Int?) throws {
        // What cannot be resumed is no progress.
        if partial.state != nil, partial.size >= furthest + Self.progressBytes { failures = 0 }
        if partial.state != nil { furthest = max(furthest, partial.size) }
        failures += 1
        guard failures <= task.settings.retries else {
            throw error(.unavailable, "\(reason), also at the last of \(failures) attempts; try again later")
        }
        let own = task.settings.backOff * (1 << min(failures - 1, 3))
        let wait = max(own, .seconds(min(seconds ?? 0, Self.longestWait)))
        task.report?(.waiting(wait, reason: reason))
        let end = ContinuousClock.now + wait
        while ContinuousClock.now < end {
            guard !task.isCancelled() else { throw task.cancelled }
            let rest = min(end - ContinuousClock.now, .milliseconds(100))
            usleep(UInt32(max(0, rest / .microseconds(1))))
        }
    }

    /// Takes the file for whole and compares it with what is expected.
    private func conclude() throws -> Fetched {
        try partial.conclude(task, from: source, stated: stated)
    }

    private func error(_ code: TransferError.Code, _ detail: String) -> TransferError {
        TransferError(code, subject: source.shown, detail: detail)
    }
}

extension PartialFile {
    /// Makes the file durable and compares it with what is expected.
    ///
    /// - Throws: ``TransferError`` with ``TransferError/Code/wrongDigest``, or `ArtefactError`.
    func conclude(_ task: TransferTask, from source: Address, stated: UInt64?) throws -> Fetched {
        let digests = try finish()
        let fetched = Fetched(
            size: size, sha256: digests.sha256, sha512: digests.sha512, address: task.address.shown,
            hasStatedSize: stated == size)
        guard let expected = task.expectation.sha256, expected != digests.sha256 else { return fetched }
        throw TransferError(
            .wrongDigest, subject: source.shown,
            detail:
                "has SHA-256 \(digests.sha256) where \(expected) is expected (\(size) bytes); the file is not the one"
                + " that was pinned, or the pin is wrong",
            received: fetched)
    }
}
