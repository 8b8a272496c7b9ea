import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

struct ClockTests {
    private func raise(_ setup: String) async throws -> String {
        let sandbox = try reportingSandbox()
        // The clock of the machine that tests is not touched: `date` notes what it is told.
        try sandbox.file(
            "usr/libexec/ksbuild/date", "#!/bin/sh\ncase $1 in +%s) cat /tmp/now ;; *) echo \"$*\" >/tmp/set ;; esac\n",
            mode: .executable)
        let result = try await sandbox.run(
            """
            mkdir -p /var/lib/kubesolo/logs
            echo 1000 >/tmp/now
            \(setup)
            clock raise
            cat /tmp/set 2>/dev/null
            """)
        return result.output
    }

    @Test func `a clock behind the build is set to the build`() async throws {
        let epoch = BuildStamp.defaultEpoch
        #expect(try await raise("") == "ksbuild: clock state=raised from=1000 to=\(epoch)\n-u -s @\(epoch)\n")
    }

    @Test func `the last time seen on the data disk counts when it is later`() async throws {
        #expect(try await raise("touch -d @1800000001 /var/lib/kubesolo/clock").hasSuffix("-u -s @1800000001\n"))
        let log = "touch -d @1800000001 /var/lib/kubesolo/clock; touch -d @1800000002 /var/lib/kubesolo/logs/messages"
        #expect(try await raise(log).hasSuffix("-u -s @1800000002\n"))
    }

    @Test func `a clock that is ahead is left alone`() async throws {
        #expect(try await raise("echo 1900000000 >/tmp/now; touch -d @1800000001 /var/lib/kubesolo/clock") == "")
    }
}
