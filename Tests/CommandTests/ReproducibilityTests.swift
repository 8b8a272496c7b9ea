import Artefact
import SystemPackage
import TestSupport
import Testing

/// The same recipe, version and epoch give the same bytes, whatever surrounds the build.
@Suite struct ReproducibilityTests {
    /// What differs between two builds that must agree.
    struct Surroundings: Sendable, CustomTestStringConvertible {
        var name: String
        /// Words of a shell command before `ksbuild`.
        var prefix = ""
        var umask = "022"
        var environment: [String: String] = [:]
        /// Whether the layer's files are made in the opposite order.
        var isReversed = false

        var testDescription: String { name }
    }

    static let variations = [
        Surroundings(name: "another time zone", environment: ["TZ": "Pacific/Kiritimati"]),
        Surroundings(name: "another language", environment: ["LANG": "tr_TR.UTF-8", "LC_ALL": "C", "LANGUAGE": "de"]),
        Surroundings(name: "a closed umask", umask: "077"),
        Surroundings(name: "an open umask", umask: "000"),
        Surroundings(name: "another user", prefix: "setpriv --reuid=65534 --regid=65534 --clear-groups"),
        Surroundings(name: "another directory order", isReversed: true),
        Surroundings(name: "another year", prefix: "faketime '2031-07-01 12:00:00'"),
    ]

    @Test(arguments: variations)
    func `every artefact is the same bit for bit in`(surroundings: Surroundings) async throws {
        let scratch = try Scratch()
        try HostFile.setMode(of: scratch.path, EntryMode(0o755))
        let installed = try await Self.install(into: scratch.path)
        let plain = try await Self.build(Surroundings(name: "plain"), in: scratch.path.appending("a"), by: installed)
        let other = try await Self.build(surroundings, in: scratch.path.appending("another-folder"), by: installed)
        #expect(plain == other)
        #expect(plain.split(separator: "\n").count >= 8)
    }

    @Test func `a bundle comes out of verify the same for another user, elsewhere, in another year`() async throws {
        let scratch = try Scratch()
        try HostFile.setMode(of: scratch.path, EntryMode(0o755))
        let installed = try await Self.install(into: scratch.path)
        _ = try await Self.build(Surroundings(name: "plain"), in: scratch.path.appending("a"), by: installed)
        let script = """
            cp -R a/ksbuild.yaml a/site b/; chmod -R a+rX a b; chmod 1777 tmp; umask 077; cd b
            set -- setpriv --reuid=65534 --regid=65534 --clear-groups faketime '2031-07-01 12:00:00' "$1" verify --rebuild \
                --iso "$(echo ../inputs/*.iso)" --kubesolo "$(echo ../inputs/*.tar.gz)" ../a/out/bundles/1.2.3
            "$@"; chmod 755 site/etc/zz; "$@" >/dev/null || echo "exit $?"
            """
        let result = try await run(
            "sh", ["-ec", "mkdir b tmp; \(script)", "sh", installed.string], in: scratch.path,
            environment: ["TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "TMPDIR": "\(scratch.path)/tmp"])
        #expect(result.succeeded, "\(result.errors)")
        let words = "built again, and every file came out the same bit for bit\n"
        #expect(result.output.contains(words), "\(result.errors)")
        #expect(result.output.hasSuffix("exit 1\n"), "\(result.output)")
    }

    /// Lays out the command and its resources as `make install` does, where any user may run them.
    private static func install(into folder: FilePath) async throws -> FilePath {
        let script = """
            mkdir -p bin share/ksbuild inputs && cp "$1" bin/ksbuild && cp -R "$2/overlays" "$2/templates" share/ksbuild/
            cp "$3"/alpine/v3.23/releases/x86_64/alpine-virt-*.iso* "$3"/kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz inputs/
            chmod -R a+rX .
            """
        let arguments = [try Product.ksbuild.string, Product.checkout.string, Product.mirror.string]
        let result = try await run("sh", ["-ec", script, "sh"] + arguments, in: folder)
        #expect(result.succeeded, "\(result.errors)")
        return folder.pushing("bin/ksbuild")
    }

    /// Builds all artefacts of one recipe and lists their digests.
    private static func build(
        _ surroundings: Surroundings, in folder: FilePath, by command: FilePath
    ) async throws -> String {
        var names = ["etc/site/a.conf", "etc/site/b.conf", "usr/local/bin/tool", "etc/zz"]
        if surroundings.isReversed { names.reverse() }
        let layer = names.map { "mkdir -p site/$(dirname \($0)); echo \($0) > site/\($0); chmod 0644 site/\($0)" }
        let script = """
            mkdir -p "$1"; cd "$1"
            \(layer.joined(separator: "\n"))
            chmod 0755 site/usr/local/bin/tool; find site -type d -exec chmod 0755 {} +
            cat > ksbuild.yaml <<'RECIPE'
            apiVersion: ksbuild/v1
            hostname: twin
            network: { interfaces: { eth0: { addresses: [192.0.2.10/24], gateway4: 192.0.2.1 } } }
            layers: [site]
            RECIPE
            chmod 0777 .
            umask \(surroundings.umask)
            iso=$(ls ../inputs/*.iso); kubesolo=$(ls ../inputs/*.tar.gz)
            for what in overlay cidata "bundle --version 1.2.3"; do
                \(surroundings.prefix) "$2" $what --quiet --iso "$iso" --kubesolo "$kubesolo"
            done
            cd out && find . -type f ! -name '.*' ! -path './store/*' ! -name history.jsonl | LC_ALL=C sort | xargs sha256sum
            """
        let result = try await run(
            "sh", ["-ec", script, "sh", folder.string, command.string],
            in: folder.removingLastComponent(), environment: surroundings.environment)
        #expect(result.succeeded, "\(result.errors)")
        return result.output
    }
}
