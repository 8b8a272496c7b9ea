import Artefact
import SystemPackage
import TestSupport
import Testing

/// `diff --changes`: notes of a version against the one before, in Markdown.
@Suite struct ReleaseNotesTests {
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            recipe() { printf '%s\\n' 'apiVersion: ksbuild/v1' 'hostname: edge-1' 'name: edge' "$@" >ksbuild.yaml; }
            bundle() { "$KSBUILD" bundle --quiet --no-medium --mirror "$MIRROR" --version "$@"; }
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
    }

    @Test func `releases, packages, settings, files and the way back are told, the same on every call`() async throws {
        let result = try await run(
            """
            mkdir -p site/etc/site; echo a >site/etc/site/a; (umask 077; echo one >site/etc/site/token)
            recipe 'packages: [iptables]' 'layers: [site]'; bundle 1.0.0
            echo b >'site/etc/site/b`|*'; rm site/etc/site/a; echo two >site/etc/site/token
            recipe 'packages: [nftables]' 'layers: [site]' 'kubesolo: { release: v1.3.0 }' \\
                'kernel: { parameters: [quiet] }'; bundle 1.1.0
            "$KSBUILD" diff 1.0.0 1.1.0 --changes >notes; "$KSBUILD" diff 1.0.0 1.1.0 --changes | cmp - notes
            cat notes; echo ==; "$KSBUILD" diff 1.1.0 1.1.0 --changes; echo ==
            "$KSBUILD" diff 1.1.0 1.0.0 --changes | tail -n 1
            """)
        #expect(result.succeeded, "\(result.errors)")
        let parts = result.output.split(separator: "==\n")
        try #require(parts.count == 3, "\(result.output)")
        let notes = String(parts[0])
        #expect(notes.hasPrefix("# edge 1.1.0\n\nChanges since 1.0.0.\n\n- Alpine: virt 3.23.6\n"), "\(notes)")
        for line in [
            "- KubeSolo: offline v1.3.0, was offline v1.2.2", "- Kubernetes: 1.36, was 1.35",
            "| package | 1.0.0 | 1.1.0 |", "| `iptables` | `1.8.11-r1` | – |", "| `nftables` | – | `1.1.5-r0` |",
            "- kernel arguments: `boot medium: quiet`: new", "- world: `iptables`: gone",
            "- overlay: `etc/site/a` gone", "- overlay: `` etc/site/b`|* `` new", "- overlay: `etc/site/token` changed",
        ] { #expect(notes.split(separator: "\n").contains { $0 == line }, "\(line) is not in \(notes)") }
        #expect(
            notes.hasSuffix(
                "\n## The way back\n\nFrom 1.1.0 to 1.0.0 with the data of a node: **needs-snapshot**, "
                    + "KubeSolo 1.2 does not start on what 1.3 has written.\n"), "\(notes)")
        #expect(!notes.contains("two") && !notes.contains("0600"))
        #expect(parts[1].contains("\nNothing differs.\n") && !parts[1].contains("## Packages"), "\(parts[1])")
        #expect(parts[2].hasPrefix("From 1.0.0 to 1.1.0 with the data of a node: **safe**, "), "\(parts[2])")
    }

    @Test func `it is Markdown, and no other form`() async throws {
        let result = try await run(
            """
            recipe; bundle 1.0.0
            set +e; "$KSBUILD" diff 1.0.0 1.0.0 --changes --json; echo $?; "$KSBUILD" diff 1.0.0 2.0.0 --changes; echo $?
            """)
        #expect(result.output == "64\n66\n", "\(result.output)\(result.errors)")
        #expect(result.errors.contains("--changes goes with neither --json nor --text"))
    }
}
