import Artefact
import Node
import TestSupport
import Testing

@testable import APKOVL

/// What is noted beside the datastore, and which versions may open it.
struct DatastoreTests {
    /// Runs a script as a node of this version; a stamp may be there, and a datastore unless it is said otherwise.
    private func run(
        _ script: String, version: String = "v1.2.2", release: String = "1.0.0", stamp: String? = nil,
        hasStore: Bool = true
    ) async throws -> String {
        let sandbox = try reportingSandbox(nil) { node in
            node.kubesolo.version = KubeSoloVersion(version) ?? node.kubesolo.version
            node.stamp = BuildStamp(version: release, epoch: BuildStamp.defaultEpoch)
        }
        let result = try await sandbox.run(
            """
            \(NodeData.mount)
            mkdir -p /var/lib/kubesolo/kine/db /var/lib/kubesolo/ksbuild
            \(hasStore ? ": >/var/lib/kubesolo/kine/db/state.db" : "")
            \(stamp.map { "printf '%s\\n' '\($0)' >/var/lib/kubesolo/ksbuild/datastore" } ?? "")
            \(script)
            """)
        return result.output
    }

    private static func stamp(_ attempted: String, _ confirmed: String? = nil) -> String {
        "format=1\nattempted_release=0.9.0\nattempted=\(attempted)"
            + (confirmed.map { "\nconfirmed_release=0.8.0\nconfirmed=\($0)" } ?? "")
    }

    /// The note of a first start.
    private static let first =
        "format=1\nopened_release=1.0.0\nopened=v1.2.2\nattempted_release=1.0.0\nattempted=v1.2.2\n"

    private let open = "datastore open; echo \"code $?\"; cat /var/lib/kubesolo/ksbuild/datastore"

    @Test func `the first start is noted, and what was healthy is confirmed`() async throws {
        let output = try await run(
            "\(open); datastore confirm; cat /var/lib/kubesolo/ksbuild/datastore; ls /var/lib/kubesolo/ksbuild",
            hasStore: false)
        #expect(
            output == """
                code 0
                format=1
                opened_release=1.0.0
                opened=v1.2.2
                attempted_release=1.0.0
                attempted=v1.2.2
                format=1
                opened_release=1.0.0
                opened=v1.2.2
                attempted_release=1.0.0
                attempted=v1.2.2
                confirmed_release=1.0.0
                confirmed=v1.2.2
                datastore

                """)
    }

    @Test func `a newer version is noted as attempted, and what was confirmed stays`() async throws {
        let output = try await run(open, version: "v1.3.0", stamp: Self.stamp("v1.2.2", "v1.2.2"))
        #expect(
            output == """
                ksbuild: datastore state=newer version=v1.3.0 reason="KubeSolo v1.2.2 of release 0.9.0 has opened the datastore before"
                ksbuild: snapshot state=taken name=000001-v1.2.2 bytes=91
                code 0
                format=1
                opened_release=1.0.0
                opened=v1.3.0
                attempted_release=1.0.0
                attempted=v1.3.0
                confirmed_release=0.8.0
                confirmed=v1.2.2

                """)
    }

    @Test(arguments: [
        ("v1.2.9", "v1.3.0", nil), ("v1.2.2", "v1.10.0", nil), ("v1.9.0", "v2.0.0", nil),
        ("v1.2.2", "v1.2.3", "v1.3.0"),
        ("v1.3.0", "v1.4.0-rc.1", nil),
    ])
    func `an older minor version does not open what a newer one has written`(
        version: String, attempted: String, confirmed: String?
    ) async throws {
        let before = Self.stamp(attempted, confirmed)
        let output = try await run(open, version: version, stamp: before)
        let newest = confirmed ?? attempted
        #expect(output.contains("KubeSolo \(newest) of release "), "\(output)")
        #expect(output.contains("has opened the datastore, and \(version) would drop what it does not know; boot a "))
        #expect(output.contains("or put back a datastore of v\(version.split(separator: ".")[0].dropFirst())."))
        #expect(output.hasSuffix("code 1\n\(before)\n"), "\(output)")
    }

    @Test(arguments: [("v1.2.2", "v1.2.3"), ("v1.2.9", "v1.2.10")])
    func `an older one of the same minor version is let through with a warning`(version: String, newest: String)
        async throws
    {
        let output = try await run(open, version: version, stamp: Self.stamp(newest))
        #expect(
            output
                == "ksbuild: datastore state=older version=\(version) reason=\"KubeSolo \(newest) of release 0.9.0 has "
                + "opened the datastore; both are of v1.2\"\nksbuild: snapshot state=taken name=000001-\(newest) bytes="
                + "\(Self.stamp(newest).utf8.count + 1)\ncode 0\nformat=1\nopened_release=1.0.0\nopened=\(version)\n"
                + "\(Self.stamp(newest).dropFirst("format=1\n".count))\n")
    }

    @Test(arguments: [
        (nil, "there is no "), ("format=2\nattempted=v1.3.0", "is damaged"), ("format=1\nattempted=", "is damaged"),
        ("format=1\nattempted=v1.3", "is damaged"), ("format=1\nattempted=v1.3.0; reboot", "is damaged"),
        ("format=1\nattempted=v1.2.2\nconfirmed=x", "is damaged"), ("", "is damaged"),
    ])
    func `a stamp that is missing or garbled beside a datastore is said and does not stop it`(
        stamp: String?, problem: String
    ) async throws {
        let output = try await run(open, stamp: stamp)
        #expect(output.hasPrefix("ksbuild: datastore state=unknown version=v1.2.2 reason=\""), "\(output)")
        #expect(output.contains(problem))
        #expect(output.hasSuffix("\ncode 0\n\(Self.first)"), "\(output)")
    }

    @Test func `without a datastore no stamp counts`() async throws {
        let output = try await run(open, stamp: Self.stamp("v9.9.9", "v9.9.9"), hasStore: false)
        #expect(output == "code 0\n\(Self.first)")
    }

    @Test func `a stamp that cannot be written stops it`() async throws {
        let output = try await run(
            "mount -o remount,ro /var/lib/kubesolo; datastore open 2>/dev/null; echo \"code $?\"", hasStore: false)
        #expect(output.hasSuffix("/var/lib/kubesolo/ksbuild/datastore cannot be written\ncode 1\n"), "\(output)")
    }

    @Test func `the same release is noted once`() async throws {
        let output = try await run(
            """
            datastore open; datastore confirm; : >/var/lib/kubesolo/kine/db/state.db; touch -d @1800000000 /var/lib/kubesolo/ksbuild/datastore
            datastore open; datastore confirm; stat -c %Y /var/lib/kubesolo/ksbuild/datastore
            """, hasStore: false)
        #expect(output == "1800000000\n")
    }
}
