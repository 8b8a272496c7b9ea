import Artefact
import SystemPackage
import TestSupport
import Testing

/// What stands where something is written, and who may read what was written.
@Suite struct OutputTests {
    private func shell(_ script: String, in scratch: borrowing Scratch) async throws -> ProgramResult {
        try await run(
            "sh", ["-euc", script], in: scratch.path, environment: ["KSBUILD": try Product.ksbuild.string])
    }

    @Test func `an overlay that is refused leaves the one that was there`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\nlayers: [site]\n")
        try scratch.file("site/etc/init.d/mine", "#!/sbin/openrc-run\n", mode: .file)
        try scratch.file("keep.apkovl.tar.gz", "the one before")
        let result = try await ksbuild("overlay", "-o", "keep.apkovl.tar.gz", in: scratch.path)
        #expect(result.exitCode == 65 && result.errors.contains("etc/init.d/mine"), "\(result.errors)")
        let kept = try HostFile.read(scratch.path.appending("keep.apkovl.tar.gz"), limit: 100)
        #expect(kept == Array("the one before".utf8))
        #expect(try HostFile.names(in: scratch.path) == ["keep.apkovl.tar.gz", "ksbuild.yaml", "out", "site"])
    }

    @Test func `a private file that is added stays private and makes the image a secret`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        try scratch.file("private", "x", mode: .secret)
        let result = try await shell(
            """
            "$KSBUILD" cidata --add private:private
            stat -c %a out/cidata.iso
            isoinfo -R -l -i out/cidata.iso | grep ' private *$'
            """, in: scratch)
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains("600"), "\(result.output)\(result.errors)")
        #expect(lines.last?.hasPrefix("-rw-------") == true, "\(result.output)\(result.errors)")
    }

    @Test func `modes of a layer do not follow the umask of whoever checked it out`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\nlayers: [site]\n")
        let result = try await shell(
            """
            for mask in 022 002 000; do
                rm -rf site
                (umask $mask; mkdir -p site/etc/site; echo x >site/etc/site/file; echo >site/etc/site/run; chmod +x site/etc/site/run)
                "$KSBUILD" overlay --quiet -o $mask.apkovl.tar.gz
            done
            sha256sum *.apkovl.tar.gz | cut -c1-64 | sort -u | wc -l
            """, in: scratch)
        #expect(result.output == "1\n", "\(result.output)\(result.errors)")
    }

    @Test func `a plan leaves nothing behind, whoever stops reading it`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let result = try await run(
            "sh",
            [
                "-c",
                "mkdir t; export TMPDIR=$PWD/t; \"$1\" plan --mirror \"$2\" | true; \"$1\" plan --mirror \"$2\" >&-; ls -A t",
                "sh", try Product.ksbuild.string, Product.mirror.string,
            ], in: scratch.path)
        #expect(result.output == "")
    }

    @Test func `what a killed command left is removed by the next, and what is in use stays`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let result = try await shell(
            """
            mkdir -p out/.work-aaaaaa/x out/.work-bbbbbb out/.work-notours
            flock -s out/.work-bbbbbb "$KSBUILD" overlay --quiet
            ls -A out
            """, in: scratch)
        #expect(result.output == ".work-bbbbbb\n.work-notours\nkubesolo.apkovl.tar.gz\n", "\(result.errors)")
    }
}
