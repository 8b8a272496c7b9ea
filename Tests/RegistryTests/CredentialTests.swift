import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Registry

/// Logins, from the files and programs in which other tools keep them.
struct CredentialTests {
    private static func auths(_ entries: String) -> String { #"{"auths":{\#(entries)}}"# }
    /// `user:pa:ss` in base 64.
    private static let auth = "dXNlcjpwYTpzcw=="

    private static func found(
        _ scratch: borrowing Scratch, _ text: String, _ registry: String = "r.example:5000",
        _ repository: String = "a/b"
    ) async throws -> Credential? {
        let file = try scratch.file("auth.json", text)
        let files = CredentialFiles(environment: ["REGISTRY_AUTH_FILE": file.string], home: nil)
        return try await files.credential(registry: registry, repository: repository)
    }

    @Test(arguments: [
        (#""r.example:5000":{"auth":"\#(auth)"}"#, "user", "pa:ss"),
        (#""r.example:5000":{"username":"u","password":"p"}"#, "u", "p"),
        (#""https://r.example:5000/v1/":{"auth":"\#(auth)"}"#, "user", "pa:ss"),
        (#""r.example:5000":{"username":"u","password":"p"},"r.example:5000/a":{"auth":"\#(auth)"}"#, "user", "pa:ss"),
        (#""r.example:5000/a/b":{"username":"u","password":"p"},"r.example:5000/a":{"auth":"\#(auth)"}"#, "u", "p"),
        (#""r.example":{"username":"u","password":"p"}"#, nil, nil),
        (#""r.example:5000/a/c":{"auth":"\#(auth)"}"#, nil, nil),
        (#""r.example:5000":{}"#, nil, nil), (#""evil-r.example:5000":{"auth":"\#(auth)"}"#, nil, nil),
    ])
    func `the login for the longest part of the name counts`(_ entries: String, _ user: String?, _ secret: String?)
        async throws
    {
        let scratch = try Scratch()
        let found = try await Self.found(scratch, Self.auths(entries))
        #expect(found?.user == user)
        #expect(found?.secret == secret)
    }

    @Test func `an identity token goes before a password`() async throws {
        let scratch = try Scratch()
        let found = try await Self.found(
            scratch, Self.auths(#""r.example:5000":{"auth":"\#(Self.auth)","identitytoken":"tok"}"#))
        #expect(found?.kind == .identityToken)
        #expect(found?.secret == "tok")
    }

    @Test(arguments: [
        "no JSON, but s3cret", #"{"auths":{"r.example:5000":{"auth":"s3cret"}}}"#, #"{"auths":["s3cret"]}"#,
        #"{"credsStore":"../s3cret"}"#, #"{"credHelpers":{"r.example:5000":"a b"}}"#,
    ])
    func `a file that cannot be used is named, and nothing of it is quoted`(_ text: String) async throws {
        let scratch = try Scratch()
        let error = await #expect(throws: RegistryError.self) { try await Self.found(scratch, text) }
        #expect(error?.code == .credentials)
        #expect(error?.description.contains("auth.json") == true)
        #expect(error?.description.contains("\"s3cret") == false && error?.description.contains("but s3cret") == false)
    }

    @Test func `files are asked in the order of their rules`() async throws {
        let scratch = try Scratch()
        func login(_ name: String) -> String { Self.auths(#""r.example":{"username":"\#(name)","password":"p"}"#) }
        try scratch.file("run/containers/auth.json", login("runtime"))
        try scratch.file("docker/config.json", login("docker"))
        try scratch.file("home/.docker/config.json", login("home"))
        try scratch.file("named.json", login("named"))
        let root = scratch.path
        let (run, docker) = (root.appending("run").string, root.appending("docker").string)
        func user(_ environment: [String: String]) async throws -> String? {
            let files = CredentialFiles(environment: environment, home: root.appending("home"))
            return try await files.credential(registry: "r.example", repository: "a")?.user
        }
        #expect(try await user([:]) == "home")
        #expect(try await user(["DOCKER_CONFIG": docker]) == "docker")
        #expect(try await user(["DOCKER_CONFIG": docker, "XDG_RUNTIME_DIR": run]) == "runtime")
        #expect(
            try await user([
                "XDG_RUNTIME_DIR": run, "REGISTRY_AUTH_FILE": root.appending("named.json").string,
            ]) == "named")
        await #expect(throws: RegistryError.self) {
            try await user(["REGISTRY_AUTH_FILE": root.appending("none.json").string])
        }
    }

    @Test func `no description of a login or a token shows the secret`() async throws {
        let scratch = try Scratch()
        let found = try #require(
            try await Self.found(scratch, Self.auths(#""r.example:5000":{"auth":"\#(Self.auth)"}"#)))
        for text in [
            "\(found)", String(reflecting: found), String(describing: Mirror(reflecting: found).children.map { $0 }),
        ] {
            #expect(!text.contains("pa:ss"), "\(text)")
        }
    }

    @Test(arguments: [
        (
            #"Bearer realm="https://a/t?x=\"y\"",service="s",scope="repository:a/b:pull,push""#, "bearer",
            "repository:a/b:pull,push"
        ),
        (#"Basic realm="all""#, "basic", nil), ("", nil, nil), ("===", nil, nil),
        (#"Bearer realm="unended"#, "bearer", nil),
        (#"Digest a=b, c="d", bEARER  scope=x"#, "digest", nil),
    ])
    func `challenges are read as they are written`(_ text: String, _ scheme: String?, _ scope: String?) {
        let list = Challenge.list(text)
        #expect(list.first?.scheme == scheme)
        #expect(list.first?.parameters["scope"] == scope)
        if scheme == "digest" { #expect(list.last == Challenge(scheme: "bearer", parameters: ["scope": "x"])) }
    }
}
