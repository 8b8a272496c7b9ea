internal import Artefact
internal import FoundationEssentials
internal import Subprocess
public import SystemPackage

/// A login for a registry; no description of it shows the secret.
struct Credential: Sendable, CustomStringConvertible, CustomReflectable {
    /// What the secret is.
    enum Kind: Hashable, Sendable {
        /// The password of a user.
        case password
        /// A token that a token server takes in place of a login (`identitytoken`).
        case identityToken
    }

    let kind: Kind
    let user: String
    let secret: String
    /// The file or program that it comes from.
    let origin: String

    var description: String { "a login from \(origin)" }
    var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }
}

/// The files in which `docker login`, `podman login`, `skopeo login` and `oras login` keep logins, and the programs
/// that these files name.
public struct CredentialFiles: Sendable {
    private let files: [FilePath]
    /// Whether the first file is one that the user has named, and so must be there.
    private let isNamed: Bool
    private let searchPath: String?

    /// The largest file that is read, in bytes.
    private static let maximumBytes = 1 << 20
    /// The most that a program may answer, in bytes.
    private static let maximumAnswerBytes = 64 << 10

    /// The files by the rules of containers-auth.json(5) and of Docker: `REGISTRY_AUTH_FILE` alone where it is set,
    /// else `XDG_RUNTIME_DIR/containers/auth.json`, then `config.json` in `DOCKER_CONFIG` or `~/.docker`.
    ///
    /// - Parameters:
    ///   - environment: The variables.
    ///   - home: The home directory.
    public init(environment: [String: String], home: FilePath?) {
        func value(_ name: String) -> FilePath? {
            environment[name].flatMap { $0.isEmpty ? nil : FilePath($0) }
        }
        searchPath = environment["PATH"]
        if let named = value("REGISTRY_AUTH_FILE") {
            files = [named]
            isNamed = true
            return
        }
        isNamed = false
        let docker = value("DOCKER_CONFIG") ?? home?.appending(".docker")
        files = [
            value("XDG_RUNTIME_DIR")?.appending("containers").appending("auth.json"), docker?.appending("config.json"),
        ].compactMap { $0 }
    }

    /// The form of both files; what else they hold is the concern of others.
    private struct Document: Decodable {
        struct Entry: Decodable { let auth: String?, identitytoken: String?, username: String?, password: String? }
        let auths: [String: Entry]?
        let credHelpers: [String: String]?
        let credsStore: String?
    }

    /// The login for a repository, or `nil` where there is none.
    ///
    /// - Parameters:
    ///   - registry: The host, with its port where one is given.
    ///   - repository: The repository; a login may be for a part of a registry.
    /// - Returns: The login.
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/credentials`` where a file or program cannot be used.
    func credential(registry: String, repository: String) async throws -> Credential? {
        for file in files {
            guard HostFile.exists(file) else {
                guard !isNamed else {
                    throw refuse(file.string, "is not there, and REGISTRY_AUTH_FILE names it")
                }
                continue
            }
            let document = try read(file)
            if let helper = document.credHelpers?[registry] {
                if let found = try await ask(helper, registry, file) { return found }
                continue
            }
            if let entry = Self.entry(document.auths ?? [:], registry, repository),
                let found = try credential(entry, file)
            {
                return found
            }
            if let store = document.credsStore, !store.isEmpty, let found = try await ask(store, registry, file) {
                return found
            }
        }
        return nil
    }

    private func refuse(_ subject: String, _ why: String) -> RegistryError {
        RegistryError(.credentials, subject: subject, detail: why)
    }

    private func read(_ file: FilePath) throws -> Document {
        let bytes = try HostFile.read(file, limit: Self.maximumBytes)
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            // What it holds is not quoted: it may be a secret.
            throw refuse(file.string, "is no file of logins (JSON with 'auths'); log in again, or remove it")
        }
        return document
    }

    /// The entry for the longest part of the name; Docker also writes whole addresses.
    private static func entry(
        _ entries: [String: Document.Entry], _ registry: String, _ repository: String
    ) -> Document.Entry? {
        var names = [registry]
        for component in repository.split(separator: "/") { names.append("\(names[names.count - 1])/\(component)") }
        for name in names.reversed() {
            if let entry = entries[name] { return entry }
        }
        let aliases = registry == "docker.io" ? [registry, "index.docker.io"] : [registry]
        return entries.sorted { $0.key < $1.key }.first { key, _ in
            guard let scheme = ["https://", "http://"].first(where: key.hasPrefix) else { return false }
            return aliases.contains(String(key.dropFirst(scheme.count).prefix { $0 != "/" }).lowercased())
        }?.value
    }

    private func credential(_ entry: Document.Entry, _ file: FilePath) throws -> Credential? {
        if let token = entry.identitytoken, !token.isEmpty {
            return Credential(kind: .identityToken, user: "", secret: token, origin: file.string)
        }
        if let user = entry.username, let password = entry.password, !user.isEmpty {
            return Credential(kind: .password, user: user, secret: password, origin: file.string)
        }
        guard let auth = entry.auth, !auth.isEmpty else { return nil }
        guard let bytes = Data(base64Encoded: auth), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { throw refuse(file.string, "has a login that is not 'USER:PASSWORD' in base 64; log in again") }
        return Credential(
            kind: .password, user: String(text[..<colon]), secret: String(text[text.index(after: colon)...]),
            origin: file.string)
    }

    private struct Answer: Decodable { let Username: String, Secret: String }

    /// Asks `docker-credential-NAME`; the host goes to its standard input, so that no secret is in an argument.
    private func ask(_ name: String, _ registry: String, _ file: FilePath) async throws -> Credential? {
        let program = "docker-credential-\(name)"
        guard !name.isEmpty,
            name.utf8.allSatisfy({ byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "._-".utf8.contains(byte)
            })
        else { throw refuse(file.string, "names a program for logins whose name is none: '\(name.prefix(60))'") }
        let key = registry == "docker.io" ? "https://index.docker.io/v1/" : registry
        guard let answer = await run(program, input: key) else {
            throw refuse(program, "cannot be run, and \(file) names it; install it, or log in without it")
        }
        guard answer.succeeded else {
            // The protocol has no other way to say that there is nothing.
            if answer.output.lowercased().contains("credentials not found") { return nil }
            throw refuse(
                program, "does not give the login for \(registry); ask it with 'echo \(registry) | \(program) get'")
        }
        guard let login = try? JSONDecoder().decode(Answer.self, from: Data(answer.output.utf8)) else {
            throw refuse(program, "gives an answer that is no login")
        }
        guard !login.Secret.isEmpty else { return nil }
        return Credential(
            kind: login.Username == "<token>" ? .identityToken : .password, user: login.Username, secret: login.Secret,
            origin: program)
    }

    private func run(_ program: String, input: String) async -> (succeeded: Bool, output: String)? {
        let record = try? await Subprocess.run(
            .name(program), arguments: ["get"],
            environment: searchPath.map { .inherit.updating(["PATH": $0]) } ?? .inherit, input: .string(input),
            output: .string(limit: Self.maximumAnswerBytes), error: .discarded)
        guard let record else { return nil }
        var succeeded = false
        if case .exited(0) = record.terminationStatus { succeeded = true }
        return (succeeded, record.standardOutput)
    }
}
