import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// The examples of `docs/pipelines.md`, run as they stand there; a real boot is in `BootTests`.
@Suite(.serialized) struct PipelineTests {
    @Test(arguments: ["github", "gitlab", "shell"])
    func `an example goes from a tag to a bundle that is signed, verified and published`(kind: String) async throws {
        let scratch = try Scratch()
        let pipeline = try await Pipeline(in: scratch, booting: "exit 0")
        let result = try await pipeline.run(kind)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let judged = try await run(
            "sh",
            [
                "-ec",
                """
                (cd out/bundles/1.4.0; sha256sum --quiet -c SHA256SUMS; minisign -Vq -p ../../../release.pub -m SHA256SUMS)
                python3 -c 'import json; print(json.load(open("recipe.sarif"))["version"])'
                (cd public/latest; sha256sum --quiet -c SHA256SUMS; cmp SHA256SUMS ../../out/bundles/1.4.0/SHA256SUMS)
                cat said
                if test "$2" != shell; then
                    mkdir copy; tar -C copy -xpf public.tar
                    "$1" pull --quiet dir:copy/public --verify-key release.pub --out pulled
                    diff -r pulled/bundles/1.4.0 out/bundles/1.4.0
                fi
                """, "sh", try Product.ksbuild.string, kind,
            ], in: pipeline.project)
        #expect(judged.succeeded, "\(judged.errors)")
        var expected = ["2.1.0", "plan --sarif", "fetch", "bundle --version 1.4.0 --offline --sign KEY"]
        expected += ["verify 1.4.0 --trust release.pub", "boot 1.4.0 --junit boot.xml"]
        expected.append("publish dir:public 1.4.0")
        let said = judged.output.split(separator: "\n").map { line in
            String(line).replacing(/--sign .*release\.key/, with: "--sign KEY")
        }
        #expect(said == expected)
        let key = String(decoding: try HostFile.read(pipeline.key, limit: 1 << 10), as: UTF8.self)
        let secret = try #require(key.split(separator: "\n").last)
        #expect(!(result.output + result.errors + judged.output).contains(secret))
    }

    @Test func `the example for a registry puts the bundle there with the login of a file, and takes it back`()
        async throws
    {
        let scratch = try Scratch()
        let registry = try await DockerRegistry(in: scratch)
        let pipeline = try await Pipeline(in: scratch, booting: "exit 0")
        let made = try await pipeline.run("shell")
        try #require(made.succeeded, "\(made.output)\(made.errors)")
        let place = "oci://\(registry.host)/team/edge"
        let variables = ["PLACE": place, "CA_FILE": registry.authority.string]
        let wrong = variables.merging(["LOGIN_FILE": registry.wrongLogin.string]) { $1 }
        let refused = try await pipeline.run("registry", environment: wrong)
        #expect(!refused.succeeded && refused.errors.contains("ends with 77"), "\(refused.errors)")
        let right = variables.merging(["LOGIN_FILE": registry.login.string]) { $1 }
        let result = try await pipeline.run("registry", environment: right)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let judged = try await run(
            "sh",
            [
                "-ec",
                """
                diff -r pulled/bundles/1.4.0 out/bundles/1.4.0
                python3 -c 'import json; print(json.load(open("published.json"))["names"])'
                cat said
                """,
            ], in: pipeline.project)
        #expect(
            judged.output
                == """
                ['1.4.0', 'latest']
                publish \(place) 1.4.0 --latest --json
                pull \(place) --expect 1.4.0 --verify-key release.pub --out pulled

                """, "\(judged.output)\(judged.errors)")
    }

    @Test func `an example with a step that fails ends there`() async throws {
        let scratch = try Scratch()
        let pipeline = try await Pipeline(in: scratch, booting: "exit 3")
        for kind in ["github", "gitlab", "shell"] {
            let result = try await pipeline.run(kind)
            #expect(!result.succeeded)
            #expect(result.errors.contains("ends with 3"), "\(result.errors)")
            #expect(!HostFile.exists(pipeline.project.appending("public")))
            try HostFile.removeTree(pipeline.project.appending("out"))
        }
    }
}
