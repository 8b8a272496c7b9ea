public import Artefact
internal import FoundationEssentials
public import SystemPackage
internal import Transfer

/// A repository of a registry, by the OCI distribution specification 1.1.
public final class RegistryClient: Repository {
    /// What a request does, which decides the token that it needs.
    enum Action: String {
        case pull
        case push = "pull,push"
    }

    /// The largest answer that is taken besides manifests and blobs, in bytes.
    static let maximumAnswerBytes = 1 << 20

    let reference: RegistryReference
    let access: RegistryAccess
    var login: RegistryLogin
    private let connections = Connections()
    private var scheme: String
    /// Whether the server has answered, and with that shown which scheme it speaks.
    private var hasAnswered = false

    /// Names a repository; nothing is asked for yet.
    public init(_ reference: RegistryReference, _ access: RegistryAccess) {
        var access = access
        // Credentials for this host, and what it speaks without TLS, are for no proxy.
        access.settings.reachesLoopbackDirectly = true
        self.reference = reference
        self.access = access
        scheme = access.isPlain ? "http" : "https"
        login = RegistryLogin(reference, access)
    }

    /// `oci://REGISTRY/REPOSITORY`.
    public var name: String { "oci://\(reference.registry)/\(reference.repository)" }

    private var host: String { reference.registry == "docker.io" ? "registry-1.docker.io" : reference.registry }
    var base: String { "\(scheme)://\(host)/v2/\(reference.repository)/" }

    /// Makes a request and repeats it while it fails in a way that may pass.
    ///
    /// - Parameters:
    ///   - request: The request; its address may be relative to the repository.
    ///   - action: What it does.
    ///   - limit: The most bytes of the answer's body.
    /// - Returns: What the server answered, unless that is 401, 403, 429 or 5xx.
    /// - Throws: ``RegistryError``, `TransferError`, `ArtefactError`.
    func send(_ request: HTTPRequest, _ action: Action, limit: Int = maximumAnswerBytes) async throws -> HTTPAnswer {
        var failures = 0
        while true {
            switch try await attempt(request, action, limit: limit) {
            case .answered(let answer): return answer
            case .later(let delay): try await pause(&failures, delay)
            }
        }
    }

    /// The same, once, so that the caller can see how far it came.
    func attempt(
        _ request: HTTPRequest, _ action: Action, limit: Int = maximumAnswerBytes, sent: ((UInt64) -> Void)? = nil
    ) async throws -> Attempt {
        var hasLoggedIn = false
        while true {
            var request = request
            let root = "\(scheme)://\(host)/"
            request.address = try Transfer.address(request.address, from: base)
            let isOwn = try Transfer.shareOrigin(request.address, root)
            // What leads elsewhere, such as the place of an upload, sees no credentials.
            let settings = isOwn ? login.settings(for: action) : access.settings
            let outcome: HTTPOutcome
            do {
                outcome = try Transfer(settings).send(
                    request, limit: limit, over: connections, sent: sent, isCancelled: access.isCancelled)
            } catch let error as TransferError where error.code == .withoutTLS {
                guard reference.isLoopback, scheme == "https", !hasAnswered else { throw hint(error) }
                scheme = "http"
                continue
            }
            let answer: HTTPAnswer
            switch outcome {
            case .answered(let given): answer = given
            case .broken(let reason): return .later(Delay(reason))
            }
            hasAnswered = true
            switch answer.status {
            case 401 where isOwn && !hasLoggedIn:
                hasLoggedIn = true
                try await login.answer(answer, action, isPlain: scheme == "http")
            case 401, 403: throw login.denial(answer, action, at: name)
            case 429, 500...599:
                let problem = RegistryProblem(answer)
                if problem.isFull {
                    throw RegistryError(
                        .unavailable, subject: name,
                        detail:
                            "the registry's disk is full (it answers \(answer.status)); make "
                            + "room there, then run again: "
                            + "what it has already is not sent again")
                }
                return .later(Delay("the registry answers \(problem)", answer))
            default: return .answered(answer)
            }
        }
    }

    private func hint(_ error: TransferError) -> RegistryError {
        RegistryError(
            .unavailable, subject: name,
            detail: "\(error.detail); where the registry has no TLS and nobody listens on the way, say --plain-http")
    }

    /// Waits before the next attempt, at least as long as the registry asks for.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/unavailable`` after the last one.
    func pause(_ failures: inout Int, _ delay: Delay) async throws {
        failures += 1
        guard failures <= access.settings.retries else {
            throw RegistryError(
                .unavailable, subject: name,
                detail:
                    "\(delay.reason), also at the last of \(failures) attempts; run again later, it goes on where it stopped"
            )
        }
        let wait = max(access.settings.backOff * (1 << min(failures - 1, 3)), .seconds(delay.seconds))
        access.waiting("\(name): \(delay.reason)", wait.components.seconds)
        let end = ContinuousClock.now + wait
        while ContinuousClock.now < end {
            guard !access.isCancelled() else {
                throw RegistryError(
                    .cancelled, subject: name, detail: "stopped; run again, it goes on where it stopped")
            }
            try await Task.sleep(for: min(end - ContinuousClock.now, .milliseconds(100)))
        }
    }

    /// The error for an answer that no request of this kind should get.
    func refusal(_ answer: HTTPAnswer, _ what: String) -> RegistryError {
        let problem = RegistryProblem(answer)
        switch answer.status {
        case 404:
            return RegistryError(
                .notFound, subject: name, detail: "\(what): the registry answers \(problem); check the name")
        case 300..<400:
            return RegistryError(
                .unavailable, subject: name,
                detail: "\(what): the registry sends the client elsewhere, where it does not follow")
        default:
            return RegistryError(.unavailable, subject: name, detail: "\(what): the registry answers \(problem)")
        }
    }

    /// Sends a manifest.
    public func push(manifest bytes: [UInt8], mediaType: String, as name: ManifestName) async throws -> Bool {
        let request = HTTPRequest(
            .put, "manifests/\(name)", headers: [("Content-Type", mediaType)], body: .bytes(bytes))
        let answer = try await send(request, .push)
        guard (200..<300).contains(answer.status) else {
            throw refusal(answer, "manifest \(name) is not taken")
        }
        return answer.field("oci-subject") != nil
    }

    /// The manifest of a tag or digest.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/wrongBytes`` where it has another digest than is asked
    /// for.
    public func manifest(_ name: ManifestName) async throws -> FoundManifest? {
        let kinds = [
            ImageManifest.mediaType, ImageIndex.mediaType, "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
        ]
        let request = HTTPRequest(.get, "manifests/\(name)", headers: [("Accept", kinds.joined(separator: ", "))])
        let answer = try await send(request, .pull, limit: ImageDocument.maximumBytes)
        guard answer.status != 404 else { return nil }
        guard answer.status == 200 else { throw refusal(answer, "manifest \(name)") }
        let type = answer.field("content-type")?.split(separator: ";").first.map(String.init) ?? ImageManifest.mediaType
        let found = FoundManifest(answer.body, mediaType: type)
        let told = answer.field("docker-content-digest")
        let isWrong: Bool
        if case .digest(let digest) = name {
            isWrong = found.descriptor.digest != digest
        } else {
            isWrong = told.map { $0.hasPrefix("sha256:") && $0 != found.descriptor.name } ?? false
        }
        guard !isWrong else {
            throw RegistryError(
                .wrongBytes, subject: "\(self.name):\(name)",
                detail:
                    "arrives with the digest \(found.descriptor.name); the registry's storage "
                    + "is damaged, or somebody on "
                    + "the way changes it")
        }
        return found
    }

    /// Brings a blob, by ranges where an earlier attempt was cut off.
    public func fetch(_ blob: Descriptor, into partial: FilePath) async throws {
        guard blob.size > 0 else {
            try StagedFile.write([], to: partial, mode: EntryMode(0o600))
            return try require(Digest(of: []) == blob.digest, blob)
        }
        let address = try Transfer.address("blobs/\(blob.name)", from: base)
        var hasLoggedIn = false
        while true {
            do {
                _ = try Transfer(login.settings(for: .pull)).fetch(
                    address, into: partial, expecting: TransferExpectation(size: blob.size, sha256: blob.digest),
                    limit: blob.size, over: connections,
                    report: { [access, name] event in
                        switch event {
                        case .received(let bytes, _): access.progress(bytes)
                        case .waiting(let pause, let reason):
                            access.waiting("\(name): \(reason)", pause.components.seconds)
                        }
                    }, isCancelled: access.isCancelled)
                return try Transfer.removeState(of: partial)
            } catch let error as TransferError {
                switch error.code {
                case .denied where !hasLoggedIn:
                    // A token may have run out; this request has it renewed.
                    hasLoggedIn = true
                    _ = try await send(HTTPRequest(.head, "blobs/\(blob.name)"), .pull)
                case .wrongDigest, .wrongSize: try require(false, blob)
                case .notFound:
                    throw RegistryError(
                        .notFound, subject: name, detail: "\(blob.name) is not there; publish the bundle again")
                default: throw error
                }
            }
        }
    }

    private func require(_ isRight: Bool, _ blob: Descriptor) throws {
        guard !isRight else { return }
        throw RegistryError(
            .wrongBytes, subject: name,
            detail:
                "\(blob.name) arrives with other bytes than its digest says; the registry's "
                + "storage is damaged, or somebody "
                + "on the way changes it: remove that blob there and publish the bundle again")
    }

    /// The tags of the first pages, 4 MiB of them at most, in byte order.
    ///
    /// A page that leads to another server or to one that was read already ends the list.
    public func tags(pages: Int) async throws -> [String] {
        struct Page: Decodable { let tags: [String]? }
        var tags: Set<String> = []
        var next: String? = "tags/list?n=1000"
        var read: Set<String> = []
        var rest = ImageDocument.maximumBytes
        while let address = next, read.count < pages, rest > 0 {
            let answer = try await send(HTTPRequest(.get, address), .pull, limit: min(rest, Self.maximumAnswerBytes))
            guard answer.status != 404 else { break }
            guard answer.status == 200 else { throw refusal(answer, "the list of tags") }
            rest -= answer.body.count
            tags.formUnion(try ImageDocument.decoded(Page.self, answer.body, named: "\(name): tags").tags ?? [])
            // Only now is known which scheme the registry speaks.
            let page = try Transfer.address(address, from: base)
            read.insert(page)
            // RFC 8288: <ADDRESS>; rel="next"
            guard let link = answer.field("link"), link.contains("rel=\"next\"") else { break }
            let following = String(link.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
            next = try Transfer.address(following, from: page)
            guard let next, try Transfer.shareOrigin(next, base), !read.contains(next) else { break }
        }
        return tags.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// What the registry lists, or `nil` where it keeps no such list.
    public func listedReferrers(of subject: Digest) async throws -> [Descriptor]? {
        let answer = try await send(
            HTTPRequest(.get, "referrers/sha256:\(subject)"), .pull, limit: ImageDocument.maximumBytes)
        guard answer.status == 200 else { return nil }
        return try ImageIndex(decoding: answer.body, named: "\(name): referrers").manifests
    }
}
