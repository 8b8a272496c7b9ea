import Artefact
import Registry
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Registries of this host and proxies.
struct ProxyTests {
    @Test(arguments: ["127.0.0.1", "127.0.0.2", "localhost"])
    func `a registry of this host is reached without the proxies that are set`(_ name: String) async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch, "basic")
        let proxy = try await OddServer(in: scratch)
        let port = front.host.split(separator: ":")[1]
        let login = try scratch.file(
            "login.json", #"{"auths":{"\#(name):\#(port)":{"auth":"c29tZWJvZHk6c2VjcmV0"}}}"#)
        var access = quick(login)
        access.settings.httpProxy = proxy.base
        access.settings.httpsProxy = proxy.base
        access.settings.allProxy = proxy.base
        let client = RegistryClient(try RegistryReference("\(name):\(port)/a"), access)
        let (descriptor, bytes) = blob(1000)
        #expect(try await client.push(descriptor, from: .bytes(bytes)) == .sent(1000))
        try await client.fetch(descriptor, into: scratch.path.appending("part"))
        #expect(proxy.requests.isEmpty, "\(proxy.requests)")
    }

    @Test func `any other registry is reached by the proxy, and with TLS unless it is said otherwise`() async throws {
        let scratch = try Scratch()
        let front = try await RegistryFront(in: scratch)
        let proxy = try await OddServer(in: scratch)
        let port = front.host.split(separator: ":")[1]
        var access = quick()
        access.settings.allProxy = proxy.base
        let reference = try RegistryReference("registry.test:\(port)/a")
        let error = await #expect(throws: RegistryError.self) {
            try await RegistryClient(reference, access).manifest(.tag("1"))
        }
        #expect(error?.description.contains("--plain-http") == true, "\(String(describing: error))")
        #expect(proxy.requests.allSatisfy { $0.hasPrefix("registry.test:\(port) ") }, "\(proxy.requests)")
        access.isPlain = true
        #expect(try await RegistryClient(reference, access).manifest(.tag("1")) == nil)
        #expect(proxy.requests.last?.hasPrefix("http://registry.test:\(port)/v2/a/manifests/1 ") == true)
    }
}
