import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

struct PublishTests {
    @Test func `a published bundle holds its artefacts, manifest and checksums with exact modes`() throws {
        let workshop = try Workshop()
        let publication = try workshop.publish("1.4.0")
        #expect(publication.outcome == .published)
        let path = workshop.out.appending("bundles").appending("1.4.0")
        let modes = try HostFile.names(in: path).map { name in
            "\(name) \(try HostFile.status(of: path.appending(name)).mode)"
        }
        #expect(
            modes == [
                "SHA256SUMS 0444", "alpine-virt-3.23.6-x86_64.iso 0444", "edge-1.4.0-x86_64-cidata.iso 0444",
                "edge-1.4.0-x86_64-kubesolo 0555", "edge-1.4.0-x86_64.apkovl.tar.gz 0444", "manifest.json 0444",
            ])
        #expect(try HostFile.status(of: path).mode == EntryMode(0o555))
        #expect(try workshop.store.verify(Version("1.4.0")).findings == [])
        #expect(try hasNoLeftovers(workshop.out))
    }

    @Test func `sha256sum of coreutils accepts a bundle in strict mode`() async throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0")
        let path = workshop.out.appending("bundles").appending("1.4.0")
        let result = try await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], in: path)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.split(separator: "\n").count == 5)
        let own = try await run("sh", ["-c", "LC_ALL=C; export LC_ALL; sha256sum -- [!S]*"], in: path)
        let sums = try HostFile.read(path.appending("SHA256SUMS"), limit: 4096)
        #expect(own.output == String(decoding: sums, as: UTF8.self))
    }

    @Test func `building the same again changes nothing, not even an inode or a time`() async throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0")
        let before = try snapshot(workshop.out)
        let bundle = workshop.out.appending("bundles").appending("1.4.0").string
        let times = try await run("find", [bundle, "-printf", "%p %i %T@ %n %m %s\n"])
        let again = try workshop.publish("1.4.0")
        #expect(again.outcome == .identical)
        #expect(again.newBytes == 0)
        #expect(try snapshot(workshop.out) == before)
        #expect(try await run("find", [bundle, "-printf", "%p %i %T@ %n %m %s\n"]).output == times.output)
    }

    @Test func `another content under a published version is refused and says what differs`() throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0")
        let before = try snapshot(workshop.out)
        let error = #expect(throws: BundleError.self) { try workshop.publish("1.4.0", overlay: "other") }
        #expect(error?.code == .versionTaken)
        #expect(error?.description.contains("edge-1.4.0-x86_64.apkovl.tar.gz has other bytes") == true)
        #expect(error?.description.contains("\n") == false)
        #expect(try snapshot(workshop.out) == before)
    }

    @Test func `the same version over a damaged bundle is refused, not taken for identical`() throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0")
        let file = workshop.out.pushing("bundles/1.4.0/edge-1.4.0-x86_64-cidata.iso")
        try HostFile.setMode(of: file.removingLastComponent(), .directory)
        try HostFile.remove(file)
        try StagedFile.write(Array("evil".utf8), to: file, mode: EntryMode(0o444))
        try HostFile.setMode(of: file.removingLastComponent(), EntryMode(0o555))
        let error = #expect(throws: BundleError.self) { try workshop.publish("1.4.0") }
        #expect(error?.code == .damaged)
    }

    @Test func `what two versions share is on the disk once`() throws {
        let workshop = try Workshop()
        let first = try workshop.publish("1.4.0", overlay: "one")
        let second = try workshop.publish("1.5.0", overlay: "two")
        #expect(first.newBytes == UInt64(Samples.iso.count + Samples.binary.count + 3 + 13))
        #expect(second.newBytes == 3 + 13)
        let name = "alpine-virt-3.23.6-x86_64.iso"
        let a = try HostFile.status(of: workshop.out.pushing("bundles/1.4.0").appending(name))
        let b = try HostFile.status(of: workshop.out.pushing("bundles/1.5.0").appending(name))
        #expect(a.identity == b.identity)
        #expect(a.links == 3)
        let source = try HostFile.status(of: workshop.iso)
        #expect(source.identity != a.identity && source.links == 1)
    }

    @Test func `a known image that the store has is not read from the host again`() throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0", overlay: "one")
        try HostFile.remove(workshop.iso)
        try workshop.publish("1.5.0", overlay: "two")
        #expect(try workshop.store.verify(Version("1.5.0")).isGood)
    }

    @Test func `a source that is not what was promised is refused and leaves nothing`() throws {
        let workshop = try Workshop()
        try workshop.scratch.file("inputs/alpine.iso", "another image")
        let error = #expect(throws: BundleError.self) { try workshop.publish("1.4.0") }
        #expect(error?.code == .mismatch)
        #expect(try workshop.store.list().isEmpty)
        #expect(try hasNoLeftovers(workshop.out))
    }

    @Test func `an object that went bad is noticed when it is used again, and replaced`() throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0", overlay: "one")
        let iso = workshop.out.pushing("bundles/1.4.0/alpine-virt-3.23.6-x86_64.iso")
        try corrupt(iso, at: 1234)
        try workshop.publish("1.5.0", overlay: "two")
        #expect(try workshop.store.verify(Version("1.5.0")).isGood)
        #expect(try workshop.store.verify(Version("1.4.0")).findings.map(\.problem) == [.tampered])
        try workshop.publish("1.6.0", overlay: "three")
        let b = try HostFile.status(of: workshop.out.pushing("bundles/1.5.0/alpine-virt-3.23.6-x86_64.iso"))
        #expect(b.links == 3)
    }

    @Test(arguments: [false, true])
    func `files with secrets are for their owner alone, and the directory with them`(secret: Bool) throws {
        let workshop = try Workshop()
        let publication = try workshop.publish("1.4.0", secret: secret)
        #expect(publication.manifest.secrets == secret)
        #expect(try HostFile.status(of: publication.path).mode == EntryMode(secret ? 0o500 : 0o555))
        for artefact in publication.manifest.artefacts {
            let status = try HostFile.status(of: publication.path.appending(artefact.file))
            #expect(status.mode == artefact.mode)
            let isPrivate = secret && (artefact.role == .overlay || artefact.role == .seed)
            #expect((status.mode.bits & 0o077 == 0) == isPrivate, "\(artefact.file)")
        }
        #expect(try workshop.store.verify(Version("1.4.0")).isGood)
        let objects = try snapshot(workshop.out.appending("store"))
        #expect(objects.values.filter { $0.hasPrefix("file 0400") }.count == (secret ? 2 : 0))
    }

    @Test func `the same content with and without secrecy are two objects with their own modes`() throws {
        let workshop = try Workshop()
        try workshop.publish("1.4.0", secret: false)
        try workshop.publish("1.5.0", secret: true)
        #expect(try workshop.store.verify(Version("1.4.0")).isGood)
        #expect(try workshop.store.verify(Version("1.5.0")).isGood)
    }

    @Test(arguments: [
        "", ".hidden", "-rf", "a/b", "../x", "manifest.json", "MANIFEST.JSON", "SHA256SUMS", "SHA256SUMS.minisig",
        "a b",
        "ä", "a\nb", String(repeating: "a", count: 201),
    ])
    func `a name that no bundle may hold is refused before anything is written`(name: String) throws {
        let workshop = try Workshop()
        let stage = Stage(
            try Samples.description("1.0.0"), artefacts: [StagedArtefact(.overlay, file: name, bytes: [1])])
        let error = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(error?.code == .invalidStage)
        #expect(!HostFile.exists(workshop.out))
    }

    @Test func `an artefact listed twice, and a bundle of nothing, are refused`() throws {
        let workshop = try Workshop()
        let twice = Stage(
            try Samples.description("1.0.0"),
            artefacts: [
                StagedArtefact(.overlay, file: "a", bytes: [1]), StagedArtefact(.seed, file: "A", bytes: [2]),
            ])
        #expect(throws: BundleError.self) { try workshop.store.publish(twice) }
        let nothing = Stage(try Samples.description("1.0.0"), artefacts: [])
        #expect(throws: BundleError.self) { try workshop.store.publish(nothing) }
    }

    @Test func `a writer that leaves something else beside its file is caught`() throws {
        let workshop = try Workshop()
        let stage = Stage(
            try Samples.description("1.0.0"),
            artefacts: [
                StagedArtefact(.overlay, file: "a") { target, _ in
                    try StagedFile.write([1], to: target.removingLastComponent().appending("stray"))
                    return try StagedFile.write([2], to: target)
                }
            ])
        let error = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(error?.code == .mismatch)
        #expect(try workshop.store.list().isEmpty)
    }

    @Test func `a writer that says another digest than it wrote is caught`() throws {
        let workshop = try Workshop()
        let stage = Stage(
            try Samples.description("1.0.0"),
            artefacts: [
                StagedArtefact(.overlay, file: "a") { target, _ in
                    let file = try StagedFile.write([2], to: target)
                    return WrittenFile(path: file.path, size: file.size, digest: Digest(of: [3]))
                }
            ])
        let error = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(error?.code == .mismatch)
    }

    @Test func `while one command changes the store a second one is told so at once`() throws {
        let workshop = try Workshop()
        let store = workshop.store
        let iso = workshop.iso
        var inner: BundleError?
        let stage = Stage(
            try Samples.description("1.0.0"),
            artefacts: [
                StagedArtefact(.overlay, file: "a") { target, _ in
                    do {
                        _ = try store.publish(try Samples.stage("2.0.0", iso: iso))
                    } catch let error as BundleError {
                        inner = error
                    }
                    return try StagedFile.write([2], to: target)
                }
            ])
        _ = try store.publish(stage)
        #expect(inner?.code == .busy)
        #expect(inner?.failureClass == .busy)
        #expect(try store.versions() == [Version("1.0.0")])
        try workshop.publish("2.0.0")
    }
}

/// Changes one byte of a file where it stands, keeping inode, size and mode.
func corrupt(_ path: FilePath, at offset: Int64, xor mask: UInt8 = 1) throws {
    let mode = try HostFile.status(of: path).mode
    try HostFile.setMode(of: path, .secret)
    let file = try FileDescriptor.open(path, .readWrite)
    var byte: [UInt8] = [0]
    unsafe try byte.withUnsafeMutableBytes { buffer in
        unsafe _ = try file.read(fromAbsoluteOffset: offset, into: buffer)
    }
    byte[0] ^= mask
    try file.writeAll(toAbsoluteOffset: offset, byte)
    try file.close()
    try HostFile.setMode(of: path, mode)
}
