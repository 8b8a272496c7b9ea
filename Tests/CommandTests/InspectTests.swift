import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct InspectTests {
    @Test func `names made by others cannot steer the terminal or forge a line`() async throws {
        let scratch = try Scratch()
        let script = """
            import io, tarfile
            with tarfile.open("a.apkovl.tar.gz", "w:gz") as tar:
                for name in ["etc/", "etc/\\x1b[31mRED\\x07\\nerror: forged", "etc/hostname"]:
                    member = tarfile.TarInfo(name.rstrip("/"))
                    member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
                    data = b"host\\x1b[2Jname\\n" if name == "etc/hostname" else b""
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
            """
        let made = try await run("python3", ["-c", script], in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        let shown = try await ksbuild("inspect", "a.apkovl.tar.gz", in: scratch.path)
        #expect(!shown.output.unicodeScalars.contains { $0.value < 32 && $0 != "\n" }, "\(shown.output)")
        #expect(!shown.output.contains("\nerror: forged"))
        #expect(shown.output.contains("\\u{1b}[31mRED"))
    }

    @Test func `a bundle, its overlay and its image are told as text and as JSON`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let built = try await ksbuild(
            "bundle", "--quiet", "--version", "1.0.0", "--mirror", Product.mirror.string, in: scratch.path)
        try #require(built.succeeded, "\(built.errors)")
        let text = try await ksbuild("inspect", "1.0.0", in: scratch.path)
        #expect(text.succeeded, "\(text.output)\(text.errors)")
        for line in ["  version: 1.0.0", "  alpine: virt 3.23.6", "  host name: kubesolo"] {
            #expect(text.output.contains(line + "\n"), "\(text.output)")
        }
        let script = """
            set -e; cd out/bundles/1.0.0
            for file in . *.apkovl.tar.gz *.cidata.iso; do "$1" inspect --json "$file"; done |
                python3 -c '
            import json, sys
            decoder, text, kinds = json.JSONDecoder(), sys.stdin.read(), []
            while text.strip():
                value, end = decoder.raw_decode(text.lstrip())
                text = text.lstrip()[end:]
                kinds.append((value["kind"], len(value["findings"]), len(value.get("entries") or value["artefacts"]) > 3))
            print(kinds)'
            """
        let json = try await run("sh", ["-c", script, "sh", try Product.ksbuild.string], in: scratch.path)
        #expect(json.output == "[('bundle', 0, True), ('overlay', 0, True), ('iso', 0, True)]\n", "\(json.errors)")
    }
}
