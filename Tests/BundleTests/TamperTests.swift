import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

struct TamperTests {
    /// A published bundle whose files the test may change, and the means to judge it.
    private struct Victim: ~Copyable {
        let workshop: Workshop
        let path: FilePath

        init(secret: Bool = false) throws {
            let workshop = try Workshop()
            let path = try workshop.publish("1.4.0", secret: secret).path
            self.path = path
            self.workshop = workshop
        }

        func findings() throws -> [BundleFinding] { try workshop.store.verify(Version("1.4.0")).findings }

        func replace(_ name: String, _ bytes: [UInt8], mode: EntryMode = EntryMode(0o444)) throws {
            try HostFile.setMode(of: path, .directory)
            try StagedFile.write(bytes, to: path.appending(name), mode: mode)
            try HostFile.setMode(of: path, EntryMode(0o555))
        }

        func remove(_ name: String) throws {
            try HostFile.setMode(of: path, .directory)
            try HostFile.remove(path.appending(name))
            try HostFile.setMode(of: path, EntryMode(0o555))
        }
    }

    private static let overlay = "edge-1.4.0-x86_64.apkovl.tar.gz"

    @Test func `flips and truncations are findings of verify, with the file that is to blame`() throws {
        let victim = try Victim()
        for name in try HostFile.names(in: victim.path) {
            let status = try HostFile.status(of: victim.path.appending(name))
            let good = try HostFile.read(victim.path.appending(name), limit: 1 << 20)
            for offset in stride(from: 0, to: good.count, by: max(1, good.count / 5)) {
                var bad = good
                bad[offset] ^= 0x20
                try victim.replace(name, bad, mode: status.mode)
                let findings = try victim.findings()
                #expect(findings.contains { $0.file == name || $0.file == "SHA256SUMS" }, "\(name) at \(offset)")
                try victim.replace(name, Array(good.prefix(offset)), mode: status.mode)
                #expect(try !victim.findings().isEmpty)
            }
            try victim.replace(name, good, mode: status.mode)
            #expect(try victim.findings() == [])
        }
    }

    @Test func `what is wrong with an artefact is told apart`() throws {
        let victim = try Victim()
        let good = Array("overlay".utf8)
        func problems() throws -> [BundleFinding.Problem] { try victim.findings().map(\.problem) }
        try victim.replace(Self.overlay, Array("overlaz".utf8))
        #expect(try problems() == [.tampered])
        try victim.replace(Self.overlay, Array("over".utf8))
        #expect(try problems() == [.truncated])
        try victim.replace(Self.overlay, Array("overlay and more".utf8))
        #expect(try problems() == [.tampered])
        try victim.replace(Self.overlay, good, mode: EntryMode(0o644))
        #expect(try problems() == [.wrongMode])
        try victim.remove(Self.overlay)
        #expect(try problems() == [.missing])
        try HostFile.setMode(of: victim.path, .directory)
        try HostFile.makeSymlink(victim.path.appending(Self.overlay), to: "edge-1.4.0-x86_64-cidata.iso")
        try HostFile.setMode(of: victim.path, EntryMode(0o555))
        #expect(try problems() == [.wrongKind])
        try victim.remove(Self.overlay)
        try victim.replace(Self.overlay, good)
        try victim.replace("stray.apkovl.tar.gz", [1])
        #expect(try problems() == [.extra])
        try victim.remove("stray.apkovl.tar.gz")
        try victim.remove("SHA256SUMS")
        #expect(try problems() == [.missing])
    }

    @Test func `a directory that others may write is a finding`() throws {
        let victim = try Victim(secret: true)
        try HostFile.setMode(of: victim.path, EntryMode(0o777))
        #expect(try victim.findings().map(\.problem) == [.wrongMode])
    }

    @Test func `a bundle under the name of another version is a finding`() throws {
        let victim = try Victim()
        try HostFile.rename(victim.path, to: victim.workshop.out.pushing("bundles/1.5.0"))
        let findings = try victim.workshop.store.verify(Version("1.5.0")).findings
        #expect(findings.map(\.problem) == [.wrongVersion])
    }

    @Test func `files swapped between two versions are findings`() throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0", overlay: "overlay-a")
        try workshop.publish("1.5.0", overlay: "overlay-b")
        let a = workshop.out.pushing("bundles/1.4.0")
        let b = workshop.out.pushing("bundles/1.5.0")
        for directory in [a, b] { try HostFile.setMode(of: directory, .directory) }
        let source = b.appending("edge-1.5.0-x86_64.apkovl.tar.gz")
        try HostFile.remove(a.appending(Self.overlay))
        try HostFile.link(source, to: a.appending(Self.overlay))
        for directory in [a, b] { try HostFile.setMode(of: directory, EntryMode(0o555)) }
        #expect(try workshop.store.verify(Version("1.4.0")).findings.map(\.problem) == [.tampered])
        #expect(try workshop.store.verify(Version("1.5.0")).isGood)
    }

    @Test func `a bundle of its own, outside any store, is verified by path`() async throws {
        let workshop = try Workshop()
        let path = try workshop.publish("1.4.0").path
        let copy = workshop.scratch.path.appending("copy")
        #expect(try await run("cp", ["-a", path.string, copy.string]).succeeded)
        #expect(try BundleVerification.read(copy).isGood)
        #expect(throws: BundleError.self) { try BundleVerification.read(workshop.scratch.path.appending("none")) }
    }
}
