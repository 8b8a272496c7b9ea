internal import Artefact
public import SystemPackage
public import TestSupport

/// A real nginx on loopback that serves a folder, plainly and by TLS.
public final class Nginx: Sendable {
    /// The address of the plain server, without a path.
    public let plain: String
    /// The port of the plain server.
    public let port: String
    /// The address of the server with TLS, by the name that its certificate has.
    public let secure: String
    /// The same by a name that its certificate does not have.
    public let otherName: String
    /// What it serves.
    public let root: FilePath
    /// The certificate of the CA that signed the server's.
    public let authority: FilePath
    private let log: FilePath
    private let program: BackgroundProgram

    public init(in scratch: borrowing Scratch) async throws {
        let folder = scratch.path.appending("nginx")
        root = folder.appending("root")
        log = folder.appending("requests")
        try HostFile.makeDirectories(root)
        authority = try await Self.makeCertificates(in: folder)
        var last: any Error = ArtefactError.system("start", "nginx", .noSuchProcess)
        for _ in 0..<5 {
            do {
                let ports = [try await ServerPort.pick(), try await ServerPort.pick()]
                try scratch.file("nginx/nginx.conf", Self.configuration(folder, ports[0], ports[1]))
                try? HostFile.remove(folder.appending("pid"))
                let program = try await BackgroundProgram(
                    ["/usr/sbin/nginx", "-p", folder.string, "-c", folder.appending("nginx.conf").string], in: folder,
                    log: folder.appending("output"))
                _ = try await program.wait(for: folder.appending("pid"))
                self.program = program
                port = ports[0]
                plain = "http://127.0.0.1:\(ports[0])"
                secure = "https://localhost:\(ports[1])"
                otherName = "https://127.0.0.1:\(ports[1])"
                return
            } catch {
                last = error
            }
        }
        throw last
    }

    /// A request as it was answered.
    public struct Request: Hashable, Sendable {
        public let status: Int
        /// The bytes of the body that were sent.
        public let bytes: Int
        public let range: String
        public let authorization: String
        public let path: String
    }

    /// What was asked for so far, and answered.
    ///
    /// A request is logged after its answer is sent; another one, answered after that, shows that the log has it.
    public func requests() async throws -> [Request] {
        let answered = try await run("curl", ["--silent", "--fail", "\(plain)/ping"])
        guard answered.succeeded else { throw ArtefactError.system("ask", "nginx", .ioError) }
        let bytes = (try? HostFile.read(log, limit: 16 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: "|", omittingEmptySubsequences: false)
            guard words.count == 5, let status = Int(words[0]), let bytes = Int(words[1]) else { return nil }
            return Request(
                status: status, bytes: bytes, range: String(words[2]), authorization: String(words[3]),
                path: String(words[4]))
        }
    }

    private static func makeCertificates(in folder: FilePath) async throws -> FilePath {
        let script = """
            set -e
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 \
              -subj "/CN=test authority"
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr \
              -subj "/CN=localhost"
            printf 'subjectAltName=DNS:localhost' > names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 \
              -extfile names
            printf 'somebody:%s\\n' "$(openssl passwd -apr1 secret)" > users
            """
        let made = try await run("sh", ["-c", script], in: folder)
        guard made.succeeded else { throw ArtefactError.system("make certificates in", folder, .ioError) }
        return folder.appending("ca.pem")
    }

    private static func configuration(_ folder: FilePath, _ plain: String, _ secure: String) -> String {
        """
        daemon off;
        master_process off;
        pid \(folder)/pid;
        error_log \(folder)/error.log;
        events { worker_connections 256; }
        http {
            log_format short '$status|$body_bytes_sent|$http_range|$http_authorization|$request_uri';
            access_log \(folder)/requests short;
            client_body_temp_path \(folder)/t1;
            proxy_temp_path \(folder)/t2;
            fastcgi_temp_path \(folder)/t3;
            uwsgi_temp_path \(folder)/t4;
            scgi_temp_path \(folder)/t5;
            default_type application/octet-stream;
            sendfile on;
            server {
                listen 127.0.0.1:\(plain);
                listen 127.0.0.2:\(plain);
                root \(folder)/root;
                location /slow/ { alias \(folder)/root/; limit_rate 4m; }
                location /private/ {
                    alias \(folder)/root/; auth_basic all; auth_basic_user_file \(folder)/users;
                }
                location /token/ {
                    alias \(folder)/root/;
                    if ($http_authorization != "Bearer opensesame") { return 401; }
                }
                location = /ping { access_log off; return 204; }
                location = /loop { return 302 /loop; }
                location /away/ { rewrite ^/away/(.*)$ http://127.0.0.2:\(plain)/$1 redirect; }
                location /up/ { rewrite ^/up/(.*)$ https://localhost:\(secure)/$1 redirect; }
            }
            server {
                listen 127.0.0.1:\(secure) ssl;
                ssl_certificate \(folder)/server.pem;
                ssl_certificate_key \(folder)/server.key;
                root \(folder)/root;
                location /down/ { rewrite ^/down/(.*)$ http://127.0.0.1:\(plain)/$1 redirect; }
            }
        }
        """
    }
}
