import Artefact
import SystemPackage
import TestSupport
import Testing

/// Findings as SARIF 2.1.0: what the specification requires, the place of each finding, the exit code unchanged.
@Suite struct SARIFTests {
    /// Runs a script with `ks` for the command in a folder; each log that it writes, `*.sarif`, must be one.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            ks() { set +e; "$KSBUILD" "$@" 2>>errors; echo "exit $?" >&2; set -e; }
            shown() { python3 "$SHOW" "$1"; }
            """
        try scratch.file("show.py", Self.show)
        let result = try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)\nfor log in *.sarif; do \"$CHECK\" sarif=$log; done"],
            in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string,
                "SHOW": scratch.path.appending("show.py").string,
                "CHECK": Product.checkout.pushing("Tests/Contracts/check").string,
            ])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        return result
    }

    /// Prints a line for each result of a log, after a look at what a schema cannot see.
    private static let show = """
        import json, sys
        from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Published
        document = json.load(open(sys.argv[1]))
        Published.model_validate(document)
        (run,) = document["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert rules == sorted(set(rules)) and set(rules) == {result["ruleId"] for result in run["results"]}
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
            (location,) = result["locations"]
            place = location["physicalLocation"]
            region = place.get("region", {})
            (member,) = location.get("logicalLocations", [{}])
            print(result["level"], result["ruleId"], place["artifactLocation"]["uri"],
                  ":".join(str(region[key]) for key in ("startLine", "startColumn") if key in region),
                  member.get("fullyQualifiedName", "-"), sep="|")
        """

    @Test func `faults and doubts of a recipe have their line and column`() async throws {
        let result = try await run(
            """
            cat >'a b.yaml' <<'RECIPE'
            apiVersion: ksbuild/v1
            hostnam: x
            network: { interfaces: { eth0: { addresses: [192.0.2.300/24] } } }
            RECIPE
            ks plan --recipe 'a b.yaml' --sarif >bad.sarif; shown bad.sarif
            cat >good.yaml <<'RECIPE'
            apiVersion: ksbuild/v1
            kubesolo: { config: { password: x } }
            RECIPE
            ks plan --recipe "$PWD/good.yaml" --sarif >good.sarif; shown good.sarif | sed "s|$PWD|HERE|"
            ks plan --recipe none.yaml --sarif >none.sarif; shown none.sarif
            ks plan --recipe good.yaml --sarif --json; ks plan --recipe good.yaml --sarif --against 1.0.0
            grep -c 'a b.yaml:2:1: ' errors
            """)
        #expect(
            result.output == """
                error|recipe-form|a%20b.yaml|2:1|hostnam
                error|recipe-value|a%20b.yaml|3:46|network.interfaces.eth0.addresses[0]
                warning|recipe-doubt|file://HERE/good.yaml||access.users
                warning|recipe-doubt|file://HERE/good.yaml|2:21|kubesolo.config.password
                warning|plan-doubt|file://HERE/good.yaml||-
                note|not-checked|file://HERE/good.yaml||-
                note|not-checked|file://HERE/good.yaml||-
                error|recipe-value|none.yaml||-
                1

                """, "\(result.output)")
        #expect(result.errors == "exit 65\nexit 0\nexit 66\nexit 64\nexit 64\n", "\(result.errors)")
    }

    @Test func `findings of overlays and images name the file and the entry in it`() async throws {
        let result = try await run(
            """
            mkdir -p tree/etc; echo x >tree/etc/hostname; chmod 600 tree/etc/hostname
            tar -C tree -czf ü.apkovl.tar.gz ./etc/hostname
            ks inspect ü.apkovl.tar.gz --sarif >overlay.sarif; shown overlay.sarif | sort | head -n 2
            mkdir disk; cp ü.apkovl.tar.gz disk/x.apkovl.tar.gz
            xorriso -as mkisofs -quiet -R -J -o disk.iso disk 2>/dev/null
            ks inspect disk.iso --sarif >image.sarif; shown image.sarif | grep member-dot | sort | head -n 1
            ks inspect ü.apkovl.tar.gz >text; grep -c '\\[member-dot-slash\\]' text
            """)
        #expect(
            result.output.hasPrefix(
                "error|member-dot-slash|%C3%BC.apkovl.tar.gz||./etc/hostname\n"), "\(result.output)")
        #expect(
            result.output.contains("\nerror|member-dot-slash|disk.iso||x.apkovl.tar.gz: ./etc/hostname\n"),
            "\(result.output)")
        #expect(result.errors == "exit 1\nexit 1\nexit 1\n")
    }

    @Test func `findings of a bundle name its files, and one without findings has an empty log`() async throws {
        let result = try await run(
            """
            echo 'apiVersion: ksbuild/v1' >ksbuild.yaml
            ks bundle --quiet --version 1.0.0 --mirror "$MIRROR" --no-medium
            ks verify 1.0.0 --sarif >good.sarif; shown good.sarif
            ks inspect 1.0.0 --sarif >inspected.sarif; shown inspected.sarif
            echo x >out/bundles/1.0.0/extra
            ks verify 1.0.0 --sarif >bad.sarif; shown bad.sarif
            ks inspect out/bundles/1.0.0 --sarif >again.sarif; shown again.sarif
            echo x >file; ks verify file --sha256 $(printf %064d 0) --sarif >file.sarif; shown file.sarif
            for year in 2020 2031; do
                faketime "$year-01-01" "$KSBUILD" verify 1.0.0 --sarif 2>>errors | sha256sum
            done | sort -u | wc -l
            """)
        #expect(
            result.output == """
                error|extra|out/bundles/1.0.0/extra||-
                error|extra|out/bundles/1.0.0/extra||-
                error|file|file||-
                1

                """, "\(result.output)")
        #expect(result.errors == "exit 0\nexit 0\nexit 0\nexit 1\nexit 1\nexit 1\n", "\(result.errors)")
    }
}
