import Artefact
import TestSupport
import Testing

@testable import APKOVL

/// Snapshots and restores that end at every one of their steps: the script is killed, or the power fails.
struct RestoreCrashTests {
    /// A data disk that is a file system on a loop device, whose image can be taken at any time.
    private static let disk = """
        image=$root/shared/data.img
        truncate -s 96M $image
        mkfs.ext4 -q -L KUBESOLO -E lazy_itable_init=0 $image
        loop=$(losetup -f --show $image)
        loops="$loops $loop"
        cp -a $loop $root/dev/vda
        """

    /// Stands before each command that changes something. At the step whose number is in `/shared/limit` the image is
    /// taken, as a power failure would leave the disk: without what was not synchronised. Then all of the script is
    /// killed, in the middle of a copy where it is one. With `/shared/failing` that command fails instead.
    private static let shim = """
        #!/bin/sh
        name=${0##*/}
        if [ -e /shared/limit ]; then
            echo "$name $*" >>/shared/steps
            if [ $(wc -l </shared/steps) = $(cat /shared/limit) ]; then
                [ ! -e /shared/failing ] || exit 1
                cat /shared/data.img >/shared/cut.img
                if [ $name = cp ]; then
                    /bin/busybox cp "$@"
                    for last; do :; done
                    find "$last" -type f | tail -n 1 | while read -r file; do truncate -s 1 "$file"; done
                fi
                kill -9 -$(cat /shared/group)
            fi
        fi
        exec /bin/busybox $name "$@"

        """

    /// A version that comes up after the script was killed or the power failed, and what it may find.
    struct Successor: Sendable {
        let version: String
        let finds: [String]
        /// Whether it comes up after the script alone was killed, too.
        var afterKill = true
    }

    /// What the script is in the middle of when it ends, at each of its steps.
    struct Scene: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Boots beforehand; see `NodeData`.
        let before: String
        /// The version that comes up, with its release.
        let comes: String
        let successors: [Successor]
        /// How many steps there are at least.
        let steps: Int
    }

    @Test(arguments: [
        Scene(
            testDescription: "a snapshot", before: "boot v1.2.2+ 1.0.0 A", comes: "v1.3.0 2.0.0",
            successors: [
                Successor(version: "v1.3.0 2.0.0", finds: [NodeData.held("A", by: "v1.3.0")]),
                Successor(version: "v1.2.2 1.0.0", finds: [NodeData.held("A", by: "v1.2.2")], afterKill: false),
            ], steps: 12),
        Scene(
            testDescription: "a restore", before: "boot v1.2.2+ 1.0.0 A; boot v1.3.0 2.0.0 B", comes: "v1.2.2 1.0.0",
            successors: [
                Successor(version: "v1.2.2 1.0.0", finds: [NodeData.held("A", by: "v1.2.2")]),
                Successor(
                    version: "v1.3.0 2.0.0",
                    finds: [NodeData.held("A", by: "v1.3.0"), NodeData.held("B", by: "v1.3.0")],
                    afterKill: false),
            ], steps: 25),
    ])
    func `at whichever step it ends, the next start finds one version's data whole`(scene: Scene) async throws {
        try await play(scene)
    }

    @Test func `a restore by a token, which takes later snapshots with it, goes on at every one of its steps`()
        async throws
    {
        try await play(
            Scene(
                testDescription: "a token",
                before: "boot v1.2.2+ 1.0.0 A; boot v1.3.0+ 2.0.0 B; boot v1.3.1 2.1.0 C; "
                    + "mkdir -p /media/sr0/ksbuild; echo v1.3.0 >/media/sr0/ksbuild/restore",
                comes: "v1.2.2 1.0.0",
                successors: [
                    Successor(version: "v1.2.2 1.0.0", finds: [NodeData.held("A", by: "v1.2.2")]),
                    Successor(
                        version: "v1.3.1 2.1.0",
                        finds: [NodeData.held("A", by: "v1.3.1"), NodeData.held("C", by: "v1.3.1")]),
                ], steps: 28))
    }

    private func play(_ scene: Scene) async throws {
        let sandbox = try reportingSandbox()
        try sandbox.file("usr/libexec/ksbuild/shim", Self.shim, mode: .executable)
        let words = scene.before.matches(of: /v[^ ]+ [^ ]+ (?<word>[A-Z])/).map { String($0.word) }
        func judge(_ image: String, _ next: Successor) -> String {
            let finds = next.finds.map { "\"\($0.dropLast())\"" }.joined(separator: " | ")
            return "case $found in \(finds)) ;; *) echo \"\(image) $at: \(next.version) held $found\" ;; esac"
        }
        let checks = scene.successors.flatMap { next in
            (next.afterKill ? ["killed", "cut"] : ["cut"]).map { image in
                "bring \(image); check \(image) \(next.version); \(judge(image, next)); take\n"
            }
        }
        let result = try await sandbox.run(
            """
            for name in cp dd fsync mv rm sync; do ln -s shim /usr/libexec/ksbuild/$name; done
            mkdir -p /var/lib/kubesolo
            bring() { cat /shared/$1.img >/shared/data.img; mount -o noatime,commit=900 /dev/vda /var/lib/kubesolo; cd /var/lib/kubesolo; }
            take() { cd /; until umount /var/lib/kubesolo 2>/dev/null; do usleep 20000; done; }
            begin() {
                bring start
                become \(scene.comes)
                : >/shared/steps
                echo $limit >/shared/limit
                setsid sh -c 'echo $$ >/shared/group; exec datastore open' >/shared/out 2>&1
                code=$?
                /bin/busybox rm /shared/limit
            }
            check() {
                become $2 $3
                datastore open >/shared/said 2>&1 || echo "$1 $at: $2 is refused: $(cat /shared/said)"
                found=$(held)
                for name in ksbuild/restoring ksbuild/.staged ksbuild/snapshots/.new; do
                    [ ! -e $name ] || echo "$1 $at: left $name"
                done
                # Whatever was given up is there still, and every snapshot is whole.
                for word in \(words.joined(separator: " ")); do
                    find . -name state.db -exec cat {} + | grep -q -x -F $word || echo "$1 $at: lost $word"
                done
                for folder in ksbuild/snapshots/*/ ksbuild/aside/*/snapshots/*/; do
                    [ ! -d "$folder" ] || (cd $folder/files && grep -E '^[0-9a-f]{64}  ' ../contents | sha256sum -c -s) ||
                        echo "$1 $at: damaged $folder"
                done
            }
            mount /dev/vda /var/lib/kubesolo
            \(NodeData.functions)
            { \(scene.before); } >/dev/null
            take
            cat /shared/data.img >/shared/start.img
            limit=0
            while limit=$((limit + 1)); do
                begin
                take
                [ $code = 137 ] || break
                at="before $(tail -n 1 /shared/steps)"
                cat /shared/data.img >/shared/killed.img
                \(checks.joined())
                : >/shared/failing
                begin
                /bin/busybox rm /shared/failing
                [ $code = 1 ] || { found=$(held); \(judge("failed and went on", scene.successors[0])); }
                check failed \(scene.successors[0].version); \(judge("failed", scene.successors[0])); take
            done
            echo "code $code after $limit steps"
            """, before: Self.disk)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 1, "\(result.output)\(result.errors)")
        let steps = lines.last?.wholeMatch(of: /code 0 after (?<count>[0-9]+) steps/).flatMap { Int($0.count) }
        #expect((steps ?? 0) >= scene.steps, "\(result.output)\(result.errors)")
    }
}
