import Artefact
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
                cat said
                """,
            ], in: pipeline.project)
        #expect(judged.succeeded, "\(judged.errors)")
        var expected = ["2.1.0", "plan --sarif", "fetch", "bundle --version 1.4.0 --offline --sign KEY"]
        expected += ["verify 1.4.0 --trust release.pub", "boot 1.4.0 --junit boot.xml"]
        if pipeline.knowsPublish { expected.append("publish dir:public 1.4.0") }
        let said = judged.output.split(separator: "\n").map { line in
            String(line).replacing(/--sign .*release\.key/, with: "--sign KEY")
        }
        #expect(said == expected)
        let key = String(decoding: try HostFile.read(pipeline.key, limit: 1 << 10), as: UTF8.self)
        let secret = try #require(key.split(separator: "\n").last)
        #expect(!(result.output + result.errors + judged.output).contains(secret))
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
