import Artefact
import Registry
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Uploads to registries that refuse, lose or delay what others take.
struct UploadTests {
    @Test(.timeLimit(.minutes(1)), arguments: [401, 403, 404, 410, 500, 503])
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

    @Test(.timeLimit(.minutes(1)), arguments: ["partly", "shortly"])
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
}
