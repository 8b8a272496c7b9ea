internal import Artefact
public import SystemPackage
public import TestSupport

/// A real registry (Debian's docker-registry) on loopback, with TLS and logins where they are wanted.
public final class DockerRegistry {
    /// What stands before the registry.
    public struct Protection: Sendable {
        /// Whether it speaks TLS.
        public var tls = true
        /// Whether it wants the login of `somebody` with the password `secret`.
        public var login = true

        /// TLS and login.
        public static let full = Protection()
        /// Neither.
        public static let none = Protection(tls: false, login: false)
    }

    /// The host and port.
    public let host: String
    /// The certificate of the CA that signed the registry's.
    public let authority: FilePath
    /// A file with the login.
    public let login: FilePath
    /// The same with a wrong password.
    public let wrongLogin: FilePath
    /// Where its blobs are.
    public let storage: FilePath
    /// What it logs.
    public let log: FilePath
    private let folder: FilePath
    private let protection: Protection
    private var program: BackgroundProgram?

    /// Starts one.
    ///
    /// - Parameters:
    ///   - scratch: Where its files are.
    ///   - protection: What stands before it.
    ///   - storage: Where its blobs are, where that is elsewhere.
    public init(
        in scratch: borrowing Scratch, _ protection: Protection = .full, storage: FilePath? = nil
    ) async throws {
        let name = "registry-\(UInt32.random(in: 0...UInt32.max))"
        folder = scratch.path.appending(name)
        self.protection = protection
        self.storage = storage ?? folder.appending("storage")
        log = folder.appending("log")
        try HostFile.makeDirectories(folder)
        authority = try await Self.prepare(folder)
        let port = try await ServerPort.pick()
        host = "localhost:\(port)"
        login = try scratch.file("\(name)/login.json", Self.logins(host, "secret"))
        wrongLogin = try scratch.file("\(name)/wrong.json", Self.logins(host, "wrong"))
        try scratch.file("\(name)/config.yml", configuration(port))
        try await start()
    }

    /// Starts it again, on the same port with the same blobs.
    public func start() async throws {
        program = try await BackgroundProgram(
            ["docker-registry", "serve", folder.appending("config.yml").string], in: folder,
            log: folder.appending("output"))
        for _ in 0..<200 {
            if try await answers() { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw ArtefactError.system("start docker-registry in", folder, .noSuchProcess)
    }

    /// Ends it.
    public func stop() async throws {
        program = nil
        for _ in 0..<200 {
            guard try await answers() else { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw ArtefactError.system("stop docker-registry in", folder, .resourceBusy)
    }

    /// The variables with which a client finds the login.
    public var environment: [String: String] { ["REGISTRY_AUTH_FILE": login.string] }

    /// What skopeo takes.
    public var skopeo: [String] { ["--authfile", login.string] }

    /// The requests that were answered so far, `METHOD PATH STATUS`, without queries.
    public var requests: [String] {
        let bytes = (try? HostFile.read(folder.appending("output"), limit: 64 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard parts.count >= 3, parts[1].contains(" HTTP/") else { return nil }
            let words = parts[1].split(separator: " ")
            guard words.count == 3, let status = parts[2].split(separator: " ").first else { return nil }
            return "\(words[0]) \(words[1].prefix { $0 != "?" }) \(status)"
        }
    }

    /// The address and port of the client of each request of this program that was answered so far.
    public var clients: [String] {
        let bytes = (try? HostFile.read(folder.appending("output"), limit: 64 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            guard line.contains("msg=\"response completed"), line.contains("useragent=ksbuild") else { return nil }
            return line.split(separator: " ").first { $0.hasPrefix("http.request.remoteaddr=") }.map(String.init)
        }
    }

    /// The file that holds a blob.
    public func blob(_ digest: String) -> FilePath {
        storage.pushing(FilePath("docker/registry/v2/blobs/sha256/\(digest.prefix(2))/\(digest)/data"))
    }

    private func answers() async throws -> Bool {
        let scheme = protection.tls ? "https" : "http"
        let asked = try await run("curl", ["--silent", "--insecure", "--max-time", "2", "\(scheme)://\(host)/v2/"])
        return asked.succeeded
    }

    private func configuration(_ port: String) -> String {
        var text = """
            version: 0.1
            log: {level: info}
            storage: {filesystem: {rootdirectory: "\(storage)"}}
            http:
              addr: "127.0.0.1:\(port)"
              secret: for-all-restarts

            """
        if protection.tls {
            text += "  tls: {certificate: \"\(folder)/server.pem\", key: \"\(folder)/server.key\"}\n"
        }
        if protection.login { text += "auth: {htpasswd: {realm: all, path: \"\(folder)/users\"}}\n" }
        return text
    }

    /// The form of `docker login`: `somebody` with a password, in base 64.
    private static func logins(_ host: String, _ password: String) -> String {
        let auth = password == "secret" ? "c29tZWJvZHk6c2VjcmV0" : "c29tZWJvZHk6d3Jvbmc="
        return "{\"auths\": {\"\(host)\": {\"auth\": \"\(auth)\"}}}\n"
    }

    private static func prepare(_ folder: FilePath) async throws -> FilePath {
        let script = """
            set -e
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 \
              -subj "/CN=test authority"
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr \
              -subj "/CN=localhost"
            printf 'subjectAltName=DNS:localhost' > names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 \
              -extfile names
            htpasswd -Bbn -C 4 somebody secret > users
            """
        let made = try await run("sh", ["-c", script], in: folder)
        guard made.succeeded else { throw ArtefactError.system("make certificates in", folder, .ioError) }
        return folder.appending("ca.pem")
    }
}
