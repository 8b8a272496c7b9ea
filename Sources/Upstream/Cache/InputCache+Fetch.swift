public import Artefact
internal import SystemPackage
public import Transfer

/// What is to be fetched into a cache.
public struct CacheRequest: Hashable, Sendable {
    /// Where it may be had; the first is asked first.
    public var addresses: [String]
    /// What is known of it.
    public var expectation: TransferExpectation
    /// The most bytes that are taken.
    public var limit: UInt64

    /// Joins the three.
    public init(
        _ addresses: [String], expecting expectation: TransferExpectation = TransferExpectation(), limit: UInt64
    ) {
        self.addresses = addresses
        self.expectation = expectation
        self.limit = limit
    }
}

/// Why none of several addresses gave a file.
public struct FallOverError: Failure, Hashable {
    /// What each address came to, in the order in which they were asked.
    public let failures: [TransferError]

    /// One line: each address and what happened.
    public var description: String {
        "none of \(failures.count) addresses gives the file: " + failures.map(\.description).joined(separator: "; ")
    }

    /// Wrong data where an address gave any; else that of an address that may give the file later; else that of the first.
    public var failureClass: FailureClass {
        let classes = failures.map(\.failureClass)
        return [.data, .unavailable].first { classes.contains($0) } ?? classes.first ?? .unavailable
    }
}

/// Getting inputs into the cache.
extension InputCache {
    /// An input that is in the cache already, or is fetched.
    ///
    /// Two processes that fetch from the same address wait for each other, and the second finds what the first fetched.
    /// A file that comes whole and has another digest than is expected is kept under its own digest, so that a wrong pin
    /// costs no second download; it is an error all the same.
    ///
    /// - Parameters:
    ///   - request: What is wanted.
    ///   - settings: How it is fetched.
    ///   - report: Is told what happens.
    ///   - isCancelled: Is asked again and again whether to stop.
    /// - Returns: Where it lies, and its digests.
    /// - Throws: `TransferError`, or ``FallOverError`` where several addresses fail; `ArtefactError` where the disk
    ///   refuses.
    public func fetch(
        _ request: CacheRequest, _ settings: TransferSettings, report: ((TransferEvent) -> Void)? = nil,
        isCancelled: @escaping () -> Bool = { false }
    ) throws -> Entry {
        if let entry = try present(request) { return entry }
        try HostFile.makeDirectories(partials)
        var failures: [TransferError] = []
        for address in request.addresses {
            do {
                return try fetch(address, request, settings, report, isCancelled)
            } catch let error as TransferError {
                // Another address mends neither of the two.
                guard error.code != .cancelled, error.code != .invalidSetting else { throw error }
                failures.append(error)
            }
        }
        if failures.count == 1, let only = failures.first { throw only }
        guard !failures.isEmpty else {
            throw TransferError(.invalidAddress, subject: "address", detail: "none is given to fetch from")
        }
        throw FallOverError(failures: failures)
    }

    /// The input that a request pins, if it is there.
    private func present(_ request: CacheRequest) throws -> Entry? {
        guard let digest = request.expectation.sha256 else { return nil }
        return try entry(digest, request)
    }

    private func entry(_ digest: Digest, _ request: CacheRequest, from address: String? = nil) throws -> Entry? {
        guard let path = try find(digest) else { return nil }
        let wantsSHA512 = request.expectation.wantsSHA512
        let sha512 = wantsSHA512 ? try FileDigests(of: path, sha512: true).sha512 : nil
        let size = try HostFile.status(of: path).size
        guard size == request.expectation.size ?? size else {
            throw TransferError(
                .wrongSize, subject: digest.hex,
                detail: "the cache has the file with this digest, of \(size) bytes where"
                    + " \(request.expectation.size ?? size) are expected; check the pinned size")
        }
        return Entry(path: path, size: size, sha256: digest, sha512: sha512, address: address)
    }

    private func fetch(
        _ address: String, _ request: CacheRequest, _ settings: TransferSettings, _ report: ((TransferEvent) -> Void)?,
        _ isCancelled: @escaping () -> Bool
    ) throws -> Entry {
        let name = Digest(of: address.utf8).hex
        let partial = partials.appending(name)
        let memo = partials.appending("\(name).got")
        let begun = try FileFingerprint.now(in: partials)
        let entry = try CacheLock.hold(partials.appending("\(name).lock"), isCancelled: isCancelled) { hasWaited in
            // Between the look into the cache and the lock another process may have ended.
            if let entry = try present(request) { return entry }
            if hasWaited, request.expectation.sha256 == nil, let entry = try left(memo, since: begun, request) {
                return entry
            }
            return try transfer(address, request, settings, into: partial, memo, report, isCancelled)
        }
        guard let entry else {
            throw TransferError(.cancelled, subject: "cache", detail: "stopped while another process fetches the file")
        }
        return entry
    }

    /// What another process fetched while this one waited for it.
    private func left(_ memo: FilePath, since begun: FileTime, _ request: CacheRequest) throws -> Entry? {
        guard let file = FileFingerprint(of: memo, followingLinks: false), file.changed >= begun,
            let bytes = try? HostFile.read(memo, limit: 100),
            let digest = try? Digest(hex: String(decoding: bytes.prefix(64), as: UTF8.self))
        else { return nil }
        return try entry(digest, request)
    }

    private func transfer(
        _ address: String, _ request: CacheRequest, _ settings: TransferSettings, into partial: FilePath,
        _ memo: FilePath, _ report: ((TransferEvent) -> Void)?, _ isCancelled: @escaping () -> Bool
    ) throws -> Entry {
        var expectation = request.expectation
        expectation.keepsOther = true
        let fetched: Fetched
        do {
            fetched = try Transfer(settings).fetch(
                address, into: partial, expecting: expectation, limit: request.limit, report: report,
                isCancelled: isCancelled)
        } catch let error as TransferError where error.code == .wrongDigest {
            // What ends where a connection ended may be half of something.
            if let received = error.received, received.hasStatedSize {
                try insert(partial, received.sha256)
            } else {
                try HostFile.remove(partial)
                try Transfer.removeState(of: partial)
            }
            throw error
        }
        try insert(partial, fetched.sha256)
        if request.expectation.sha256 == nil {
            try StagedFile.write(Array("\(fetched.sha256)\n".utf8), to: memo, mode: EntryMode(0o600))
        }
        return Entry(
            path: path(fetched.sha256), size: fetched.size, sha256: fetched.sha256, sha512: fetched.sha512,
            address: fetched.address)
    }

    /// Gives a whole file its name.
    private func insert(_ partial: FilePath, _ digest: Digest) throws {
        let target = path(digest)
        let folder = target.removingLastComponent()
        try HostFile.makeDirectories(folder)
        try HostFile.setMode(of: partial, EntryMode(0o444))
        markUsed(digest)
        try CacheLock.hold(root.appending(".lock")) {
            try HostFile.rename(partial, to: target)
            try HostFile.synchronise(directory: folder)
        }
        try Transfer.removeState(of: partial)
        note(digest)
    }
}
