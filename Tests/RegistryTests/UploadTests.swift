import Artefact
import Registry
import ServerSupport
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Uploads to registries that refuse, lose or delay what others take.
struct UploadTests {
    @Test(.timeLimit(.minutes(5)), arguments: [401, 403, 404, 410, 500, 503])
    func `a noted upload of which the registry says nothing is begun anew`(_ status: Int) async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "sessions", "get-\(status)")
        var access = quick()
        let notes = scratch.path.appending("uploads")
        access.notes = notes
        let (descriptor, bytes) = blob(1000)
        let subject = "oci://\(front.host)/a@\(descriptor.name)"
        let body = "ksbuild/upload/v1\nlocation http://\(front.host)/v2/a/blobs/uploads/old\n"
        try scratch.file("uploads/\(Digest(of: subject.utf8))", body + "end \(Digest(of: body.utf8))\n")
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        #expect(try await client.push(descriptor, from: .bytes(bytes)) == .sent(1000))
        #expect(front.requests.contains { $0.path.hasSuffix("/uploads/old") && $0.status == status })
        #expect(try Digest(ofFile: front.registry.blob(descriptor.digest.hex)) == descriptor.digest)
        // Nothing is left that a later command would ask for.
        #expect(!HostFile.exists(notes))
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["partly", "shortly"])
    func `an upload that gets on is not given up, however often it is cut off`(_ word: String) async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "sessions", word)
        let access = quick()
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        let (descriptor, bytes) = blob(8500)
        _ = try await client.push(descriptor, from: .bytes(bytes))
        #expect(try Digest(ofFile: front.registry.blob(descriptor.digest.hex)) == descriptor.digest)
        // It was asked how far the upload had come more often than may fail in a row.
        let asked = front.requests.filter { $0.method == "GET" && $0.path.contains("/uploads/") }
        #expect(asked.count == 8 && asked.count > access.settings.retries + 1, "\(front.requests)")
    }

    @Test(arguments: [401, 403, 404, 405])
    func `a blob that the registry does not take from another repository is sent`(_ status: Int) async throws {
        let scratch = try Scratch()
        for words in [["basic"], ["token"], ["token", "narrow"]] {
            let front = try await RegistryFront(in: scratch, words + ["mount-\(status)"])
            let login = try scratch.file(
                "login-\(words.joined()).json", #"{"auths":{"\#(front.host)":{"auth":"c29tZWJvZHk6c2VjcmV0"}}}"#)
            var access = quick(login)
            access.mountedFrom = ["none/of-yours", "b"]
            let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
            let (descriptor, bytes) = blob(1000)
            #expect(try await client.push(descriptor, from: .bytes(bytes)) == .sent(1000))
            let posts = front.requests.filter { $0.method == "POST" && $0.path.hasSuffix("/uploads/") }
            #expect(posts.filter { $0.status == status && $0.authorization != "-" }.count >= 2, "\(posts)")
            #expect(posts.last?.status == 202, "\(posts)")
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [("0", 0), ("1", 1), ("3600", 60), ("-5", 0), ("tomorrow", 0)])
    func `a registry that wants to be asked later is waited for, a minute at most`(
        _ told: String, _ seconds: Int64
    ) async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "later-\(told)")
        let waits = Mutex<[(reason: String, seconds: Int64)]>([])
        var access = quick()
        access.waiting = { reason, seconds in waits.withLock { $0.append((reason, seconds)) } }
        // Nobody waits for a minute here.
        access.isCancelled = { waits.withLock { $0.contains { $0.seconds > 1 } } }
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        let begin = ContinuousClock.now
        if seconds <= 1 {
            #expect(try await client.manifest(.tag("1")) == nil)
            #expect(ContinuousClock.now - begin >= .seconds(seconds))
        } else {
            let error = await #expect(throws: RegistryError.self) { try await client.manifest(.tag("1")) }
            #expect(error?.code == .cancelled)
        }
        let told = waits.withLock { $0 }
        #expect(told.map(\.seconds) == [seconds])
        #expect(told.map(\.reason) == ["oci://\(front.host)/a: the registry answers 503"])
    }

    @Test func `what failed to the last names the place once`() async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "later-0")
        var access = quick()
        access.settings.retries = 0
        let client = RegistryClient(try RegistryReference("\(front.host)/a"), access)
        let error = await #expect(throws: RegistryError.self) { try await client.manifest(.tag("1")) }
        #expect(error?.code == .unavailable)
        let text = error?.description ?? ""
        #expect(text.hasPrefix("oci://\(front.host)/a: the registry answers 503, also at the last of 1 attempts"))
        #expect(text.split(separator: "oci://", omittingEmptySubsequences: false).count == 2, "\(text)")
    }
}
