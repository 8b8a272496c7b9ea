import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

/// The digest of `what\n`.
private func digest(_ what: String) -> Digest { Digest(of: Array("\(what)\n".utf8)) }

struct StageTests {
    private let pin = BinaryPin(digest: digest("right"), size: 6)

    private func stage(_ pin: BinaryPin?, _ setup: String) async throws -> String {
        let sandbox = try reportingSandbox(pin)
        let result = try await sandbox.run(
            """
            \(setup)
            stage
            echo "code $?"
            cat /usr/local/bin/kubesolo 2>/dev/null | head -c 100
            ls /var/lib/kubesolo/bin 2>/dev/null
            """)
        return result.output
    }

    @Test func `the pinned binary is taken from whichever medium has it`() async throws {
        let output = try await stage(
            pin,
            mountData + """
                mkdir -p /media/sr0/ksbuild /media/cdrom/ksbuild
                echo wrong >/media/cdrom/ksbuild/kubesolo
                echo right >/media/sr0/ksbuild/kubesolo
                """)
        #expect(output == "ksbuild: stage state=ready digest=\(pin.digest)\ncode 0\nright\nkubesolo\n")
    }

    @Test func `with the right one on the data disk no medium is needed`() async throws {
        let output = try await stage(
            pin, mountData + "mkdir /var/lib/kubesolo/bin; echo right >/var/lib/kubesolo/bin/kubesolo")
        #expect(output == "ksbuild: stage state=ready digest=\(pin.digest)\ncode 0\nright\nkubesolo\n")
    }

    @Test func `an earlier release on the data disk is replaced`() async throws {
        let output = try await stage(
            pin,
            mountData + """
                mkdir -p /var/lib/kubesolo/bin /media/sr1/ksbuild
                echo earlier >/var/lib/kubesolo/bin/kubesolo
                echo right >/media/sr1/ksbuild/kubesolo
                """)
        #expect(output.hasSuffix("code 0\nright\nkubesolo\n"))
    }

    @Test func `a wrong binary is refused by its digest`() async throws {
        let output = try await stage(
            pin, mountData + "mkdir -p /media/sr1/ksbuild; echo wrong >/media/sr1/ksbuild/kubesolo")
        let why = "no medium carries the pinned binary: /media/sr1/ksbuild/kubesolo has \(digest("wrong"))"
        #expect(output == "ksbuild: stage state=refused digest=\(pin.digest) reason=\"\(why)\"\ncode 1\n")
    }

    /// A regular file that opens, and fails to read with EIO.
    private let unreadable = mountData + "mkdir -p /media/sr0/ksbuild; ln -s /proc/1/mem /media/sr0/ksbuild/kubesolo\n"

    @Test func `a binary that cannot be read is told as such`() async throws {
        let file = "/media/sr0/ksbuild/kubesolo cannot be read"
        #expect(
            try await stage(pin, unreadable)
                == "ksbuild: stage state=refused digest=\(pin.digest) reason=\"no medium carries the pinned binary: \(file)\"\ncode 1\n"
        )
        #expect(
            try await stage(nil, unreadable)
                == "ksbuild: stage state=refused digest=none pin=none reason=\"no medium carries a binary that can be read: \(file)\"\ncode 1\n"
        )
    }

    @Test func `a medium that cannot be read does not hide the next one`() async throws {
        let output = try await stage(
            pin, unreadable + "mkdir -p /media/sr1/ksbuild; echo right >/media/sr1/ksbuild/kubesolo")
        #expect(output == "ksbuild: stage state=ready digest=\(pin.digest)\ncode 0\nright\nkubesolo\n")
    }

    @Test func `no binary anywhere is refused`() async throws {
        let output = try await stage(pin, mountData)
        #expect(
            output.hasPrefix(
                "ksbuild: stage state=refused digest=\(pin.digest) reason=\"no medium carries ksbuild/kubesolo\""))
    }

    @Test func `without a pin the medium's is taken, and that is said`() async throws {
        let output = try await stage(
            nil, mountData + "mkdir -p /media/sr1/ksbuild; echo wrong >/media/sr1/ksbuild/kubesolo")
        #expect(output == "ksbuild: stage state=ready digest=\(digest("wrong")) pin=none\ncode 0\nwrong\nkubesolo\n")
    }

    @Test func `a data disk that is full leaves no half binary`() async throws {
        let big = BinaryPin(digest: Digest(of: [UInt8](repeating: 0, count: 2 << 20)), size: 2 << 20)
        let output = try await stage(
            big, mountData + "mkdir -p /media/sr1/ksbuild; truncate -s 2M /media/sr1/ksbuild/kubesolo")
        #expect(output.contains("reason=\"copying /media/sr1/ksbuild/kubesolo to the data disk failed\""))
        #expect(output.hasSuffix("code 1\n"))
    }

    @Test func `nothing is staged in memory`() async throws {
        let output = try await stage(
            pin, "mkdir -p /media/sr1/ksbuild /var/lib/kubesolo; echo right >/media/sr1/ksbuild/kubesolo")
        #expect(output.contains("reason=\"the data disk is not mounted at /var/lib/kubesolo\""))
        #expect(output.hasSuffix("code 1\n"))
    }
}
