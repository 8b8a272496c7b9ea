internal import Artefact
internal import FoundationEssentials
internal import Transfer

/// Who the client is to a registry: the login, and the tokens that a token server gave for it.
///
/// Tokens are kept in memory, one for reading and one for writing, and forgotten when the registry no longer takes
/// them.
struct RegistryLogin {
    private let reference: RegistryReference
    private let access: RegistryAccess
    private var tokens: [RegistryClient.Action: String] = [:]
    private var isBasic = false
    private var credential: Credential?
    private var hasLooked = false

    init(_ reference: RegistryReference, _ access: RegistryAccess) {
        self.reference = reference
        self.access = access
    }

    private var host: String { reference.registry == "docker.io" ? "registry-1.docker.io" : reference.registry }

    /// The settings of a request to the registry itself.
    func settings(for action: RegistryClient.Action) -> TransferSettings {
        var settings = access.settings
        settings.netrc = nil
        settings.token = nil
        if let token = tokens[action] ?? (action == .pull ? tokens[.push] : nil) {
            let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
            settings.token = .init(token, for: name)
        } else if isBasic, let credential {
            settings.login = .init(credential.user, secret: credential.secret)
        }
        return settings
    }

    /// Does what a server wants that answers 401.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/denied`` where there is no login, or it was given already.
    mutating func answer(_ answer: HTTPAnswer, _ action: RegistryClient.Action, isPlain: Bool) async throws {
        if !hasLooked {
            credential = try await access.credentials.credential(
                registry: reference.registry, repository: reference.repository)
            hasLooked = true
        }
        let challenges = answer.values("www-authenticate").flatMap(Challenge.list)
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            tokens[action] = try token(bearer, action, isPlain: isPlain)
        } else if challenges.contains(where: { $0.scheme == "basic" }), let credential, credential.kind == .password,
            !isBasic
        {
            isBasic = true
        } else {
            throw denial(answer, action, at: "oci://\(reference.registry)/\(reference.repository)")
        }
    }

    /// The error for a server that still says no.
    func denial(_ answer: HTTPAnswer, _ action: RegistryClient.Action, at name: String) -> RegistryError {
        let what = action == .push ? "push to it" : "pull from it"
        let problem = RegistryProblem(answer)
        guard let credential else {
            return RegistryError(
                .denied, subject: name,
                detail:
                    "the registry wants a login (it answers \(problem)), and none is known for \(reference.registry); "
                    + "'docker login \(reference.registry)' or 'skopeo login' writes one, "
                    + "REGISTRY_AUTH_FILE names its file"
            )
        }
        let who = credential.user.isEmpty || credential.kind == .identityToken ? "" : " as '\(credential.user)'"
        return RegistryError(
            .denied, subject: name,
            detail:
                "the registry does not let this client \(what)\(who) (it answers \(problem)); the login is the one in "
                + "\(credential.origin): log in again, or ask for the right")
    }

    private struct TokenAnswer: Decodable { let token: String?, access_token: String? }

    /// Gets a token (Docker registry specification, "Token Authentication").
    ///
    /// One for pushing reaches over the repositories that blobs may be taken from, unless the token server minds.
    private func token(
        _ challenge: Challenge, _ action: RegistryClient.Action, isPlain: Bool
    ) throws -> String {
        let mounted = action == .push ? access.mountedFrom.map { "repository:\($0):pull" } : []
        let answer = try asked(for: mounted, challenge, action, isPlain: isPlain)
        let isRefused = !mounted.isEmpty && [400, 403].contains(answer.status)
        return try token(
            in: isRefused ? asked(for: [], challenge, action, isPlain: isPlain) : answer, challenge, action)
    }

    private func token(
        in answer: HTTPAnswer, _ challenge: Challenge, _ action: RegistryClient.Action
    ) throws(RegistryError) -> String {
        let name = "oci://\(reference.registry)/\(reference.repository)"
        guard ![400, 401, 403].contains(answer.status) else { throw denial(answer, action, at: name) }
        let document = try? JSONDecoder().decode(TokenAnswer.self, from: Data(answer.body))
        guard answer.status == 200, let token = document?.token ?? document?.access_token, !token.isEmpty else {
            let shown = (try? Transfer.shown(challenge.parameters["realm"] ?? "")) ?? "of the registry"
            throw RegistryError(
                .unavailable, subject: name,
                detail: "the token server \(shown) answers \(answer.status) and gives no token")
        }
        return token
    }

    /// What the token server answers to a request for the scopes of the challenge and some more.
    private func asked(
        for more: [String], _ challenge: Challenge, _ action: RegistryClient.Action, isPlain: Bool
    ) throws -> HTTPAnswer {
        let name = "oci://\(reference.registry)/\(reference.repository)"
        func fail(_ code: RegistryError.Code, _ detail: String) -> RegistryError {
            RegistryError(code, subject: name, detail: detail)
        }
        guard let realm = challenge.parameters["realm"], let shown = try? Transfer.shown(realm) else {
            throw fail(.unavailable, "the registry wants a token and does not say where it is to be had")
        }
        // A password goes there: never with less protection than the registry itself has. One on this host may do without
        // TLS, and so may what else is on it.
        let isHere = (try? TransferSettings.host(of: realm)).map(Transfer.isLoopback) ?? false
        let isBare = isPlain && (access.isPlain || isHere) && realm.lowercased().hasPrefix("http://")
        guard realm.lowercased().hasPrefix("https://") || isBare else {
            throw fail(
                .unavailable, "the registry sends the client to \(shown) for a token, which is not safe to follow")
        }
        var scopes = (challenge.parameters["scope"] ?? "").split(separator: " ").map(String.init)
        if scopes.isEmpty { scopes = ["repository:\(reference.repository):\(action.rawValue)"] }
        scopes += more
        var fields = [("service", challenge.parameters["service"] ?? reference.registry)]
        var settings = access.settings
        settings.netrc = nil
        settings.token = nil
        var request: HTTPRequest
        if let credential, credential.kind == .identityToken {
            fields += [
                ("grant_type", "refresh_token"), ("refresh_token", credential.secret), ("client_id", "ksbuild"),
                ("scope", scopes.joined(separator: " ")),
            ]
            request = HTTPRequest(
                .post, realm, headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: .bytes(Array(Self.form(fields).utf8)))
        } else {
            fields += scopes.map { ("scope", $0) }
            if let credential {
                settings.login = .init(credential.user, secret: credential.secret)
                fields.append(("account", credential.user))
            }
            request = HTTPRequest(.get, realm + (realm.contains("?") ? "&" : "?") + Self.form(fields))
        }
        let outcome = try Transfer(settings).send(
            request, limit: RegistryClient.maximumAnswerBytes, isCancelled: access.isCancelled)
        guard case .answered(let answer) = outcome else {
            throw fail(.unavailable, "the token server \(shown) cannot be reached; try again later")
        }
        return answer
    }

    /// Fields as a form or a query has them.
    private static func form(_ fields: [(String, String)]) -> String {
        func escaped(_ text: String) -> String {
            text.utf8.map { byte in
                let isPlain =
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "-._~".utf8.contains(byte)
                let digits = String(byte, radix: 16, uppercase: true)
                return isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
            }.joined()
        }
        return fields.map { "\($0.0)=\(escaped($0.1))" }.joined(separator: "&")
    }
}
