import TestSupport
import Testing

@testable import APKOVL

/// Facts on a real terminal, one side of a pair, whose output is stopped until a file says go.
struct ConsoleReportTests {
    /// Stands where the serial line is: says what came through in `/shared/console`, from when `/shared/go` is there.
    private let terminal = """
        touch "$root/dev/ttyS0"
        python3 - "$root" <<'END' &
        import os, pty, subprocess, sys, termios, time
        root = sys.argv[1]
        outer, inner = pty.openpty()
        subprocess.run(["mount", "--bind", os.ttyname(inner), root + "/dev/ttyS0"], check=True)
        termios.tcflow(inner, termios.TCOOFF)
        open(root + "/shared/there", "w").close()
        while not os.path.exists(root + "/shared/go"):
            time.sleep(0.05)
        termios.tcflow(inner, termios.TCOON)
        said = os.open(root + "/shared/console", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        while True:
            os.write(said, os.read(outer, 4096).replace(b"\\r", b""))
        END
        until [ -e "$root/shared/there" ]; do sleep 0.05; done
        """

    private func report(_ script: String) async throws -> ProgramResult {
        let sandbox = try Sandbox(Overlay(node: .example(), binary: nil, resources: resources).tree)
        try sandbox.file("etc/ksbuild/consoles", "ttyS0\nttyS7 115200\n")
        return try await sandbox.run(
            """
            wait_for() { # LINES
                tries=0
                while [ "$(cat /shared/console 2>/dev/null | wc -l)" -lt "$1" ] && [ $tries -lt 300 ]; do
                    sleep 0.1
                    tries=$((tries + 1))
                done
                cat /shared/console
            }
            \(script)
            """, before: terminal)
    }

    @Test func `a console that drains is told at once`() async throws {
        let result = try await report(
            """
            touch /shared/go; wait_for 0
            report 'health state=healthy'; report -c data 'data state=mounted'; report -c data 'data state=mounted'
            report 'boot state=complete reason="a\\b %s"'
            wait_for 3; ls /run/ksbuild
            """)
        #expect(
            result.output == """
                ksbuild: health state=healthy
                ksbuild: data state=mounted
                ksbuild: boot state=complete reason="a\\b %s"
                said.data

                """, "\(result.errors)")
    }

    @Test func `what a busy console does not take waits for it in order, and holds nothing up`() async throws {
        let result = try await report(
            """
            begun=$(cut -d. -f1 /proc/uptime)
            for number in 1 2 3 4 5; do report "health state=unhealthy number=$number  two "; done
            [ $(($(cut -d. -f1 /proc/uptime) - begun)) -lt 8 ] && echo in time
            cat /shared/console 2>/dev/null
            touch /shared/go
            report 'health state=healthy'
            wait_for 6
            sleep 1; report 'boot state=complete'; wait_for 7 | tail -n 1
            ls /run/ksbuild; ps | grep -c '[-]-late'
            """)
        let waited = (1...5).map { "ksbuild: health state=unhealthy number=\($0)  two \n" }.joined()
        let last = "late.ttyS0.lock\nlate.ttyS0.turn\n0\n"
        #expect(
            result.output
                == "in time\n\(waited)ksbuild: health state=healthy\nksbuild: boot state=complete\n\(last)",
            "\(result.errors)")
    }

    @Test func `what waits does not keep open what the caller waits for`() async throws {
        let result = try await report(
            """
            begun=$(cut -d. -f1 /proc/uptime)
            heard=$(report 'health state=healthy' 2>&1)
            [ $(($(cut -d. -f1 /proc/uptime) - begun)) -lt 8 ] && echo "in time$heard"
            """)
        #expect(result.output == "in time\n", "\(result.errors)")
    }
}
