import Artefact
import SystemPackage
import TestSupport
import Testing

/// `ksbuild graft` from its command line.
@Suite struct GraftTests {
    @Test func `it adds, replaces and removes, and leaves the source alone`() async throws {
        let scratch = try Scratch()
        try scratch.file("tree/a/one", "1")
        try scratch.file("two", "2", mode: .executable)
        try scratch.file("new", "new")
        let script = """
            mkdir old; echo old >old/file; echo gone >old/gone
            xorrisofs -quiet -joliet -rational-rock -output source.iso old; sha256sum source.iso >sum
            "$1" graft source.iso -o target.iso --add tree:/x/y --add two:two --add new:file --remove gone
            sha256sum --quiet -c sum
            for option in -R -J; do isoinfo $option -f -i target.iso | sed 's/;1$//' | sort | tr '\\n' ' '; echo; done
            isoinfo -R -x /file -i target.iso; echo; bsdtar -tvf target.iso two | cut -c1-10
            """
        let made = try await run("bash", ["-euc", script, "bash", try Product.ksbuild.string], in: scratch.path)
        let wanted = "/file /two /x /x/y /x/y/a /x/y/a/one \n"
        #expect(made.output.hasSuffix(wanted + wanted + "new\n-rwxr-xr-x\n"), "\(made.output)\(made.errors)")
    }

    @Test(arguments: [
        ("graft source.iso -o t.iso", 64, "nothing to do"),
        ("graft source.iso -o t.iso --add none:x", 66, "none"),
        ("graft source.iso -o t.iso --add file", 64, "is not LOCAL:PATH"),
        ("graft source.iso -o t.iso --add file:../x", 64, "must not hold"),
        ("graft source.iso -o t.iso --remove none", 66, "has no \"none\" to remove"),
        ("graft source.iso -o source.iso --add file:x", 64, "is an input"),
        ("graft source.iso -o file --add file:x", 64, "is an input"),
        ("graft file -o t.iso --add file:x", 65, "is not an ISO 9660 image"),
        ("graft none.iso -o t.iso --add file:x", 66, "none.iso"),
        ("graft source.iso -o t.iso --add file:dir", 65, "is a file here and a directory there"),
        ("graft source.iso -o none/t.iso --add file:x", 73, "does not exist"),
    ])
    func `what cannot be done is said in one line, and nothing is written`(
        command: String, code: Int32, reason: String
    ) async throws {
        let scratch = try Scratch()
        try scratch.file("file", "x")
        try scratch.file("old/dir/file", "old")
        let made = try await run(
            "xorrisofs", ["-quiet", "-joliet", "-rational-rock", "-output", "source.iso", "old"], in: scratch.path)
        try #require(made.succeeded)
        let before = try Digest(ofFile: scratch.path.appending("source.iso"))
        let result = try await run(
            try Product.ksbuild.string, command.split(separator: " ").map(String.init), in: scratch.path)
        #expect(result.exitCode == code && result.errors.contains(reason), "\(result.errors)")
        #expect(try Digest(ofFile: scratch.path.appending("source.iso")) == before)
        #expect(try HostFile.names(in: scratch.path) == ["file", "old", "source.iso"])
    }
}
