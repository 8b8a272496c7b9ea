internal import Artefact
public import SystemPackage

/// A project with a lock and a signing key, and a release of ksbuild beside it, as an example of `docs/pipelines.md` finds
/// them.
public struct Pipeline: Sendable {
    /// The checkout that the pipeline is for; `said` in it has the command lines that were run.
    public let project: FilePath
    /// The private key that is the pipeline's secret.
    public let key: FilePath
    private let release: FilePath

    /// Makes all of it in a folder.
    ///
    /// - Parameters:
    ///   - scratch: The folder.
    ///   - booting: Shell commands in the place of `ksbuild boot`; the command itself is `$here/ksbuild-itself`.
    /// - Throws: `ArtefactError` with what could not be made.
    public init(in scratch: borrowing Scratch, booting: String) async throws {
        project = scratch.path.appending("project")
        key = scratch.path.appending("release.key")
        release = scratch.path.appending("release")
        // Inputs come from the laboratory, the registry's certificate from the test, and what is run is noted; all else is
        // what a release has.
        let script = """
            mkdir -p release tree project; "$2/Packaging/lay-out" "$1" tree; mv tree/bin/ksbuild tree/bin/ksbuild-itself
            cat >tree/bin/ksbuild <<'SHIM'
            #!/bin/sh
            echo "$*" >>said
            here=$(dirname "$0")
            case $1 in
                fetch) exec "$here/ksbuild-itself" "$@" --from "$MIRROR" ;;
                boot) \(booting) ;;
                publish | pull) if [ "${CA_FILE:-}" ]; then exec "$here/ksbuild-itself" "$@" --ca-file "$CA_FILE"; fi ;;
            esac
            exec "$here/ksbuild-itself" "$@"
            SHIM
            chmod 755 tree/bin/ksbuild
            tar -C tree -czf release/ksbuild-0.1.0-linux-x86_64.tar.gz .
            "$1" keygen --quiet --signing release; mv release.pub project/
            cd project; mkdir home; cp "$3/id_ed25519.pub" .; "$1" init --quiet --key id_ed25519.pub
            XDG_CACHE_HOME=$PWD/home "$1" fetch --quiet --update-lock --from "$MIRROR" >/dev/null
            rm -rf home; test -s ksbuild.lock
            """
        let lab = Product.lab
        let made = try await TestSupport.run(
            "sh",
            ["-euc", script, "sh", try Product.ksbuild.string, Product.checkout.string, lab.appending("keys").string],
            in: scratch.path, environment: ["MIRROR": Product.mirror.string])
        guard made.succeeded else {
            throw ArtefactError(.system, subject: "pipeline", detail: made.errors, errno: .invalidArgument)
        }
    }

    /// Runs an example: `shell`, `github`, `gitlab` or `registry`, the last one after that for a shell.
    ///
    /// - Parameters:
    ///   - kind: Which.
    ///   - further: Variables of the environment that it needs besides.
    /// - Returns: What it said and how it ended.
    public func run(_ kind: String, environment further: [String: String] = [:]) async throws -> ProgramResult {
        try? HostFile.remove(project.appending("said"))
        let tarball = release.appending("ksbuild-0.1.0-linux-x86_64.tar.gz")
        var environment = [
            "VERSION": "1.4.0", "KEY_FILE": key.string, "KSBUILD_URL": "file://\(release)",
            "KSBUILD_SHA256": try Digest(ofFile: tarball).hex, "MIRROR": Product.mirror.string,
            "XDG_CACHE_HOME": project.removingLastComponent().appending("cache").string,
        ]
        environment.merge(further) { _, own in own }
        return try await TestSupport.run(
            Product.checkout.pushing("Tests/Pipelines/run").string,
            [kind, Product.checkout.pushing("docs/pipelines.md").string], in: project, environment: environment)
    }
}
