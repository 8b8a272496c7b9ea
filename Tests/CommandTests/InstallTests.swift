import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct InstallTests {
    @Test func `an installed command finds its resources wherever it is moved`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir -p fake/.build/release first; cp "$1" fake/.build/release/ksbuild
            cp -R "$2/Makefile" "$2/Packaging" "$2/docs" "$2/overlays" "$2/templates" fake/
            make -s -C fake -o release install PREFIX=/usr DESTDIR="$PWD/first"
            mv first/usr "moved here"
            mkdir project; cd project
            "../moved here/bin/ksbuild" init
            "../moved here/bin/ksbuild" overlay --quiet
            test -s out/kubesolo.apkovl.tar.gz
            """
        let result = try await run(
            "sh", ["-ec", script, "sh", try Product.ksbuild.string, Product.checkout.string], in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
    }

    @Test func `from a repository only what git knows is installed`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir -p fake/.build/release; cp "$1" fake/.build/release/ksbuild
            cp -R "$2/Makefile" "$2/Packaging" "$2/docs" "$2/overlays" "$2/templates" fake/
            git init -q fake; install() { make -s -C fake -o release install PREFIX="$PWD/prefix"; }
            if install; then exit 1; fi
            git -C fake add overlays templates; echo stray > fake/overlays/stray; echo stray > fake/templates/stray
            chown -R 65534 fake; install
            diff -r fake/overlays prefix/share/ksbuild/overlays || diff -r fake/templates prefix/share/ksbuild/templates
            """
        let result = try await run(
            "sh", ["-ec", script, "sh", try Product.ksbuild.string, Product.checkout.string], in: scratch.path)
        #expect(
            result.output == "Only in fake/overlays: stray\nOnly in fake/templates: stray\n",
            "\(result.output)\(result.errors)")
        #expect(result.errors.contains("copy: git knows no file of overlays templates in "))
    }

    @Test func `a command without its resources says where they belong`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir bin project; cp "$1" bin/; cd project
            printf 'apiVersion: ksbuild/v1\\n' > ksbuild.yaml; ../bin/ksbuild overlay
            """
        let result = try await run("sh", ["-ec", script, "sh", try Product.ksbuild.string], in: scratch.path)
        #expect(result.exitCode == 66)
        #expect(result.errors.contains("install share/ksbuild together with bin/ksbuild"))
    }
}
