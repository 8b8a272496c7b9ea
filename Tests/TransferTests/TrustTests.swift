import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Who is believed, and who gets to see a secret.
struct TrustTests {
    @Test func `only a certificate of a known authority for this host is accepted`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        try scratch.file("nginx/root/file", "content")
        var settings = quick()
        var error = try failure("\(server.secure)/file", into: scratch)
        #expect(error.code == .untrustedServer)
        #expect(error.description.contains("--ca-file FILE"), "\(error)")
        settings.certificates = server.authority
        #expect(
            try fetch("\(server.secure)/file", into: scratch, .init(), settings).sha256 == Digest(of: "content".utf8))
        error = try failure("\(server.otherName)/file", into: scratch, .init(), settings)
        #expect(error.code == .untrustedServer)
        #expect(error.description.contains("for another host"), "\(error)")
        error = try failure(
            server.plain.replacing("http:", with: "https:") + "/file", into: scratch, .init(), settings)
        #expect(error.code == .withoutTLS, "\(error)")
        settings.certificates = scratch.path.appending("none.pem")
        error = try failure("\(server.secure)/file", into: scratch, .init(), settings)
        #expect(error.code == .invalidSetting)
        settings.certificates = try scratch.file("garbage.pem", "no certificate")
        error = try failure("\(server.secure)/file", into: scratch, .init(), settings)
        #expect(error.code == .invalidSetting, "\(error)")
    }

    @Test func `a redirect leads to TLS and never away from it`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        try scratch.file("nginx/root/file", "content")
        var settings = quick()
        settings.certificates = server.authority
        let fetched = try fetch("\(server.plain)/up/file", into: scratch, .init(), settings)
        #expect(fetched.address == "\(server.plain)/up/file")
        let error = try failure("\(server.secure)/down/file", into: scratch, .init(), settings)
        #expect(error.code == .badRedirect)
        #expect(error.description.contains("not safe to follow"), "\(error)")
        #expect(try await server.requests().filter { $0.path == "/file" }.count == 1)
    }

    @Test func `redirects are followed ten times, not in circles and not to files of this host`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        #expect(try fetch("\(server.base)/hop/9", into: scratch).sha256 == server.digest)
        #expect(try failure("\(server.base)/hop/10", into: scratch).code == .badRedirect)
        #expect(try failure("\(server.base)/nowhere", into: scratch).code == .badRedirect)
        for target in ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://", "//[::"] {
            let hex = target.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let error = try failure("\(server.base)/send/\(hex)", into: scratch)
            #expect(error.code == .badRedirect || error.code == .invalidAddress, "\(error)")
        }
        let real = try Scratch()
        let nginx = try await Nginx(in: real)
        #expect(try failure("\(nginx.plain)/loop", into: real).code == .badRedirect)
        #expect(try await nginx.requests().count == 11)
    }

    @Test func `user and password go to the host they are for and to no other`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        try scratch.file("nginx/root/file", "content")
        let error = try failure("\(server.plain)/private/file", into: scratch)
        #expect(error.code == .denied)
        #expect(error.failureClass == .permission)
        var settings = quick()
        settings.netrc = try scratch.file(
            "netrc", "machine 127.0.0.1 login somebody password secret\nmachine 127.0.0.2 login no password leak\n",
            mode: EntryMode(0o600))
        try fetch("\(server.plain)/private/file", into: scratch, .init(), settings)
        let named = server.plain.replacing("http://", with: "http://somebody:secret@")
        try fetch("\(named)/private/file", into: scratch)
        #expect(try await server.requests().last?.authorization.hasPrefix("Basic ") == true)
        try fetch("\(named)/away/file", into: scratch)
        try fetch("\(server.plain)/away/file", into: scratch, .init(), settings)
        let all = try await server.requests()
        let led = all.filter { $0.path == "/file" }
        #expect(led.count == 2 && led.allSatisfy { $0.authorization == "-" }, "\(all)")
        #expect(all.filter { $0.path.hasPrefix("/away") }.allSatisfy { $0.authorization != "-" })
        for path in ["/none?token=secret", "/private/none?token=secret"] {
            let error = try failure(named + path, into: scratch)
            #expect(!error.description.contains("secret") && !error.description.contains("somebody"), "\(error)")
        }
        settings.netrc = scratch.path.appending("none")
        #expect(try failure("\(server.plain)/file", into: scratch, .init(), settings).code == .invalidSetting)
    }

    @Test func `a token goes to its host and to no other`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        try scratch.file("nginx/root/file", "content")
        var settings = quick()
        settings.token = .init("opensesame", for: "127.0.0.1")
        try fetch("\(server.plain)/token/file", into: scratch, .init(), settings)
        try fetch("\(server.plain)/away/file", into: scratch, .init(), settings)
        let led = try await server.requests().last
        #expect(led?.path == "/file" && led?.authorization == "-")
        settings.token = .init("opensesame", for: "example.org")
        #expect(try failure("\(server.plain)/token/file", into: scratch, .init(), settings).code == .denied)
        settings.token = .init("two words", for: "127.0.0.1")
        let error = try failure("\(server.plain)/token/file", into: scratch, .init(), settings)
        #expect(error.code == .invalidSetting)
        var shown = ""
        dump(settings, to: &shown)
        #expect(!"\(error)\(settings)\(shown)".contains("two words"))
    }

    @Test func `a proxy is used where one is set, but not for hosts that are excepted`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        let proxy = try await OddServer(in: scratch)
        try scratch.file("nginx/root/file", "content")
        var settings = quick()
        settings.certificates = server.authority
        settings.httpProxy = proxy.base
        try fetch("\(server.plain)/file", into: scratch, .init(), settings)
        #expect(proxy.requests.last?.hasPrefix("\(server.plain)/file ") == true, "\(proxy.requests)")
        try fetch("\(server.secure)/file", into: scratch, .init(), settings)
        #expect(proxy.requests.count == 1)
        settings.allProxy = proxy.base
        let fetched = try fetch("\(server.secure)/file", into: scratch, .init(), settings)
        #expect(fetched.sha256 == Digest(of: "content".utf8))
        #expect(proxy.requests.last?.hasPrefix("localhost:") == true, "\(proxy.requests)")
        settings.noProxy = "example.org,localhost"
        try fetch("\(server.secure)/file", into: scratch, .init(), settings)
        #expect(proxy.requests.count == 2)
        // The name is for the proxy to know.
        try fetch("http://mirror.test:\(server.port)/file", into: scratch, .init(), settings)
        #expect(proxy.requests.count == 3)
        settings.httpsProxy = "http://127.0.0.1:1"
        settings.noProxy = nil
        #expect(try failure("\(server.secure)/file", into: scratch, .init(), settings).code == .unavailable)
    }

    @Test func `a proxy that wants a password gets the one that is set, and it is never shown`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        let proxy = try await OddServer(in: scratch, environment: ["PROXY_PASSWORD": "yes"])
        try scratch.file("nginx/root/file", "content")
        var settings = quick()
        settings.certificates = server.authority
        settings.allProxy = proxy.base
        for base in [server.plain, server.secure] {
            let error = try failure("\(base)/file", into: scratch, .init(), settings)
            #expect(error.code == .denied, "\(error)")
        }
        settings.allProxy = proxy.base.replacing("http://", with: "http://me:secret@")
        try fetch("\(server.plain)/file", into: scratch, .init(), settings)
        try fetch("\(server.secure)/file", into: scratch, .init(), settings)
        #expect(proxy.requests.last?.contains("auth=-") == true)
        settings.allProxy = "http://me:secret@127.0.0.1:1"
        let error = try failure("\(server.plain)/file", into: scratch, .init(), settings)
        #expect(!error.description.contains("secret"), "\(error)")
    }
}
