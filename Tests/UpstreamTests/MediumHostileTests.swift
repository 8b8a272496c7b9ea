import Archive
import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

@testable import Upstream

/// Media that nobody should trust.
@Suite struct MediumHostileTests {
    /// A medium with everything that the report follows: configurations, an initramfs, a modloop, an overlay in an initrd.
    static func medium(in scratch: borrowing Scratch) async throws -> [UInt8] {
        let script = """
            mkdir -p ram/lib/modules/6.18.56-0-virt loop/modules/6.18.56-0-virt; echo x >ram/node.apkovl.tar.gz
            (cd ram; find . | sort | cpio -o -H newc --quiet | gzip -n) >initramfs
            mksquashfs loop modloop -comp xz -noappend -quiet
            """
        let made = try await run("sh", ["-ec", script], in: scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        let text =
            "LABEL a\nKERNEL /boot/vmlinuz-virt\nINITRD /boot/initramfs-virt\nAPPEND apkovl=/node.apkovl.tar.gz\n"
        let medium = SmallMedium(changes: [
            "boot/initramfs-virt": try HostFile.read(scratch.path.appending("initramfs"), limit: 1 << 20),
            "boot/modloop-virt": try HostFile.read(scratch.path.appending("modloop"), limit: 1 << 20),
            "boot/vmlinuz-virt": SmallMedium.kernel(version: "6.18.56-0-virt"),
            "boot/syslinux/syslinux.cfg": Array(text.utf8), "other.apkovl.tar.gz": [1],
        ])
        let path = scratch.path.appending("medium.iso")
        try medium.write(to: path)
        return try HostFile.read(path, limit: 1 << 24)
    }

    @Test func `random changes are survived`() async throws {
        let scratch = try Scratch()
        let intact = try await Self.medium(in: scratch)
        let whole = try MediumReport(ISOReader(scratch.path.appending("medium.iso")))
        #expect(
            whole.findings == []
                && whole.choice == .commandLine(value: "/node.apkovl.tar.gz", initrd: "boot/initramfs-virt"))
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var changed = 0
        for round in 0..<200 {
            var bytes = intact
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let end = Int.random(in: 0..<4, using: &random) > 0 ? 32768 + 20 * 2048 : bytes.count
                bytes[Int.random(in: 32768..<end, using: &random)] = .random(in: 0...255, using: &random)
            }
            let path = try scratch.file("changed.iso", bytes)
            do {
                let image = try ISOReader(path)
                let report = try MediumReport(image)
                if report != whole { changed += 1 }
                _ = try report.extractOverlay(of: image, to: scratch.path.appending("overlay"))
            } catch is ISOError {
                changed += 1
            } catch is ArchiveError {
                changed += 1
            } catch {
                Issue.record(error, "seed \(seed), round \(round)")
            }
        }
        #expect(changed > 2, "seed \(seed)")
    }

    @Test func `what one file says many times is read within bounds`() async throws {
        let scratch = try Scratch()
        let made = try await run(
            "sh",
            [
                "-ec",
                "head -c 300000000 /dev/zero >zeros; echo zeros | cpio -o -H newc --quiet | gzip -n -1 >initramfs",
            ],
            in: scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        let bytes = try HostFile.read(scratch.path.appending("initramfs"), limit: 1 << 24)
        var changes: [String: [UInt8]?] = [:]
        for number in 0..<40 { changes["boot/initramfs-\(number)"] = bytes }
        let path = scratch.path.appending("medium.iso")
        try SmallMedium(changes: changes).write(to: path)
        let report = try MediumReport(ISOReader(path))
        let refused = report.findings.filter { $0.message.contains("larger than any that boots") }
        #expect(refused.count > 30 && refused.count < 40)
    }
}
