import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer
import Upstream

/// A cache, a real server, and one file on it.
struct CacheBench: ~Copyable {
    let scratch: Scratch
    let server: Nginx
    let body: [UInt8]
    let cache: InputCache

    init(size: Int = 1_000_000) async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        var random = SeededGenerator(seed: 11)
        let body = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        try scratch.file("nginx/root/file", body)
        self.server = server
        self.body = body
        cache = InputCache(scratch.path.appending("cache"))
        self.scratch = scratch
    }

    var digest: Digest { Digest(of: body) }
    var address: String { "\(server.plain)/file" }

    static var settings: TransferSettings {
        var settings = TransferSettings()
        settings.backOff = .milliseconds(5)
        settings.retries = 1
        return settings
    }

    func request(_ addresses: String..., pin: Digest? = nil, size: UInt64? = nil, sha512: Bool = false) -> CacheRequest
    {
        CacheRequest(
            addresses, expecting: TransferExpectation(size: size, sha256: pin, wantsSHA512: sha512), limit: 1 << 30)
    }

    @discardableResult
    func fetch(_ request: CacheRequest) throws -> InputCache.Entry { try cache.fetch(request, Self.settings) }

    /// Runs the fetching program, perhaps under another one.
    func exercise(
        _ words: [String], under: [String] = [], environment: [String: String] = [:], address: String? = nil
    ) async throws -> ProgramResult {
        let program = try Product.ksbuild.removingLastComponent().appending("fetch-exercise").string
        let all = under + [program, address ?? self.address, cache.root.string] + words
        return try await run(all[0], Array(all.dropFirst()), environment: environment)
    }

    /// The beginning that is there.
    var partial: FilePath { cache.root.appending("partial").appending(Digest(of: address.utf8).hex) }

    /// Every file of the cache is what its name says, and nothing but those and beginnings is there.
    func judge(_ comment: String = "") throws {
        for listed in try cache.list() {
            let path = cache.path(listed.digest)
            #expect(try Digest(ofFile: path) == listed.digest, "\(comment)")
        }
        guard HostFile.exists(cache.root) else { return }
        let known = ["partial", "sha256", "used", "verified", ".lock"]
        #expect(try HostFile.names(in: cache.root).allSatisfy { known.contains($0) }, "\(comment)")
    }
}
