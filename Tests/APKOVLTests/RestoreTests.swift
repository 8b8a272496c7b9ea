import Artefact
import TestSupport
import Testing

@testable import APKOVL

/// Boots of one version after the other, and what the last of them finds.
struct RestoreCase: CustomTestStringConvertible, Sendable {
    /// The versions; with `+`, one that becomes healthy.
    let boots: String
    /// The line on the medium of the last boot.
    var token: String?
    /// Whose data the last boot opens, by its place among the boots, or what the refusal says.
    let finds: Result

    enum Result: Sendable {
        case data(Int)
        case refusal(String)
    }

    var testDescription: String { "\(boots)\(token.map { " with \($0)" } ?? "")" }

    init(_ boots: String, token: String? = nil, finds place: Int) {
        (self.boots, self.token, finds) = (boots, token, .data(place))
    }

    init(_ boots: String, token: String? = nil, refused reason: String) {
        (self.boots, self.token, finds) = (boots, token, .refusal(reason))
    }
}

private let restoreCases: [RestoreCase] = [
    RestoreCase("v1.2.2+ v1.3.0", finds: 1),
    RestoreCase("v1.2.2+ v1.3.0 v1.2.2", finds: 1),
    RestoreCase("v1.2.2 v1.3.0 v1.2.2", finds: 1),
    RestoreCase("v1.2.2+ v1.3.0 v1.3.0 v1.2.2", finds: 1),
    RestoreCase("v1.2.2+ v1.3.0 v1.2.9", finds: 1),
    RestoreCase("v1.2.2+ v1.3.0 v1.2.2+ v1.3.0 v1.2.2", finds: 3),
    // Confirmed once is confirmed.
    RestoreCase(
        "v1.2.2+ v1.3.0+ v1.2.2", refused: "KubeSolo v1.3.0 of release 2.0.0 was healthy on the datastore, and "),
    RestoreCase(
        "v1.2.2+ v1.3.0+ v1.3.0 v1.2.2", refused: "by the line v1.3.0 in the file ksbuild/restore on the medium"),
    RestoreCase("v1.2.2+ v1.3.0+ v1.3.1 v1.2.2", refused: "KubeSolo v1.3.0 of release 2.0.0 was healthy"),
    RestoreCase("v1.2.2+ v1.3.0+ v1.2.2", token: "v1.3.0", finds: 1),
    RestoreCase("v1.2.2+ v1.3.0+ v1.3.1 v1.2.2", token: "v1.3.0 and further words", finds: 1),
    RestoreCase("v1.2.2+ v1.3.0+ v1.2.2", token: "v1.3.00", refused: "give up that data"),
    RestoreCase("v1.2.2+ v1.3.0+ v1.2.2", token: "v1.2.2", refused: "give up that data"),
    RestoreCase("v1.2.2+ v1.3.0+ v1.3.1 v1.2.2", token: "v1.3.1", refused: "by the line v1.3.0 "),
    // Within a minor version.
    RestoreCase("v1.2.2+ v1.2.3 v1.2.2", finds: 1),
    RestoreCase("v1.2.2+ v1.2.3+ v1.2.2", finds: 2),
    RestoreCase("v1.2.2+ v1.2.3+ v1.2.2", token: "v1.2.3", finds: 1),
    RestoreCase("v1.2.2+ v1.2.3+ v1.2.4 v1.2.2", finds: 2),
    RestoreCase("v1.2.2+ v1.2.3+ v1.2.2+ v1.2.2", finds: 3),
    RestoreCase("v1.2.3 v1.2.2", finds: 1),
    // Over several versions.
    RestoreCase("v1.2.2+ v1.2.3 v1.3.0 v1.2.2", finds: 1),
    RestoreCase("v1.2.2+ v1.2.3+ v1.3.0 v1.2.2", finds: 2),
    RestoreCase("v1.2.2+ v1.2.3+ v1.2.2+ v1.3.0 v1.2.2", finds: 3),
    RestoreCase("v1.2.2+ v1.3.0+ v1.3.1 v1.3.0", finds: 2),
    RestoreCase("v1.1.9+ v1.3.0 v1.2.2", finds: 1),
    RestoreCase("v1.2.2+ v1.3.2 v1.3.0", finds: 1),
    // None that it may open.
    RestoreCase(
        "v1.3.0 v1.2.2", refused: "boot a release with KubeSolo v1.3 or newer, or put back a datastore of v1.2"),
    RestoreCase("v1.3.0+ v1.2.2", token: "v1.3.0", refused: "put back a datastore of v1.2"),
    RestoreCase("v1.2.3 v1.3.0 v1.2.2", refused: "put back a datastore of v1.2"),
]

struct RestoreTests {
    private func run(_ script: String, snapshots: Int = 3, mount: String = NodeData.mount) async throws -> String {
        try await NodeData.run(script, snapshots: snapshots, mount: mount).output
    }

    @Test(arguments: restoreCases)
    func `each version finds data that it may open, or does not start`(restore: RestoreCase) async throws {
        let versions = restore.boots.split(separator: " ").map(String.init)
        let last = try #require(versions.last)
        let boots = versions.dropLast().enumerated().map { place, version in
            "boot \(version) \(place + 1).0.0 boot\(place + 1)\n"
        }
        let output = try await run(
            """
            { \(boots.joined()) } >/dev/null; before=$(held); become \(last) 9.0.0
            mkdir -p /media/sr1/ksbuild; \(restore.token.map { "echo '\($0)' >/media/sr1/ksbuild/restore" } ?? ":")
            datastore open | grep -v '^ksbuild: datastore'; datastore open >/tmp/again; echo "code $?"
            held; [ "$(held)" = "$before" ] || echo changed
            """)
        switch restore.finds {
        case .data(let place):
            #expect(output.contains("code 0\n\(NodeData.held("boot\(place)", by: last))"), "\(output)")
        case .refusal(let reason):
            #expect(output.contains(reason), "\(output)")
            #expect(output.contains("\ncode 1\n") && !output.contains("changed"), "\(output)")
            #expect(!output.contains("state=done"))
        }
    }

    @Test func `modes, owners and links are what they were, and nothing of the newer version is left`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A >/dev/null; chown 1000:1000 pki/ca
            list() { find kine/db pki containerd/registry kubelet/config.d -exec stat -c '%f %u:%g %N' {} + | sort; }
            list >/tmp/before; boot v1.3.0 2.0.0 B >/dev/null
            for name in kine/db/state.db-more pki/new containerd/registry/new kubelet/config.d/new; do echo B >$name; done
            rm -r pki/apiserver; mkdir kubelet/pods
            become v1.2.2 1.0.0; datastore open; list | cmp - /tmp/before && echo equal; ls kubelet; ls -A ksbuild
            cd ksbuild/aside/*; find . -type f | sort | sed 's/^/aside /'; stat -c %a ..
            """)
        #expect(
            output == """
                ksbuild: restore state=done snapshot=000001-v1.2.2 aside=000002-v1.3.0 version=v1.2.2
                equal
                config.d
                pods
                aside
                datastore
                snapshots
                aside ./containerd/registry/new
                aside ./containerd/registry/own.example/hosts.toml
                aside ./kine/db/state.db
                aside ./kine/db/state.db-more
                aside ./kine/db/state.db-shm
                aside ./kine/db/state.db-wal
                aside ./ksbuild/datastore
                aside ./kubelet/config.d/10-own.conf
                aside ./kubelet/config.d/new
                aside ./pki/ca/ca.key
                aside ./pki/new
                700

                """)
    }

    @Test func `a log that the snapshot lacks goes with the newer database`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; rm kine/db/state.db-wal kine/db/state.db-shm; rm -r kubelet
            boot v1.3.0 2.0.0 B; become v1.2.2 1.0.0; datastore open; ls kine/db; ls kubelet
            """)
        #expect(output.hasSuffix("\nstate.db\n"), "\(output)")
    }

    @Test(arguments: [
        "echo x >files/kine/db/state.db", "rm files/pki/ca/ca.key", "echo x >files/pki/more", ": >contents",
        "rm contents", "sed -i '$d' contents", "chmod 644 files/pki/ca/ca.key", "rm -r files/kine", "rm -r files",
        "ln -sf elsewhere files/pki/apiserver/link", "rm files/ksbuild/datastore", "mkdir files/pki/empty",
    ])
    func `a damaged snapshot is refused, by name, and moved away the one before it counts`(damage: String) async throws
    {
        let output = try await run(
            """
            boot v1.2.1+ 0.9.0 older; boot v1.2.2+ 1.0.0 A; boot v1.3.0 2.0.0 B; become v1.2.2 1.0.0
            (cd ksbuild/snapshots/000002-v1.2.2; \(damage)); before=$(held)
            datastore open; echo "code $?"; [ "$(held)" = "$before" ] && ls -A ksbuild
            mkdir -p /media/sr0/ksbuild; echo v1.2.2 >/media/sr0/ksbuild/restore
            mv ksbuild/snapshots/000002-v1.2.2 /tmp; datastore open; held
            """)
        #expect(
            output.contains(
                """
                \nthe snapshot /var/lib/kubesolo/ksbuild/snapshots/000002-v1.2.2 is damaged, so v1.2.2 cannot go back to it from v1.3.0
                code 1
                datastore
                snapshots
                ksbuild: restore state=done snapshot=000001-v1.2.1 aside=000002-v1.3.0
                """), "\(output)")
        #expect(output.hasSuffix(NodeData.held("older", by: "v1.2.2")), "\(output)")
    }

    @Test func `each token works once on a node`() async throws {
        let output = try await run(
            """
            mkdir -p /media/sr0/ksbuild /media/sr1/ksbuild
            printf 'v1.2.0\\n' >/media/sr0/ksbuild/restore; printf 'v1.3.0\\r\\nmore' >/media/sr1/ksbuild/restore
            forth() { boot v1.3.0+ 2.0.0 B >/dev/null; become v1.2.2 1.0.0; }
            boot v1.2.2+ 1.0.0 A; forth; datastore open; datastore open; held
            forth; datastore open; echo v1.3.0 again >/media/sr1/ksbuild/restore
            datastore open; held; wc -l <ksbuild/tokens
            """)
        let lines = output.split(separator: "\n").map(String.init)
        #expect(
            lines.first == "ksbuild: restore state=done snapshot=000001-v1.2.2 aside=000002-v1.3.0 version=v1.2.2",
            "\(output)")
        #expect(lines.dropFirst().first == "7 A v1.2.2")
        #expect(
            lines.contains {
                $0.hasSuffix(": the line in /media/sr1/ksbuild/restore was used before; add a word to it")
            }, "\(output)")
        #expect(lines.suffix(2) == ["7 A v1.2.2", "2"], "\(output)")
    }

    @Test func `a token that is not needed is kept`() async throws {
        let output = try await run(
            """
            mkdir -p /media/sr0/ksbuild; echo v1.2.2 >/media/sr0/ksbuild/restore
            boot v1.2.2+ 1.0.0 A; boot v1.3.0 2.0.0 B; boot v1.2.2+ 1.0.0 C; ls ksbuild
            """)
        #expect(output.contains("state=done") && !output.contains("tokens"), "\(output)")
    }

    @Test func `snapshots of what is given up go with it`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; boot v1.3.0+ 2.0.0 B; boot v1.3.1 2.1.0 C
            mkdir -p /media/sr0/ksbuild; echo v1.3.0 >/media/sr0/ksbuild/restore; boot v1.2.2+ 1.0.0 D
            ls -d ksbuild/snapshots/* ksbuild/aside/*/snapshots/*; boot v1.3.2 2.2.0 E; boot v1.3.0 2.0.0 F | head -n 1
            """)
        #expect(
            output.contains("\nksbuild/aside/000003-v1.3.1/snapshots/000002-v1.3.0\nksbuild/snapshots/000001-v1.2.2\n"),
            "\(output)")
        #expect(output.contains("restore state=done snapshot=000004-v1.2.2 aside=000005-v1.3.2"), "\(output)")
    }

    @Test func `of what was set aside as many are kept as of snapshots, and all that was confirmed`() async throws {
        let output = try await run(
            """
            mkdir -p /media/sr0/ksbuild
            for round in 1 2 3; do
                { boot v1.2.2+ 1.0.0 A; boot v1.3.0+ 2.0.0 B; echo v1.3.0 $round >/media/sr0/ksbuild/restore; } >/dev/null
                { boot v1.2.2+ 1.0.0 A; boot v1.4.0 3.0.0 C; boot v1.2.2+ 1.0.0 A; } >/dev/null
            done
            ls ksbuild/aside | tr '\\n' ' '
            """, snapshots: 1)
        #expect(output == "000002-v1.3.0 000004-v1.3.0 000006-v1.3.0 000007-v1.4.0 ")
    }

    /// A data disk of 80 MiB.
    private static let small = "mkdir -p /var/lib/kubesolo; mount -t tmpfs -o size=80m none /var/lib/kubesolo\n"

    @Test func `without room for the copy nothing is moved`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; dd if=/dev/zero of=kine/db/state.db bs=1M count=4 2>/dev/null; boot v1.3.0 2.0.0 B
            free=$(stat -f -c %a .); dd if=/dev/zero of=fill bs=4k count=$((free - 1800)) 2>/dev/null
            become v1.2.2 1.0.0; before=$(held)
            datastore open; echo "code $?"; [ "$(held)" = "$before" ] && ls -A ksbuild; rm fill; datastore open
            """, mount: Self.small)
        #expect(
            output.contains(
                "\n/var/lib/kubesolo has 7 MiB free, and 9 are needed, so v1.2.2 cannot go back to it from v1.3.0\ncode 1\n"
                    + "datastore\nsnapshots\nksbuild: restore state=done "), "\(output)")
    }

    @Test func `what was set aside and never confirmed makes room`() async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; dd if=/dev/zero of=kine/db/state.db bs=1M count=4 2>/dev/null
            boot v1.3.0 2.0.0 B; dd if=/dev/zero of=kine/db/state.db bs=1M count=4 2>/dev/null
            become v1.2.2 1.0.0; datastore open; become v1.3.1 2.1.0; datastore open
            free=$(stat -f -c %a .); dd if=/dev/zero of=fill bs=4k count=$((free - 1800)) 2>/dev/null
            become v1.2.2 1.0.0; datastore open; echo "code $?"; ls ksbuild/aside; wc -c <kine/db/state.db
            """, mount: Self.small)
        #expect(output.hasSuffix("code 0\n000002-v1.3.1\n4194304\n"), "\(output)")
    }

    @Test(arguments: [
        "", "format=1\nstep=aside\n", "format=2\nstep=place\nsnapshot=x\naside=y\n",
        "format=1\nstep=x\nsnapshot=a\naside=b\n",
    ])
    func `an intent that nobody understands stops every version`(intent: String) async throws {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; printf '\(intent.replacing("\n", with: "\\n"))' >ksbuild/restoring
            datastore open; echo "code $?"; become v1.3.0 2.0.0; datastore open; echo "code $?"
            datastore confirm; echo "code $?"; held
            """)
        #expect(
            output == """
                /var/lib/kubesolo/ksbuild/restoring is damaged
                code 1
                /var/lib/kubesolo/ksbuild/restoring is damaged
                code 1
                code 1
                \(NodeData.held("A", by: "v1.2.2"))
                """, "\(output)")
    }

    @Test func `what is put in the way of a restore under way is set aside, and a copy that was damaged made again`()
        async throws
    {
        let output = try await run(
            """
            boot v1.2.2+ 1.0.0 A; boot v1.3.0 2.0.0 B; become v1.2.2 1.0.0
            cat >/usr/libexec/ksbuild/mv <<'END'
            #!/bin/sh
            case "$*" in *restoring.new*restoring) /bin/busybox mv "$@"; kill -9 $(cat /tmp/opening) $PPID ;; esac
            exec /bin/busybox mv "$@"
            END
            chmod 755 /usr/libexec/ksbuild/mv
            open() { sh -c 'echo $$ >/tmp/opening; exec datastore open'; echo "code $?"; }
            open; mkdir -p ksbuild/aside/000002-v1.3.0/pki; echo x >ksbuild/.staged/kine/db/state.db; open
            rm /usr/libexec/ksbuild/mv; mkdir pki; echo mine >pki/mine; datastore open; echo "code $?"; held
            ls ksbuild/aside/*
            """)
        #expect(output.contains("code 137\ncode 137\nksbuild: restore state=done"), "\(output)")
        #expect(output.contains("code 0\n\(NodeData.held("A", by: "v1.2.2"))"), "\(output)")
        #expect(output.hasSuffix("\nkine\nksbuild\nkubelet\npki\npki+\npki++\n"), "\(output)")
    }
}
