import Artefact
import SystemPackage
import TestSupport
import Testing

/// `verify --rebuild`: a bundle comes out of its recipe and lock once more, or verify says where it does not.
@Suite struct RebuildTests {
    /// Runs a script in a folder with a recipe, its layer, its lock and a cache, from which version 1.0.0 was made.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            says() { set +e; "$@"; echo "exit $?"; set -e; }
            mkdir -p site/etc/site; echo hello >site/etc/site/greeting
            (umask 077; echo one >site/etc/site/token)
            printf '%s\\n' 'apiVersion: ksbuild/v1' 'layers: [site]' 'packages: [nftables]' 'epoch: 1700000000' >ksbuild.yaml
            "$KSBUILD" fetch --quiet --update-lock --mirror "$MIRROR" --cache cache >/dev/null
            SOURCE_DATE_EPOCH=1800000000 "$KSBUILD" bundle --quiet --version 1.0.0 --cache cache
            again() { "$KSBUILD" verify --quiet out/bundles/1.0.0 --rebuild --cache cache "$@"; }
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string, "TMPDIR": scratch.path.string,
            ])
    }

    @Test func `it comes out the same from lock and cache, wherever the inputs come from now`() async throws {
        let result = try await run(
            """
            says "$KSBUILD" verify 1.0.0 --rebuild --cache cache
            mkdir elsewhere; mv ksbuild.yaml site elsewhere; mv ksbuild.lock the-lock
            says again --recipe elsewhere/ksbuild.yaml --lock the-lock
            says again --recipe elsewhere/ksbuild.yaml --mirror "$MIRROR"
            "$KSBUILD" verify --json out/bundles/1.0.0 --rebuild --recipe elsewhere/ksbuild.yaml --mirror "$MIRROR" | grep -e rebuilt -e good
            ls -d ksbuild-* || true
            """)
        #expect(result.succeeded, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first?.contains("out/bundles/1.0.0: good, ") == true, "\(result.output)")
        #expect(lines.dropFirst().first?.contains("built again, and every file came out the same bit for bit") == true)
        #expect(
            Array(lines.dropFirst(2)) == [
                "exit 0", "exit 0", "exit 0", #"  "good" : true,"#, #"  "rebuilt" : true,"#,
            ], "\(result.output)\(result.errors)")
    }

    @Test func `what came out otherwise is named, and of a secret nothing is shown`() async throws {
        let result = try await run(
            """
            echo goodbye >site/etc/site/greeting
            says "$KSBUILD" verify 1.0.0 --rebuild --cache cache
            echo hello >site/etc/site/greeting; echo two >site/etc/site/token
            says "$KSBUILD" verify 1.0.0 --rebuild --cache cache
            """)
        let name = "kubesolo-1.0.0-x86_64"
        #expect(result.output.contains("      -hello\n      +goodbye\n"), "\(result.output)")
        #expect(result.output.split(separator: "\n").filter { $0.hasPrefix("exit") } == ["exit 1", "exit 1"])
        #expect(result.output.contains("etc/site/token: file 0600 0:0, secret -> file 0600 0:0, secret, another"))
        let first =
            result.errors.split(separator: "\n").first { $0.hasPrefix("ksbuild: ") } ?? ""
        #expect(first.hasPrefix("ksbuild: out/bundles/1.0.0: \(name).apkovl.tar.gz: comes out otherwise: "), "\(first)")
        for file in ["cidata.iso", "spdx.json", "provenance.json"] {
            #expect(result.errors.contains(" \(name).\(file): comes out otherwise: "), "\(result.errors)")
        }
        #expect(!result.output.contains("two") && !result.errors.contains("two"))
    }

    @Test func `another recipe, a missing input and a damaged bundle have their answers`() async throws {
        let result = try await run(
            """
            cp ksbuild.yaml mine.yaml; echo '# changed' >>ksbuild.yaml; says again
            says again --recipe mine.yaml --lock ksbuild.lock
            mv mine.yaml ksbuild.yaml; says again --cache empty; mv ksbuild.lock the-lock; says again
            says again --lock none; says again --recipe none.yaml
            says "$KSBUILD" verify 1.0.0 --mirror "$MIRROR"; says "$KSBUILD" verify ksbuild.yaml --rebuild
            chmod u+w out/bundles/1.0.0/*.kubesolo; echo x >>out/bundles/1.0.0/*.kubesolo; says again --mirror "$MIRROR"
            """)
        #expect(
            result.output.split(separator: "\n").map { $0.dropFirst(5) }
                == ["1", "0", "66", "66", "66", "66", "64", "64", "1"], "\(result.output)\(result.errors)")
        let errors = result.errors.split(separator: "\n")
        #expect(errors.first?.contains("manifest.json: was made from a recipe with SHA-256 ") == true)
        #expect(errors.contains { $0.contains("is locked and not in the cache") })
        #expect(errors.last?.contains("kubesolo: ") == true && !result.errors.contains("comes out otherwise"))
    }

    @Test func `a bundle comes out of its own parts, and that nobody else vouches for them is said`() async throws {
        let result = try await run(
            """
            rm ksbuild.lock; printf 'apiVersion: ksbuild/v1\\n' >ksbuild.yaml
            "$KSBUILD" bundle --quiet --version 2.0.0 --mirror "$MIRROR" --no-medium; parts=out/bundles/2.0.0
            "$KSBUILD" verify 2.0.0 --rebuild --iso $parts/alpine-*.iso --kubesolo $parts/*.kubesolo | tail -n 2
            """)
        #expect(
            result.output
                == "out/bundles/2.0.0: built again, and every file came out the same bit for bit; manifest.json says that "
                + "the inputs were verified in another way, which is in no other file\n"
                + "  nothing vouches for alpine-virt-3.23.6-x86_64.iso: pin or lock what is built from\n",
            "\(result.output)\(result.errors)")
    }
}
