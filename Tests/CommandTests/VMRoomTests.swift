import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// Machines whose disk is on a file system that is full, on QEMU alone.
@Suite(.serialized) struct VMRoomTests {
    /// Runs a script with the output directory on a file system of its own of 8 MiB; all that it starts ends with it.
    ///
    /// The script has `$OUT`, `ks` for `ksbuild vm`, which prints the exit code, and `fill`, which leaves no room.
    private func run(_ script: String, in project: borrowing TalkingProject) async throws -> ProgramResult {
        let preparation = """
            export OUT="$PWD/small"; mkdir small; mount -t tmpfs -o size=8m,mode=755 small small; cp -a out/. small/
            ks() { set +e; "$KSBUILD" vm "$@" --out "$OUT" 2>&1 | grep -v '^\\['; echo "exit ${PIPESTATUS[0]}"; set -e; }
            fill() { dd if=/dev/zero of=small/filler bs=4k status=none 2>/dev/null || true; }
            """
        return try await TestSupport.run(
            "unshare",
            [
                "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-euc",
                "\(preparation)\n\(script)",
            ],
            in: project.scratch.path, environment: ["KSBUILD": try Product.ksbuild.string])
    }

    private static let create = (["ks", "create", "--name", "node"] + TalkingProject.plain).joined(separator: " ")

    @Test func `an upgrade without room for the snapshot says so, and the machine is what it was`() async throws {
        let project = try TalkingProject()
        // A node that leaves five seconds between its power button and the snapshot.
        try project.publish("1.0.0", .deaf)
        try project.activate("1.0.0")
        try project.publish("1.1.0")
        let result = try await run(
            """
            \(Self.create)
            ks start --timeout 60
            # Room for the records, and none for the snapshot: qemu-img meets the end of the file system in the disk.
            "$KSBUILD" vm upgrade --out "$OUT" --stop-timeout 5 --force 2>errors & upgrade=$!
            while ! grep -q 'pressing the power' errors; do sleep 0.01; done
            fill; set +e; wait $upgrade; echo "exit $?"; set -e; grep -v '^\\[' errors
            rm small/filler
            ks start --timeout 60; ks status
            qemu-img snapshot -l -U small/vm/node/data.qcow2; qemu-img check -q -U small/vm/node/data.qcow2
            """, in: project)
        let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("exit ") || $0.hasPrefix("ksbuild: ") }
        #expect(
            lines.filter { $0.hasPrefix("exit ") } == ["exit 0", "exit 0", "exit 73", "exit 0", "exit 0"])
        let errors = lines.filter { $0.hasPrefix("ksbuild: ") }
        #expect(errors.count == 1)
        #expect(
            errors.first?.wholeMatch(
                of:
                    /ksbuild: \/.*\/data\.qcow2: there is no room on the disk \(qemu-img: .*\); nor could the upgrade from 1\.0\.0 to 1\.1\.0 be taken back \(.*No space left on device\)\); mend that, and 'ksbuild vm start' takes it up/
            ) != nil, "\(result.output)\(result.errors)")
        #expect(result.output.contains("\nnothing was switched; 1.0.0 is live as before\nnode is healthy: "))
        // Healthy with the old version, no snapshot, no fault in the disk.
        #expect(result.output.contains("\nversion    1.0.0\n") && result.output.hasSuffix("\nexit 0\n"))
    }

    @Test func `a machine that stands still for a full disk says so, and goes on where there is room`() async throws {
        let project = try TalkingProject()
        try project.publish("1.0.0", .filling)
        try project.activate("1.0.0")
        let result = try await run(
            """
            \(Self.create)
            ks start --timeout 60
            n=0; until "$KSBUILD" vm status --out "$OUT" 2>&1 | grep -q paused || [ $n -gt 100 ]; do n=$((n+1)); done
            ks status
            ks start
            ks stop --stop-timeout 5
            mount -o remount,size=128m small
            ks start --timeout 60
            ks stop --stop-timeout 0 --force
            """, in: project)
        #expect(
            result.output.replacing(/\/.*\/small/, with: "OUT") == """
                node is made; 'ksbuild vm start' starts it
                exit 0
                node is healthy: health state=healthy version=v1.2.2 release=1.0.0 reason="so it is"
                exit 0
                name       node
                state      paused (io-error)
                run by     QEMU
                version    1.0.0
                health     health state=healthy version=v1.2.2 release=1.0.0 reason="so it is"
                exit 3
                ksbuild: node: is paused (io-error) again as soon as it goes on; make room on the disk that OUT/vm/node is \
                on and start it again, or cut its power with 'ksbuild vm stop --force'
                exit 75
                ksbuild: node: is paused (io-error) and cannot shut down; --force cuts its power
                exit 75
                node is healthy: health state=healthy version=v1.2.2 release=1.0.0 reason="so it is"
                exit 0
                node is off
                exit 0

                """, "\(result.errors)")
    }
}
