import Artefact
import SystemPackage
import TestSupport
import Testing

/// The life of versions in a store, by the commands: proven, failed, taken again, removed, and waited for.
@Suite struct StoreLifeTests {
    @Test func `versions are proven, fail, are taken again by force and are removed`() async throws {
        let scratch = try Scratch()
        let script = """
            recipe() { printf 'apiVersion: ksbuild/v1\\nkubesolo: { release: %s }\\n' $1 >ksbuild.yaml; }
            k() { "$KSBUILD" "$@"; }
            says() { set +e; k "$@"; echo "exit $?"; set -e; }
            bundle() { recipe $2; k bundle --quiet --version $1 --mirror "$MIRROR" --no-medium --kubesolo \\
                "$LAB"/kubesolo/$2/*-linux-amd64-musl-offline.tar.gz; }
            bundle 1.0.0 v1.2.2; bundle 2.0.0 v1.3.0; bundle 2.1.0 v1.3.0
            says confirm
            says activate 1.0.0
            says confirm 2.0.0
            says confirm --evidence "health state=healthy"
            says activate 2.0.0
            says list
            says rollback --reason "no DNS"
            says activate 2.0.0
            says rollback --force
            says activate --force 2.0.0
            says confirm
            says activate 1.0.0
            recipe v1.2.2; says bundle --version 1.9.0 --mirror "$MIRROR" --no-medium --quiet
            says prune --keep 0 --dry-run
            mkdir out/pins; echo 2.1.0 >out/pins/vm-edge
            says prune --keep 0
            rm out/pins/vm-edge; echo nonsense >out/pins/vm-edge
            says prune --keep 0
            rm out/pins/vm-edge
            says prune --keep 0 --json
            (flock 9; touch held; until [ -e go ]; do sleep 0.05; done) 9>out/.lock &
            while ! [ -e held ]; do sleep 0.05; done
            says rollback
            (sleep 0.5; touch go) &
            says rollback --wait
            wait
            """
        let result = try await run(
            "bash", ["-euc", script], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string, "LAB": Product.lab.string,
            ])
        try #require(result.succeeded, "\(result.output)\(result.errors)")
        let output = result.output.replacing(/[0-9]+ MiB/, with: "N MiB")
            .replacing(/"freedBytes" : [0-9]+/, with: "\"freedBytes\" : N")
        #expect(
            output == """
                exit 1
                1.0.0 is live, pending until 'ksbuild confirm': out/current -> bundles/1.0.0
                exit 0
                exit 1
                1.0.0 is confirmed
                exit 0
                2.0.0 is live (before: 1.0.0), pending until 'ksbuild confirm': out/current -> bundles/2.0.0
                exit 0
                1.0.0  confirmed, way back  alpine-virt 3.23.6, KubeSolo v1.2.2, x86_64, N MiB, data needs-snapshot
                2.0.0  live, pending        alpine-virt 3.23.6, KubeSolo v1.3.0, x86_64, N MiB
                2.1.0                       alpine-virt 3.23.6, KubeSolo v1.3.0, x86_64, N MiB
                exit 0
                1.0.0 is live (before: 2.0.0), confirmed: out/current -> bundles/1.0.0
                exit 0
                exit 1
                exit 64
                2.0.0 is live (before: 1.0.0), pending until 'ksbuild confirm': out/current -> bundles/2.0.0
                exit 0
                2.0.0 is confirmed
                exit 0
                1.0.0 is live (before: 2.0.0), confirmed: out/current -> bundles/1.0.0
                exit 0
                exit 1
                2.1.0: would be removed
                1.0.0: kept, live
                2.0.0: kept, way back
                N MiB would be free
                exit 0
                1.0.0: kept, live
                2.0.0: kept, way back
                2.1.0: kept, pinned
                N MiB freed
                exit 0
                exit 65
                {
                  "freedBytes" : N,
                  "kept" : {
                    "1.0.0" : "live",
                    "2.0.0" : "way back"
                  },
                  "removed" : [
                    "2.1.0"
                  ]
                }
                exit 0
                exit 75
                2.0.0 is live (before: 1.0.0), confirmed: out/current -> bundles/2.0.0
                exit 0

                """)
        let errors = result.errors.split(separator: "\n")
        #expect(errors.count == 7 && errors.allSatisfy { $0.hasPrefix("ksbuild: ") }, "\(result.errors)")
        for text in [
            "out: no version is live; activate one", "version 2.0.0: is not live, 1.0.0 is",
            "(no DNS); --force takes it",
            "--force goes with --to VERSION", "version 1.9.0: is older than 2.0.0, which was confirmed",
            "out/pins/vm-edge: should hold the version that is in use", "out: another ksbuild is changing it",
        ] {
            #expect(errors.contains { $0.contains(text) }, "\(text): \(result.errors)")
        }
    }
}
