import Artefact
import TestSupport
import Testing

@testable import APKOVL

/// Copies of the datastore and what belongs to it, taken before another KubeSolo opens it.
struct SnapshotTests {
    private func run(_ script: String, snapshots: Int = 3, mount: String = NodeData.mount) async throws -> String {
        try await NodeData.run(script, snapshots: snapshots, mount: mount).output
    }

    @Test func `it holds what belongs together, as it was, and a list that others can check`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; mkdir -p local-path-storage containerd/root bin; echo volume >local-path-storage/pv
            (find kine/db pki containerd/registry kubelet/config.d ksbuild/datastore \\
                -exec stat -c '%f %u:%g %N' {} + | sort) >/tmp/before
            become v1.3.0 2.0.0; datastore open
            cd ksbuild/snapshots/*/files
            (find kine/db pki containerd/registry kubelet/config.d ksbuild/datastore \\
                -exec stat -c '%f %u:%g %N' {} + | sort) | cmp - /tmp/before && echo equal
            cat kine/db/state.db-wal pki/ca/ca.key; ls -A . kubelet containerd
            grep -E '^[0-9a-f]{64}  ' ../contents | sha256sum -c -s && echo checked; find . -type f | wc -l
            stat -c %a /var/lib/kubesolo/ksbuild/snapshots
            """)
        #expect(
            output == """
                ksbuild: datastore state=newer version=v1.3.0 reason="KubeSolo v1.2.2 of release 1.0.0 has opened the datastore before"
                ksbuild: snapshot state=taken name=000001-v1.2.2 bytes=140
                equal
                A
                A
                .:
                containerd
                kine
                ksbuild
                kubelet
                pki

                containerd:
                registry

                kubelet:
                config.d
                checked
                8
                700

                """)
    }

    @Test(arguments: [
        // The same version, of whatever release, takes none.
        ("boot v1.2.2+ 1.0.0 A; boot v1.2.2+ 2.0.0 B", ""),
        // Before the first start there is nothing to copy.
        ("boot v1.2.2 1.0.0 A", ""),
        ("boot v1.2.2+ 1.0.0 A; boot v1.2.3+ 1.1.0 B", "000001-v1.2.2 "),
        ("boot v1.2.2+ 1.0.0 A; boot v1.2.3+ 1.1.0 B; boot v1.2.2+ 1.0.0 C", "000001-v1.2.2 000002-v1.2.3 "),
        // One that was taken for a start that did not come about counts for the next.
        (
            "boot v1.2.2+ 1.0.0 A; become v1.2.3 1.1.0; cp -a ksbuild/datastore /tmp; datastore open; "
                + "cp -a /tmp/datastore ksbuild/; datastore open", "000001-v1.2.2 "
        ),
        // Unless it is damaged.
        (
            "boot v1.2.2+ 1.0.0 A; become v1.2.3 1.1.0; cp -a ksbuild/datastore /tmp; datastore open; "
                + "cp -a /tmp/datastore ksbuild/; echo x >ksbuild/snapshots/000001-v1.2.2/files/pki/ca/ca.key; "
                + "datastore open", "000001-v1.2.2 000002-v1.2.2 "
        ),
        // A datastore of unknown origin is copied once, and what is there of another is set aside.
        (
            "write A; become v1.2.2 1.0.0; datastore open; echo x >ksbuild/datastore; datastore open; "
                + "echo x >ksbuild/datastore; datastore open", "000001-unknown 000002-unknown "
        ),
        (
            "boot v1.2.2+ 1.0.0 A; boot v1.2.3 1.1.0 B; echo x >ksbuild/datastore; datastore open",
            "000003-unknown aside: 000002-unknown/snapshots/000001-v1.2.2 "
        ),
        (
            "boot v1.2.2+ 1.0.0 A; boot v1.2.3 1.1.0 B; rm -r kine; datastore open",
            "aside: 000002-gone/snapshots/000001-v1.2.2 "
        ),
    ])
    func `one is taken exactly where another version opens the datastore`(script: String, names: String) async throws {
        let output = try await run(
            """
            { \(script); } >/dev/null; cd ksbuild; [ ! -d snapshots ] || ls snapshots | tr '\\n' ' '
            [ ! -d aside ] || (cd aside; printf 'aside: '; ls -d */snapshots/* | tr '\\n' ' ')
            """)
        #expect(output == names)
    }

    @Test func `as many are kept as the recipe says, and always the newest of a confirmed version`() async throws {
        let script = """
            boot v1.2.2+ 1.0.0 A; boot v1.2.3+ 1.1.0 B
            for patch in 4 5 6 7; do boot v1.2.$patch 1.$patch.0 C; ls ksbuild/snapshots | tr '\\n' ' '; done; echo
            held
            """
        let kept = "ksbuild: [^\n]*\n"
        let output = try await run(script, snapshots: 2).replacing(try Regex(kept), with: "")
        #expect(
            output
                == "000001-v1.2.2 000002-v1.2.3 000002-v1.2.3 000003-v1.2.4 000002-v1.2.3 000003-v1.2.4 000004-v1.2.5 "
                + "000002-v1.2.3 000004-v1.2.5 000005-v1.2.6 \n\(NodeData.held("C", by: "v1.2.7"))")
    }

    /// A data disk on which so many bytes are free beside what KubeSolo has written, 2 MiB.
    private static func disk(free: Int) -> String {
        "mkdir -p /var/lib/kubesolo; mount -t tmpfs -o size=\(free + (2 << 20) + (128 << 10)) none /var/lib/kubesolo\n"
    }

    @Test func `without room for it the start is refused, with both numbers, and the version before starts`()
        async throws
    {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; dd if=/dev/zero of=kine/db/state.db bs=1M count=2 2>/dev/null
            become v1.3.0 2.0.0; datastore open; echo "code $?"; find ksbuild; grep ^opened= ksbuild/datastore
            become v1.2.2 1.0.0; datastore open; echo "code $?"
            """, mount: Self.disk(free: 65 << 20))
        #expect(
            output == """
                ksbuild: datastore state=newer version=v1.3.0 reason="KubeSolo v1.2.2 of release 1.0.0 has opened the datastore before"
                /var/lib/kubesolo has 65 MiB free, and 67 are needed; a copy is taken before KubeSolo v1.3.0 opens what v1.2.2 has written
                code 1
                ksbuild
                ksbuild/datastore
                opened=v1.2.2
                code 0

                """)
    }

    @Test func `the oldest make room`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; dd if=/dev/zero of=kine/db/state.db bs=1M count=2 2>/dev/null
            become v1.2.3 1.1.0; datastore open; write B; datastore confirm; cd ksbuild/snapshots
            become v1.2.4 1.2.0; datastore open >/dev/null; ls; cd /var/lib/kubesolo
            dd if=/dev/zero of=kine/db/state.db bs=1M count=1 2>/dev/null; dd if=/dev/zero of=fill bs=1M count=2 2>/dev/null
            become v1.2.5 1.3.0; datastore open; echo "code $?"; ls ksbuild/snapshots
            """, snapshots: 2, mount: Self.disk(free: 67 << 20))
        #expect(output.contains("\n000001-v1.2.2\n000002-v1.2.3\n"), "\(output)")
        #expect(output.hasSuffix("code 0\n000002-v1.2.3\n000003-v1.2.4\n"), "\(output)")
    }

    @Test func `a disk that fills up meanwhile leaves no half of one, and the start is refused`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; dd if=/dev/zero of=kine/db/state.db bs=1M count=2 2>/dev/null
            printf '#!/bin/sh\\n/bin/busybox dd if=/dev/zero of=/var/lib/kubesolo/fill bs=1M 2>/dev/null\\n%s\\n' \\
                'exec /bin/busybox cp "$@"' >/usr/libexec/ksbuild/cp
            chmod 755 /usr/libexec/ksbuild/cp
            become v1.3.0 2.0.0; datastore open 2>/dev/null; echo "code $?"; ls -A ksbuild/snapshots
            """)
        #expect(
            output.hasSuffix(
                """
                the snapshot /var/lib/kubesolo/ksbuild/snapshots/000001-v1.2.2 cannot be written; a copy is taken before KubeSolo v1.3.0 opens what v1.2.2 has written
                code 1

                """), "\(output)")
    }

    @Test func `a copy that differs from what it was made of is none`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A
            printf '#!/bin/sh\\n/bin/busybox cp "$@"\\n%s\\n' \\
                'echo x >/var/lib/kubesolo/ksbuild/snapshots/.new/files/kine/db/state.db' >/usr/libexec/ksbuild/cp
            chmod 755 /usr/libexec/ksbuild/cp
            become v1.3.0 2.0.0; datastore open 2>/dev/null; echo "code $?"; ls -A ksbuild/snapshots
            """)
        #expect(output.hasSuffix("opens what v1.2.2 has written\ncode 1\n"), "\(output)")
    }
}
