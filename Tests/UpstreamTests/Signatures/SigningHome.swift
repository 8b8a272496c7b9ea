internal import Artefact
internal import SystemPackage
internal import TestSupport

/// A home directory of GnuPG with keys that a test makes.
struct SigningHome: ~Copyable {
    let scratch: Scratch

    init() throws {
        let scratch = try Scratch()
        try scratch.file("home/gpg-agent.conf", "allow-loopback-pinentry\n", mode: .secret)
        self.scratch = scratch
    }

    private var home: FilePath { scratch.path.appending("home") }

    /// Where a file of the test lies.
    func path(_ name: String) -> FilePath { scratch.path.appending(name) }

    /// Runs gpg; what it says when it fails is the failure of the test.
    @discardableResult
    func gpg(_ arguments: String...) async throws -> String {
        let result = try await run(
            "gpg",
            ["--batch", "--yes", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""] + arguments,
            in: scratch.path, environment: ["GNUPGHOME": home.string])
        guard result.succeeded else { throw Failed(message: "gpg \(arguments): \(result.errors)") }
        return result.output
    }

    /// Makes a key and writes it armoured to `NAME.asc` and bare to `NAME.gpg`.
    ///
    /// - Returns: Its fingerprint.
    func makeKey(_ name: String, usage: String = "sign", expires: String = "never", at time: String? = nil) async throws
        -> String
    {
        let faked = time.map { ["--faked-system-time", $0] } ?? []
        let result = try await run(
            "gpg",
            ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""] + faked
                + ["--quick-generate-key", "\(name) <\(name)@example.org>", "ed25519", usage, expires],
            in: scratch.path, environment: ["GNUPGHOME": home.string])
        guard result.succeeded else { throw Failed(message: result.errors) }
        let listing = try await gpg("--with-colons", "--list-keys", "\(name)@example.org")
        let line = listing.split(separator: "\n").first { $0.hasPrefix("fpr:") } ?? ""
        let fingerprint = line.split(separator: ":").last.map(String.init) ?? ""
        try await export(name)
        return fingerprint
    }

    /// Writes a key anew after something about it changed.
    func export(_ name: String) async throws {
        try await gpg("--output", "\(name).gpg", "--export", "\(name)@example.org")
        try await gpg("--armor", "--output", "\(name).asc", "--export", "\(name)@example.org")
    }

    /// Signs a file with a key into `FILE.asc`.
    func sign(_ file: String, by name: String, _ options: String...) async throws {
        let result = try await run(
            "gpg",
            ["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--local-user"]
                + ["\(name)@example.org"] + options + ["--armor", "--output", "\(file).asc", "--detach-sign", file],
            in: scratch.path, environment: ["GNUPGHOME": home.string])
        guard result.succeeded else { throw Failed(message: result.errors) }
    }

    /// Revokes a key with the certificate that GnuPG made together with it.
    func revoke(_ name: String, _ fingerprint: String) async throws {
        let path = home.appending("openpgp-revocs.d").appending("\(fingerprint).rev")
        let text = try await run("sed", ["s/^:-/-/", path.string]).output
        try scratch.file("revocation", text)
        try await gpg("--import", "revocation")
        try await export(name)
    }

    struct Failed: Error, CustomStringConvertible {
        let message: String
        var description: String { message }
    }
}

/// A directory that holds one of the programs that check signatures, for a search path.
func onlyTool(_ name: String, in scratch: FilePath) async throws -> String {
    let found = try await run("sh", ["-c", "command -v \"$1\"", "sh", name])
    let program = found.output.split(separator: "\n").first.map(String.init) ?? ""
    let directory = scratch.appending("only-\(name)")
    _ = try await run("mkdir", ["-p", directory.string])
    let link = try await run("ln", ["-sf", program, directory.appending(name).string])
    guard found.succeeded, link.succeeded else { throw SigningHome.Failed(message: "\(name) is not installed") }
    return directory.string
}
