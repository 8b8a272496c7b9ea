internal import Artefact
internal import Dispatch
public import Transfer
public import Upstream

/// Brings inputs into the cache, several at once.
public struct InputFetcher: Sendable {
    /// How many transfers run at once.
    static let width = 4
    /// The largest image or archive in bytes.
    static let maximumInputBytes: UInt64 = 8 << 30
    /// The largest list, checksum file or signature in bytes.
    static let maximumDocumentBytes = 16 << 20

    /// Where they go.
    public let cache: InputCache
    /// Where they come from.
    public let mirrors: MirrorList
    private let settings: TransferSettings
    private let report: @Sendable (FetchEvent) -> Void
    private let isCancelled: @Sendable () -> Bool

    /// Joins the parts.
    ///
    /// - Parameters:
    ///   - cache: Where inputs go.
    ///   - mirrors: Where they come from.
    ///   - settings: How they are fetched.
    ///   - report: Is told what happens, from several threads.
    ///   - isCancelled: Is asked again and again whether to stop.
    public init(
        cache: InputCache, mirrors: MirrorList, settings: TransferSettings,
        report: @escaping @Sendable (FetchEvent) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.cache = cache
        self.mirrors = mirrors
        self.settings = settings
        self.report = report
        self.isCancelled = isCancelled
    }

    /// Requires that nobody wants to stop.
    ///
    /// - Throws: `TransferError` with `TransferError.Code.cancelled`.
    public func requireGoingOn() throws {
        guard isCancelled() else { return }
        throw TransferError(
            .cancelled, subject: "fetch",
            detail: "stopped; what came so far is in the cache, and nothing else was written")
    }

    /// Brings locked inputs into the cache; what is there already is not asked for.
    ///
    /// Mirrors that were named are asked, else the address in the lock and then upstream's own server.
    ///
    /// - Returns: The inputs in the order of the entries.
    /// - Throws: What the first one that fails throws; the others that run come to their end or stay resumable.
    public func fetch(_ entries: [InputLock.Entry]) async throws -> [CachedInput] {
        try await all(entries) { entry in
            var addresses = mirrors.addresses(entry.name)
            if mirrors.given.isEmpty { addresses = [entry.url] + addresses.filter { $0 != entry.url } }
            let expectation = TransferExpectation(size: entry.size, sha256: entry.sha256)
            return try get(entry.name, addresses, expecting: expectation, limit: entry.size)
        }
    }

    /// Brings inputs into the cache of which the size is known at most.
    func fetch(unlocked wanted: [(name: String, size: UInt64?)]) async throws -> [CachedInput] {
        try await all(wanted) { input in
            try get(
                input.name, mirrors.addresses(input.name), expecting: TransferExpectation(size: input.size),
                limit: input.size ?? Self.maximumInputBytes)
        }
    }

    /// Brings one input into the cache.
    func fetch(_ name: String, expecting expectation: TransferExpectation) async throws -> CachedInput {
        try await Self.apart {
            try get(name, mirrors.addresses(name), expecting: expectation, limit: Self.maximumInputBytes)
        }
    }

    /// A small file beside an input, or a list, of at most so many bytes; `nil` where the mirror has none.
    func document(
        _ name: String, at addresses: [String]? = nil, limit: Int = maximumDocumentBytes
    ) async throws -> CachedInput? {
        do {
            return try await Self.apart {
                try get(
                    name, addresses ?? mirrors.addresses(name), expecting: TransferExpectation(),
                    limit: UInt64(limit))
            }
        } catch let error as TransferError where error.code == .notFound {
            return nil
        } catch let error as FallOverError where error.failures.allSatisfy({ $0.code == .notFound }) {
            return nil
        }
    }

    private func get(
        _ name: String, _ addresses: [String], expecting expectation: TransferExpectation, limit: UInt64
    ) throws -> CachedInput {
        report(.began(name: name))
        let entry = try cache.fetch(
            CacheRequest(addresses, expecting: expectation, limit: limit), settings,
            report: { event in
                switch event {
                case .received(let bytes, let total): report(.received(name: name, bytes, of: total))
                case .waiting(let pause, let reason): report(.waiting(name: name, pause, reason: reason))
                }
            }, isCancelled: isCancelled)
        report(.done(name: name, size: entry.size, from: entry.address))
        return CachedInput(name: name, entry: entry)
    }

    /// Does something for each value, ``width`` at once, and keeps the order.
    private func all<Value: Sendable>(
        _ values: [Value], _ body: @escaping @Sendable (Value) throws -> CachedInput
    ) async throws -> [CachedInput] {
        try await withThrowingTaskGroup(of: (Int, CachedInput).self) { group in
            var results: [Int: CachedInput] = [:]
            var rest = values.indices[...]
            func add() {
                guard let index = rest.popFirst() else { return }
                let value = values[index]
                group.addTask { (index, try await Self.apart { try body(value) }) }
            }
            for _ in 0..<Self.width { add() }
            while let (index, input) = try await group.next() {
                results[index] = input
                add()
            }
            return values.indices.compactMap { results[$0] }
        }
    }

    /// Runs what blocks on a thread of its own.
    private static func apart<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// An input in the cache, by its name in a lock.
public struct CachedInput: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// The file in the cache.
    public let entry: InputCache.Entry
}
