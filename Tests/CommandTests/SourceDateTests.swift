import Artefact
import SystemPackage
import TestSupport
import Testing

/// `SOURCE_DATE_EPOCH` in everything that a command makes: the time is in it, another year of the clock is not, and a value
/// that is none is refused.
@Suite struct SourceDateTests {
    /// A command, and shell commands that print the seconds which what it made carries, each once.
    struct Case: Sendable, CustomTestStringConvertible {
        let command: String
        let made: String
        let times: String
        var testDescription: String { command }
    }

    private static let cases = [
        Case(
            command: "overlay", made: "out/kubesolo.apkovl.tar.gz",
            times: "tar --full-time --utc -tvzf $MADE | awk '{ print $4, $5 }' | sort -u | date -uf - +%s"),
        Case(
            command: "cidata", made: "out/cidata.iso",
            times: "TZ=UTC xorriso -indev $MADE -find / -exec lsdl -- 2>/dev/null | grep -c 'Nov 14  *2023'"),
        Case(
            command: "medium --mirror $MIRROR", made: "out/kubesolo-x86_64.iso",
            times: "TZ=UTC xorriso -indev $MADE -find /ksbuild -exec lsdl -- 2>/dev/null | grep -c 'Nov 14  *2023'"),
        Case(
            command: "bundle --version 1.0.0 --mirror $MIRROR", made: "out/bundles/1.0.0/manifest.json",
            times: "sed -n 's/.*\"epoch\" : \\([0-9]*\\).*/\\1/p' $MADE"),
        Case(
            command: "graft $ISO --add ksbuild.yaml:x -o g.iso", made: "g.iso",
            times: "TZ=UTC xorriso -indev $MADE -find /x -exec lsdl -- 2>/dev/null | grep -c 'Nov 14  *2023'"),
        Case(
            command: "plan", made: "said",
            times: "sed -n 's/^  epoch  *//p' $MADE"),
    ]

    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\nepoch: 5\n")
        let iso = Product.mirror.pushing("alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso")
        return try await TestSupport.run(
            "bash", ["-euc", script], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string, "ISO": iso.string,
                "SOURCE_DATE_EPOCH": "1700000000", "XDG_CACHE_HOME": scratch.path.appending("cache").string,
            ])
    }

    @Test(arguments: cases) func `what is made carries the time that is given, and no other`(made: Case) async throws {
        let result = try await run(
            """
            MADE=\(made.made)
            make() { "$@" "$KSBUILD" \(made.command) >said 2>errors; }
            make env; \(made.times); sha256sum $MADE
            rm -rf out g.iso; make faketime '2031-07-01 12:00:00'; sha256sum $MADE
            rm -rf out g.iso; make env SOURCE_DATE_EPOCH=1600000000; sha256sum $MADE
            rm -rf out g.iso; make env SOURCE_DATE_EPOCH=yesterday || echo "exit $?"
            cat errors; ls -A
            """)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        try #require(lines.count > 5, "\(result.output)")
        #expect(lines[0] == "1700000000" || (Int(lines[0]) ?? 0) > 0 && made.times.contains("grep -c"), "\(lines[0])")
        #expect(lines[1] == lines[2])
        #expect(lines[1] != lines[3])
        #expect(lines[4] == "exit 65")
        #expect(lines[5].hasPrefix("ksbuild: SOURCE_DATE_EPOCH: "), "\(lines[5])")
        #expect(!lines.contains("out") && !lines.contains("g.iso"))
    }

    @Test func `a mirror of the lock has no time of its own in it`() async throws {
        let result = try await run(
            """
            "$KSBUILD" fetch --quiet --update-lock --from $MIRROR >/dev/null
            "$KSBUILD" mirror one --quiet; faketime '2031-07-01 12:00:00' "$KSBUILD" mirror two --quiet
            diff -r one two && echo same
            """)
        #expect(result.output == "same\n", "\(result.output)\(result.errors)")
    }
}
