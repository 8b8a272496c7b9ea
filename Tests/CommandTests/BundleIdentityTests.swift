import Artefact
import SystemPackage
import TestSupport
import Testing

/// Which bundle it is follows from what it holds, not from where its inputs came from and what vouched for them.
@Suite struct BundleIdentityTests {
    @Test func `the same artefacts are the same bundle however the inputs were found, packed and verified`()
        async throws
    {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let script = """
            trust() { sed -n 's/.*"trust" : "\\(.*\\)".*/\\1/p' "$1" | sort -u | tr '\\n' ' '; }
            "$KSBUILD" bundle --quiet --version 1.0.0 --mirror "$MIRROR"
            echo "trust: $(trust out/bundles/1.0.0/manifest.json)"
            cp out/bundles/1.0.0/alpine-*.iso my.iso; cp out/bundles/1.0.0/*kubesolo my-kubesolo
            "$KSBUILD" bundle --version 1.0.0 --mirror "$MIRROR" --iso my.iso
            "$KSBUILD" bundle --version 1.0.0 --iso my.iso --kubesolo my-kubesolo
            "$KSBUILD" bundle --quiet --version 1.0.0 --iso my.iso --kubesolo my-kubesolo --out other
            echo "trust: $(trust other/bundles/1.0.0/manifest.json)"
            for out in out other; do
                python3 - $out/bundles/1.0.0/manifest.json >$out.json <<'END'
            import json, sys
            manifest = json.load(open(sys.argv[1]))
            manifest["artefacts"] = [a for a in manifest["artefacts"] if a["role"] not in ("sbom", "provenance")]
            for input in manifest["inputs"]: del input["trust"]
            print(json.dumps(manifest, indent=1))
            END
            done
            cmp out.json other.json && echo agree
            grep -h '"name"' out/bundles/1.0.0/manifest.json
            """
        let result = try await run(
            "sh", ["-ec", script], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(
            result.output == """
                trust: checksum-file 
                out/bundles/1.0.0: identical, nothing changed
                out/bundles/1.0.0: identical, nothing changed
                trust: none 
                agree
                      "name" : "alpine-virt-3.23.6-x86_64.iso",
                      "name" : "kubesolo-v1.2.2-linux-amd64-musl-offline",
                  "name" : "kubesolo",

                """, "\(result.output)")
    }
}
