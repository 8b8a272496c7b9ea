internal import Artefact
internal import Subprocess
internal import SystemPackage

/// A program that checks detached OpenPGP signatures.
enum SignatureTool: String, CaseIterable {
    /// Of GnuPG, Debian package `gpgv`.
    case gpgv
    /// Of Sequoia-PGP, Debian package `sqv`.
    case sqv

    /// What a run of the program said.
    struct Answer: Sendable {
        let succeeded: Bool
        let output: String
        let errors: String
    }

    /// The most bytes of output and of errors that are read.
    static let maximumOutput = 1 << 16

    /// The first of the programs in a search path, with where it is.
    ///
    /// - Parameter searchPath: Directories with `:` between them; only absolute ones are looked at.
    /// - Returns: The program and where it is.
    /// - Throws: ``SignatureError`` with ``SignatureError/Code/toolMissing``.
    static func find(in searchPath: String) throws(SignatureError) -> (tool: SignatureTool, path: FilePath) {
        let directories = searchPath.split(separator: ":").map { FilePath(String($0)) }.filter(\.isAbsolute)
        for tool in allCases {
            for directory in directories {
                let path = directory.appending(tool.rawValue)
                guard let status = try? HostFile.status(of: path), status.kind == .file, status.mode.bits & 0o111 != 0
                else { continue }
                return (tool, path)
            }
        }
        throw SignatureError(
            .toolMissing, subject: "gpgv",
            detail: "checks signatures, and neither it nor sqv is in PATH; install the Debian package gpgv, or sqv")
    }

    /// The arguments for one signature.
    ///
    /// - Parameters:
    ///   - file: What was signed.
    ///   - signature: The packets of the signature.
    ///   - key: The packets of the key.
    ///   - home: A directory where GnuPG finds nothing.
    /// - Returns: What follows the program's name.
    private func arguments(
        _ file: FilePath, signature: FilePath, key: FilePath, home: FilePath
    ) -> [String] {
        switch self {
        case .gpgv:
            [
                "--homedir", home.string, "--status-fd", "1", "--weak-digest", "SHA1", "--keyring", key.string, "--",
                signature.string, file.string,
            ]
        case .sqv: ["--keyring", key.string, "--", signature.string, file.string]
        }
    }

    /// Runs the program to its end, without a shell and without anything of the caller's environment.
    ///
    /// - Throws: ``SignatureError`` with ``SignatureError/Code/toolFailed`` when it cannot be run; `CancellationError`.
    func run(
        _ program: FilePath, _ file: FilePath, signature: FilePath, key: FilePath, home: FilePath
    ) async throws -> Answer {
        do {
            let outcome = try await Subprocess.run(
                .path(program),
                arguments: Arguments(arguments(file, signature: signature, key: key, home: home)),
                environment: .custom(["LC_ALL": "C", "HOME": home.string]), input: .none,
                output: .string(limit: Self.maximumOutput), error: .string(limit: Self.maximumOutput))
            try Task.checkCancellation()
            return Answer(
                succeeded: outcome.terminationStatus == .exited(0), output: outcome.standardOutput,
                errors: outcome.standardError)
        } catch let error as SubprocessError {
            throw SignatureError(.toolFailed, subject: program.string, detail: "cannot be run: \(error)")
        }
    }
}
