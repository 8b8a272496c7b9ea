import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct InitTests {
    @Test func `only what is a public key gets into the recipe, and the recipe is good`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir -p home/.ssh/folder.pub; export HOME="$PWD/home"; cd home/.ssh
            ssh-keygen -q -t ed25519 -N '' -f good
            ssh-keygen -q -s good -I me -n me good.pub
            : >empty.pub; ln -s nowhere dangling.pub; cp good private.pub
            cd ../..
            "$1" init p && cd p && grep '^ *- .file:' ksbuild.yaml && "$1" plan >/dev/null
            """
        let result = try await run("sh", ["-ec", script, "sh", try Product.ksbuild.string], in: scratch.path)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.hasSuffix("with 1 public key\n        - 'file:~/.ssh/good.pub'\n"), "\(result.output)")
        for name in ["good-cert.pub", "empty.pub", "dangling.pub", "folder.pub", "private.pub"] {
            #expect(result.errors.contains("/\(name): ") && result.errors.contains("left out"), "\(result.errors)")
        }
        let refused = try await ksbuild("init", "--key", "home/.ssh/good", "q", in: scratch.path)
        #expect(refused.exitCode == 65 && refused.errors.contains("is a private key"), "\(refused.errors)")
        #expect(!HostFile.exists(scratch.path.pushing("q")))
    }

    @Test func `an ignore list that is there gains the lines it lacks`() async throws {
        let scratch = try Scratch()
        try scratch.file("p/.gitignore", "mine\n/out/")
        let result = try await ksbuild("init", "p", in: scratch.path, environment: ["HOME": scratch.path.string])
        #expect(result.succeeded, "\(result.errors)")
        let list = String(decoding: try HostFile.read(scratch.path.pushing("p/.gitignore"), limit: 999), as: UTF8.self)
        #expect(list == "mine\n/out/\n*.secret\n*.rsa\n.env\n")
    }
}
