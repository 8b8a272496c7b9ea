import Artefact
import Bundle
import BundleSamples
import Glibc
import SystemPackage
import TestSupport
import Testing

/// Files that were read before are not read again; what changed since is, and so is all of it where the note is no good.
struct VerifiedTests {
    private static let image = "alpine-virt-3.23.6-x86_64.iso"

    private func publish(
        _ version: String, in workshop: borrowing Workshop, isBelieved: Bool = true
    ) throws -> Publication {
        let verified = try workshop.store.verifiedFiles(in: workshop.scratch.path, isBelieved: isBelieved)
        return try workshop.store.publish(
            try Samples.stage(version, overlay: "overlay of \(version)", iso: workshop.iso), knowing: verified)
    }

    private func note(of workshop: borrowing Workshop) -> FilePath { workshop.out.pushing("store/verified") }

    /// Changes a byte of a file and leaves its size and the time of its last write as they were.
    private func corruptQuietly(_ path: FilePath) async throws {
        let script =
            "touch -r \"$1\" mark; printf X | dd of=\"$1\" bs=1 seek=99 conv=notrunc status=none; touch -r mark \"$1\""
        let done = try await run("sh", ["-ec", script, "sh", path.string], in: "/tmp")
        try #require(done.succeeded, "\(done.errors)")
    }

    /// Makes the note say of a file as it is now that it has the digest that its name in the store promises.
    private func forge(_ workshop: borrowing Workshop) throws {
        let digest = Digest(of: Samples.iso)
        let object = workshop.out.pushing("store/sha256").appending(String(digest.hex.prefix(2))).appending(
            "\(digest).0444")
        let file = try #require(FileFingerprint(of: object))
        func decimal(_ time: FileTime) -> String {
            let digits = String(time.nanoseconds)
            return "\(time.seconds)." + String(repeating: "0", count: 9 - digits.count) + digits
        }
        var text = String(decoding: try HostFile.read(note(of: workshop), limit: 1 << 20), as: UTF8.self)
        let lines = text.split(separator: "\n").map { line in
            line.hasPrefix("file \(file.device) \(file.inode) ")
                ? "file \(file.device) \(file.inode) \(file.size) \(decimal(file.modified)) \(decimal(file.changed)) \(digest)"
                : String(line)
        }
        text = lines.dropLast().map { $0 + "\n" }.joined()
        text += "end \(Digest(of: Array(text.utf8)))\n"
        try StagedFile.write(Array(text.utf8), to: note(of: workshop))
    }

    @Test func `a shared file is believed by the note, and verifying reads it all the same`() async throws {
        let workshop = try Workshop()
        _ = try publish("1.0.0", in: workshop)
        let text = String(decoding: try HostFile.read(note(of: workshop), limit: 1 << 20), as: UTF8.self)
        #expect(
            text.split(separator: "\n").filter { $0.hasSuffix(" \(Digest(of: Samples.iso))") }.count == 1, "\(text)")
        #expect(text.split(separator: "\n").filter { $0.hasSuffix(" \(Digest(of: Samples.binary))") }.count == 1)
        // No program can change bytes without a trace, so what a failing disk does is shown by a note that says more
        // than it should.
        try await corruptQuietly(workshop.out.pushing("bundles/1.0.0").appending(Self.image))
        try forge(workshop)
        _ = try publish("1.1.0", in: workshop)
        #expect(try workshop.store.verify(Version("1.1.0")).findings.map(\.problem) == [.tampered])
        #expect(throws: BundleError.self) { try workshop.store.activate(Version("1.1.0"), Samples.occasion) }
        _ = try publish("1.2.0", in: workshop, isBelieved: false)
        #expect(try workshop.store.verify(Version("1.2.0")).isGood)
    }

    @Test func `a file that changed is read again, though its size and time are as they were`() async throws {
        let workshop = try Workshop()
        _ = try publish("1.0.0", in: workshop)
        try await corruptQuietly(workshop.out.pushing("bundles/1.0.0").appending(Self.image))
        _ = try publish("1.1.0", in: workshop)
        #expect(try workshop.store.verify(Version("1.1.0")).isGood)
        #expect(try workshop.store.verify(Version("1.0.0")).findings.map(\.problem) == [.tampered])
    }

    /// What is done to a note that says too much, each of which makes it no note.
    private static let damages: [String] = [
        "truncate -s -1 \"$1\"", "head -n -1 \"$1\" >n; mv n \"$1\"", "sed -i 's/^file \\(.\\)/file 0\\1/' \"$1\"",
        "printf 'x' >>\"$1\"", "tac \"$1\" >n; mv n \"$1\"", ": >\"$1\"",
        "chmod g+w \"$1\"", "chown 65534 \"$1\"", "mv \"$1\" n; ln -s \"$PWD/n\" \"$1\"", "rm \"$1\"; mkdir \"$1\"",
        "head -c 2000000 /dev/zero >\"$1\"", "rm \"$1\"",
    ]

    @Test(arguments: damages)
    func `a note that is torn, another's or not canonical is no note`(damage: String) async throws {
        let workshop = try Workshop()
        _ = try publish("1.0.0", in: workshop)
        try await corruptQuietly(workshop.out.pushing("bundles/1.0.0").appending(Self.image))
        try forge(workshop)
        let done = try await run("sh", ["-ec", damage, "sh", note(of: workshop).string], in: workshop.scratch.path)
        try #require(done.succeeded, "\(done.errors)")
        _ = try publish("1.1.0", in: workshop)
        #expect(try workshop.store.verify(Version("1.1.0")).isGood)
    }

    @Test func `publishing the same again and other versions keeps the note true`() async throws {
        let workshop = try Workshop()
        for version in ["1.0.0", "1.0.0", "1.1.0", "1.1.0"] {
            _ = try publish(version, in: workshop)
            // What is as young as a look at it, by the clock of the file system, is looked at again.
            try await Task.sleep(for: .milliseconds(30))
        }
        let verified = try workshop.store.verifiedFiles(in: workshop.scratch.path, isBelieved: true)
        for file in [Self.image, "edge-1.1.0-x86_64.apkovl.tar.gz", "edge-1.1.0-x86_64-kubesolo"] {
            let path = workshop.out.pushing("bundles/1.1.0").appending(file)
            let found = try #require(FileFingerprint(of: path))
            #expect(verified.digest(of: found) == (try Digest(ofFile: path)), "\(file)")
        }
    }

    @Test func `a file that is younger than the look at it is not noted`() throws {
        let scratch = try Scratch()
        let begun = try FileFingerprint.now(in: scratch.path)
        let path = try scratch.file("young", "bytes")
        let file = try #require(FileFingerprint(of: path))
        let verified = VerifiedFiles(begun: begun)
        verified.note(Digest(of: []), of: file)
        #expect(verified.digest(of: file) == nil && verified.entries.isEmpty)
        verified.note(Digest(of: []), of: file, at: file.changed)
        #expect(verified.digest(of: file) == nil)
        let later = FileTime(seconds: file.changed.seconds, nanoseconds: file.changed.nanoseconds + 1)
        verified.note(Digest(of: []), of: file, at: later)
        #expect(verified.digest(of: file) == Digest(of: []))
    }

    @Test func `a note is bounded, and what was used last stays`() throws {
        func file(_ inode: Int) -> FileFingerprint {
            let time = FileTime(seconds: 1, nanoseconds: 0)
            return FileFingerprint(device: 1, inode: UInt64(inode), size: 0, modified: time, changed: time)
        }
        let time = FileTime(seconds: 2, nanoseconds: 0)
        let verified = VerifiedFiles(
            begun: time, entries: (0..<3000).map { .init(file: file($0), digest: Digest(of: [])) },
            archives: Dictionary(uniqueKeysWithValues: (0..<3000).map { (Digest(of: "\($0)".utf8), Digest(of: [])) }))
        #expect(verified.digest(of: file(2999)) == Digest(of: []))
        #expect(verified.content(ofArchive: Digest(of: "2999".utf8)) == Digest(of: []))
        verified.note(Digest(of: [1]), of: file(5000))
        #expect(verified.entries.count == VerifiedFiles.maximumEntries)
        #expect(verified.entries.suffix(2).map(\.file.inode) == [2999, 5000])
        for number in 0..<40 { verified.note(extract: [1], of: Digest(of: "\(number)".utf8)) }
        verified.note(
            extract: [UInt8](repeating: 0, count: VerifiedFiles.maximumExtractBytes + 1), of: Digest(of: "large".utf8))
        #expect(verified.allExtracts.count == VerifiedFiles.maximumExtracts)
        #expect(verified.extract(of: Digest(of: "large".utf8)) == nil)
        #expect(verified.archives.count == VerifiedFiles.maximumEntries)
        #expect(verified.archives[Digest(of: "2999".utf8)] != nil)
    }
}
