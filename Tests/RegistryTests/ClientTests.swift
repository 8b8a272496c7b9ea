import Artefact
import Registry
import ServerSupport
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Access that waits for nothing.
func quick(_ login: FilePath? = nil, authority: FilePath? = nil) -> RegistryAccess {
    var settings = TransferSettings(userAgent: "ksbuild-test")
    settings.backOff = .milliseconds(5)
    settings.retries = 2
    settings.stallSeconds = 2
    settings.certificates = authority
    let environment = login.map { ["REGISTRY_AUTH_FILE": $0.string] } ?? [:]
    return RegistryAccess(settings: settings, credentials: CredentialFiles(environment: environment, home: nil))
}

/// Bytes that are the same every time.
func blob(_ count: Int, seed: UInt64 = 3) -> (Descriptor, [UInt8]) {
    var random = SeededGenerator(seed: seed)
    let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    return (Descriptor(mediaType: "application/octet-stream", of: bytes), bytes)
}

/// The client against a real registry, alone and behind a front that has what it lacks.
struct ClientTests {
    private static func login(_ scratch: borrowing Scratch, _ host: String, _ entry: String) throws -> FilePath {
        try scratch.file("login-\(UInt32.random(in: 0...UInt32.max)).json", #"{"auths":{"\#(host)":\#(entry)}}"#)
    }

    @Test func `blobs and manifests go there and come back, by TLS and with a login`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch)
        let client = RegistryClient(
            try RegistryReference("\(registry.host)/team/edge"), quick(registry.login, authority: registry.authority))
        let (descriptor, bytes) = blob(100_000)
        let file = try scratch.file("blob", bytes)
        #expect(try await client.push(descriptor, from: .file(file)) == .sent(100_000))
        #expect(try await client.push(descriptor, from: .file(file)) == .present)
        let (one, single) = blob(1)
        #expect(try await client.push(one, from: .bytes(single)) == .sent(1))
        let (none, nothing) = blob(0)
        #expect(try await client.push(none, from: .bytes(nothing)) == .sent(0))
        _ = try await client.push(.empty, from: .bytes(Descriptor.emptyBytes))
        let manifest = ImageManifest(artifactType: "application/x", layers: [descriptor, none])
        #expect(try await !client.push(manifest: manifest.encoded(), mediaType: ImageManifest.mediaType, as: .tag("1")))
        let found = try #require(try await client.manifest(.tag("1")))
        #expect(found.bytes == (try manifest.encoded()))
        #expect(try await client.manifest(.digest(found.descriptor.digest)) == found)
        #expect(try await client.manifest(.tag("2")) == nil)
        #expect(try await client.tags(pages: 1) == ["1"])
        let part = scratch.path.appending("part")
        try await client.fetch(descriptor, into: part)
        #expect(try HostFile.read(part, limit: 1 << 20) == bytes)
        try await client.fetch(none, into: part)
        #expect(try HostFile.read(part, limit: 1 << 20) == [])
        #expect(try HostFile.names(in: scratch.path).allSatisfy { !$0.hasSuffix(".state") })
    }

    @Test func `a registry that takes a blob in one piece only gets it so`() async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "sessions", "whole")
        var access = quick()
        access.chunkBytes = 1000
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        let (descriptor, bytes) = blob(2500)
        _ = try await client.push(descriptor, from: .bytes(bytes))
        #expect(front.requests.filter { $0.method == "PATCH" }.map(\.bytes) == [1000, 1000, 2500])
        #expect(try Digest(ofFile: front.registry.blob(descriptor.digest.hex)) == descriptor.digest)
    }

    @Test(.timeLimit(.minutes(5))) func `a registry that forgets each upload again and again is given up`() async throws
    {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "sessions", "forgetful")
        var access = quick()
        access.chunkBytes = 1000
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        let (descriptor, bytes) = blob(2500)
        let error = await #expect(throws: RegistryError.self) {
            try await client.push(descriptor, from: .bytes(bytes))
        }
        #expect(error?.code == .unavailable)
        #expect("\(error.map { "\($0)" } ?? "")".contains("the registry has lost the upload"))
        let pieces = front.requests.filter { $0.method == "PATCH" }
        #expect((4...8).contains(pieces.count))
    }

    @Test func `one connection does for everything`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch, .none)
        let client = RegistryClient(try RegistryReference("\(registry.host)/a"), quick())
        let before = registry.clients.count
        for seed in UInt64(0)..<5 {
            let (descriptor, bytes) = blob(1000, seed: seed)
            _ = try await client.push(descriptor, from: .bytes(bytes))
            try await client.fetch(descriptor, into: scratch.path.appending("part"))
        }
        let clients = registry.clients.dropFirst(before)
        #expect(clients.count >= 20)
        #expect(Set(clients).count == 1, "\(Set(clients))")
    }

    @Test func `a blob that another repository has is mounted`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch)
        var access = quick(registry.login, authority: registry.authority)
        let (descriptor, bytes) = blob(50_000)
        _ = try await RegistryClient(RegistryReference("\(registry.host)/a"), access).push(
            descriptor, from: .bytes(bytes))
        access.mountedFrom = ["none/such", "a"]
        let client = RegistryClient(try RegistryReference("\(registry.host)/b"), access)
        #expect(try await client.push(descriptor, from: .bytes(bytes)) == .mounted)
        #expect(try await client.push(descriptor, from: .bytes(bytes)) == .present)
    }

    @Test func `an upload that ended between two pieces goes on with the next, also after a restart`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch)
        var access = quick(registry.login, authority: registry.authority)
        access.chunkBytes = 100_000
        access.notes = scratch.path.pushing("out/.uploads")
        let (descriptor, bytes) = blob(450_000)
        let file = try scratch.file("blob", bytes)
        // It is told twice: when the last byte of the piece is sent, and when the registry has said that it has it.
        let reached = Mutex(0)
        var stopping = access
        stopping.progress = { bytes in reached.withLock { $0 += bytes == 200_000 ? 1 : 0 } }
        stopping.isCancelled = { reached.withLock { $0 == 2 } }
        let reference = try RegistryReference("\(registry.host)/a")
        await #expect(throws: (any Error).self) {
            try await RegistryClient(reference, stopping).push(descriptor, from: .file(file))
        }
        let notes = try #require(access.notes)
        let names = try HostFile.names(in: notes)
        #expect(names.count == 2, "\(names)")
        #expect(try names.allSatisfy { try HostFile.status(of: notes.appending($0)).mode == EntryMode(0o600) })
        try await registry.stop()
        try await registry.start()
        let sent = try await RegistryClient(reference, access).push(descriptor, from: .file(file))
        #expect(sent == .sent(250_000))
        #expect(!HostFile.exists(notes))
        #expect(try Digest(ofFile: registry.blob(descriptor.digest.hex)) == descriptor.digest)
    }

    @Test func `a note of another form, address or server counts as nothing`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch)
        var access = quick(registry.login, authority: registry.authority)
        let notes = scratch.path.appending("uploads")
        access.notes = notes
        let (descriptor, bytes) = blob(1000)
        let subject = "oci://\(registry.host)/a@\(descriptor.name)"
        for location in [
            "https://127.0.0.2:1/v2/a/blobs/uploads/x", "https://\(registry.host)/v2/a/blobs/uploads/x", "rubbish",
        ] {
            let body = "ksbuild/upload/v1\nlocation \(location)\n"
            try scratch.file(
                "uploads/\(Digest(of: subject.utf8))",
                body + (location == "rubbish" ? "" : "end \(Digest(of: body.utf8))\n"))
            let reference = try RegistryReference("\(registry.host)/a")
            let moved = try await RegistryClient(reference, access).push(descriptor, from: .bytes(bytes))
            #expect(moved == (location.contains("127.0.0.2") ? .sent(1000) : moved))
            try HostFile.remove(registry.blob(descriptor.digest.hex))
        }
        #expect(registry.requests.filter { $0.hasPrefix("PATCH") }.count >= 1)
    }

    @Test func `tokens are got with the login, renewed when they run out, and only for what is done`() async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "token")
        for entry in [#"{"auth":"c29tZWJvZHk6c2VjcmV0"}"#, #"{"identitytoken":"refresh-me"}"#] {
            let login = try Self.login(scratch, front.host, entry)
            let client = RegistryClient(try RegistryReference("\(front.host)/team/edge"), quick(login))
            for seed in UInt64(0)..<8 {
                let (descriptor, bytes) = blob(5000, seed: seed)
                _ = try await client.push(descriptor, from: .bytes(bytes))
                // Fetching alone makes a token run out, too.
                for _ in 0..<(seed == 7 ? 25 : 1) {
                    try await client.fetch(descriptor, into: scratch.path.appending("part"))
                }
            }
        }
        let requests = front.requests
        #expect(requests.filter { $0.path == "/token" && $0.status == 200 }.count >= 4)
        #expect(requests.contains { $0.method == "PATCH" && $0.authorization == "Bearer" })
        // The login itself goes to the token server and nowhere else.
        #expect(requests.filter { $0.authorization == "Basic" }.allSatisfy { $0.path == "/token" })
    }

    @Test(arguments: [false, true])
    func `no login goes to a token server that has less protection than was agreed to`(isPlain: Bool) async throws {
        let scratch = try Scratch()
        let realm = "http://tokens.invalid/token"
        let front = try await RegistryFront(in: scratch, "token", "realm-\(realm)")
        var access = quick(try Self.login(scratch, front.host, #"{"auth":"c29tZWJvZHk6c2VjcmV0"}"#))
        access.isPlain = isPlain
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        let error = await #expect(throws: (any Error).self) { try await client.manifest(.tag("1")) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("\(realm) for a token, which is not safe to follow") == !isPlain, "\(text)")
        #expect(text.contains("tokens.invalid"), "\(text)")
    }

    @Test func `a wrong password is told of, with its user and file and without itself`() async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "token")
        let registry = try await DockerRegistry(in: scratch)
        let wrong = try Self.login(scratch, front.host, #"{"auth":"c29tZWJvZHk6d3Jvbmc="}"#)
        let clients = [
            RegistryClient(try RegistryReference("\(front.host)/a"), quick(wrong)),
            RegistryClient(
                try RegistryReference("\(registry.host)/a"), quick(registry.wrongLogin, authority: registry.authority)),
            RegistryClient(try RegistryReference("\(registry.host)/a"), quick(authority: registry.authority)),
        ]
        for (number, client) in clients.enumerated() {
            let error = await #expect(throws: RegistryError.self) { try await client.manifest(.tag("1")) }
            #expect(error?.code == .denied)
            #expect(error?.failureClass == .permission)
            let text = error?.description ?? ""
            #expect(text.contains(number == 2 ? "none is known" : "somebody"), "\(text)")
            #expect(!text.contains("wrong ") && !text.contains("d3Jvbmc"), "\(text)")
        }
    }

    @Test(arguments: [("token", "Bearer"), ("basic", "Basic")])
    func `where a blob is elsewhere, the credentials stay behind`(_ word: String, _ kind: String) async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, word, "elsewhere")
        let login = try Self.login(scratch, front.host, #"{"auth":"c29tZWJvZHk6c2VjcmV0"}"#)
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), quick(login))
        let (descriptor, bytes) = blob(5000)
        _ = try await client.push(descriptor, from: .bytes(bytes))
        try await client.fetch(descriptor, into: scratch.path.appending("part"))
        let elsewhere = front.requests.filter { $0.server == "127.0.0.2" }
        #expect(elsewhere.map { "\($0.method) \($0.status)" } == ["PATCH 202", "PUT 201", "GET 200"], "\(elsewhere)")
        #expect(elsewhere.allSatisfy { $0.authorization == "-" }, "\(elsewhere)")
        #expect(front.requests.contains { $0.path.hasPrefix("/v2/a/blobs/sha256:") && $0.authorization == kind })
    }

    @Test func `a registry that lists referrers is believed, and gets no tag for them`() async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "referrers")
        for (host, hasTag) in [(front.host, false), (front.registry.host, true)] {
            let client = RegistryClient(try RegistryReference("\(host)/a-\(hasTag)"), quick())
            _ = try await client.push(.empty, from: .bytes(Descriptor.emptyBytes))
            let bytes = try ImageManifest(artifactType: "application/x", layers: [.empty]).encoded()
            _ = try await client.push(manifest: bytes, mediaType: ImageManifest.mediaType, as: .tag("1"))
            let subject = Descriptor(mediaType: ImageManifest.mediaType, of: bytes)
            for kind in ["application/a", "application/b", "application/a"] {
                _ = try await client.push(
                    referrer: ImageManifest(artifactType: kind, layers: [.empty], subject: subject), of: subject.digest)
            }
            let found = try await client.referrers(of: subject.digest)
            #expect(found.compactMap(\.artifactType).sorted() == ["application/a", "application/b"])
            #expect(try await client.tags(pages: 1).contains("sha256-\(subject.digest)") == hasTag)
        }
    }

    @Test func `a program that keeps logins is asked by its standard input`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch)
        let name = "docker-credential-ksbuild-test"
        let log = scratch.path.appending("asked")
        let script = """
            #!/bin/sh
            read -r host
            printf '%s %s\\n' "$*" "$host" >>'\(log)'
            case $host in
            \(registry.host)) printf '{"ServerURL":"x","Username":"somebody","Secret":"secret"}' ;;
            *) echo 'credentials not found in native keychain'; exit 1 ;;
            esac
            """
        try scratch.file("bin/\(name)", script, mode: EntryMode(0o755))
        for text in [#"{"credsStore":"ksbuild-test"}"#, #"{"credHelpers":{"\#(registry.host)":"ksbuild-test"}}"#] {
            let login = try scratch.file("config.json", text)
            let path = "\(scratch.path.appending("bin")):\(Product.environment("PATH") ?? "/usr/bin:/bin")"
            var access = quick(authority: registry.authority)
            access.credentials = CredentialFiles(
                environment: ["REGISTRY_AUTH_FILE": login.string, "PATH": path], home: nil)
            let client = RegistryClient(try RegistryReference("\(registry.host)/a"), access)
            #expect(try await client.manifest(.tag("1")) == nil)
        }
        let asked = String(decoding: try HostFile.read(log, limit: 4096), as: UTF8.self)
        #expect(asked == "get \(registry.host)\nget \(registry.host)\n")
    }

    @Test func `a server without TLS is spoken to on this host, and elsewhere only when that is said`() async throws {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch, .none)
        let client = RegistryClient(try RegistryReference("\(registry.host)/a"), quick())
        #expect(try await client.manifest(.tag("1")) == nil)
        // A name that is not one of loopback's, and leads there.
        let port = registry.host.split(separator: ":")[1]
        let named = try RegistryReference("0.0.0.0:\(port)/a")
        let error = await #expect(throws: RegistryError.self) {
            try await RegistryClient(named, quick()).manifest(.tag("1"))
        }
        #expect(error?.description.contains("--plain-http") == true, "\(String(describing: error))")
        var plain = quick()
        plain.isPlain = true
        #expect(try await RegistryClient(named, plain).manifest(.tag("1")) == nil)
        // A certificate that is not trusted is no reason to do without.
        let secure = try await DockerRegistry(in: scratch)
        let refused = await #expect(throws: TransferError.self) {
            try await RegistryClient(RegistryReference("\(secure.host)/a"), quick()).manifest(.tag("1"))
        }
        #expect(refused?.code == .untrustedServer)
    }

    @Test(arguments: [("same", 9, 1), ("away", 9, 1), ("more", 1, 1), ("more", 9, 9)])
    func `of a list of tags no more pages are read than are asked for, none twice and none elsewhere`(
        _ place: String, _ pages: Int, _ read: Int
    ) async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "tags-\(place)")
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), quick())
        #expect(try await client.tags(pages: pages) == (0..<read).map { "tag-\($0)" })
        let asked = front.requests.filter { $0.path.hasSuffix("/tags/list") }
        #expect(asked.map(\.server) == [String](repeating: "127.0.0.1", count: read), "\(asked)")
    }
}
