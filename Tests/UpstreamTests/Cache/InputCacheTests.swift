import Artefact
import Glibc
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer
import Upstream

/// The cache gives what was asked for and nothing else, and downloads it once.
struct InputCacheTests {
    @Test func `an input is fetched once, with or without a pin, and lies read-only under its digest`() async throws {
        let bench = try await CacheBench()
        let first = try bench.fetch(bench.request(bench.address, sha512: true))
        #expect(first.sha256 == bench.digest && first.size == 1_000_000)
        #expect(first.address == bench.address)
        #expect(first.path.string.hasSuffix("sha256/\(bench.digest.hex.prefix(2))/\(bench.digest)"))
        #expect(try HostFile.status(of: first.path).mode == EntryMode(0o444))
        #expect(try HostFile.read(first.path, limit: 1 << 20) == bench.body)
        let said = try await run("sha512sum", [first.path.string])
        #expect(said.output.hasPrefix("\(first.sha512 ?? "none") "))
        let second = try bench.fetch(bench.request(bench.address, pin: bench.digest, sha512: true))
        #expect(second.address == nil && second.path == first.path && second.sha512 == first.sha512)
        #expect(try await bench.server.requests().count == 1)
        #expect(throws: TransferError.self) {
            try bench.fetch(bench.request(bench.address, pin: bench.digest, size: 5))
        }
        try bench.judge()
        #expect(try HostFile.names(in: bench.cache.root.appending("partial")).filter { !$0.hasSuffix(".got") } == [])
    }

    @Test func `a file that is not what its name says is removed and fetched again`() async throws {
        let bench = try await CacheBench()
        let entry = try bench.fetch(bench.request(bench.address))
        try HostFile.setMode(of: entry.path, EntryMode(0o644))
        let script =
            "touch -r \"$1\" \"$1.t\"; printf X | dd of=\"$1\" bs=1 seek=99 conv=notrunc; touch -r \"$1.t\" \"$1\""
        _ = try await run("sh", ["-c", script, "sh", entry.path.string])
        try HostFile.remove(FilePath(entry.path.string + ".t"))
        #expect(try bench.cache.find(bench.digest) == nil)
        #expect(!HostFile.exists(entry.path))
        try bench.fetch(bench.request(bench.address, pin: bench.digest))
        #expect(try bench.cache.find(bench.digest) == entry.path)
        #expect(try await bench.server.requests().count == 2)
        try HostFile.remove(entry.path)
        try HostFile.makeSymlink(entry.path, to: bench.server.root.appending("file").string)
        #expect(try bench.cache.find(bench.digest) == nil)
    }

    @Test func `a file that was read before is not read again, unless everything is to be`() async throws {
        let bench = try await CacheBench()
        let entry = try bench.fetch(bench.request(bench.address))
        #expect(try bench.cache.find(bench.digest) != nil)
        // What a failing disk does without a trace is shown by a note that says more than it should.
        try HostFile.setMode(of: entry.path, EntryMode(0o600))
        try StagedFile.write([1, 2, 3], to: entry.path)
        usleep(30_000)
        let note = bench.cache.root.appending(VerifiedRecord.fileName)
        let file = try #require(FileFingerprint(of: entry.path))
        let forged = VerifiedRecord.Content(entries: [.init(file: file, digest: bench.digest)])
        try StagedFile.write(VerifiedRecord.encode(forged), to: note)
        #expect(try bench.cache.find(bench.digest) == entry.path)
        #expect(try InputCache(bench.cache.root, isBelieved: false).find(bench.digest) == nil)
        #expect(!HostFile.exists(entry.path))
    }

    @Test func `a wrong pin is an error, and the right one after it costs no second download`() async throws {
        let bench = try await CacheBench()
        let wrong = Digest(of: "wrong".utf8)
        do {
            try bench.fetch(bench.request(bench.address, pin: wrong, size: 1_000_000))
            Issue.record("taken")
        } catch let error as TransferError {
            #expect(error.code == .wrongDigest)
            #expect(error.failureClass == .data)
            #expect(error.description.contains(wrong.hex) && error.description.contains(bench.digest.hex))
        }
        #expect(try bench.cache.find(wrong) == nil)
        let entry = try bench.fetch(bench.request(bench.address, pin: bench.digest))
        #expect(entry.address == nil)
        #expect(try await bench.server.requests().count == 1)
        try bench.judge()
    }

    @Test func `a wrong file that may be half of something is not kept`() async throws {
        let bench = try await CacheBench()
        let odd = try await OddServer(in: bench.scratch)
        #expect(throws: TransferError.self) {
            try bench.fetch(bench.request("\(odd.base)/cut", pin: odd.digest))
        }
        #expect(try bench.cache.list() == [])
        #expect(try HostFile.names(in: bench.cache.root.appending("partial")) == [])
    }

    @Test func `the next address is asked where one does not give the file, and each is told of`() async throws {
        let bench = try await CacheBench()
        let odd = try await OddServer(in: bench.scratch)
        let bad = ["\(bench.server.plain)/none", "http://127.0.0.1:1/", "\(odd.base)/page", "\(odd.base)/flaky/9"]
        var request = bench.request(bench.address, pin: bench.digest)
        request.addresses = bad + [bench.address]
        #expect(try bench.fetch(request).address == bench.address)
        var other = bench.request("", pin: Digest(of: "other".utf8))
        other.addresses = bad
        do {
            try bench.fetch(other)
            Issue.record("taken")
        } catch let error as FallOverError {
            #expect(error.failures.map(\.code) == [.notFound, .unavailable, .wrongDigest, .unavailable])
            #expect(bad.allSatisfy { error.description.contains($0) }, "\(error)")
            #expect(error.failureClass == .data)
        }
        other.addresses = Array(bad.prefix(2))
        do {
            try bench.fetch(other)
        } catch let error as FallOverError {
            #expect(error.failureClass == .unavailable)
        }
        #expect(throws: TransferError.self) { try bench.fetch(CacheRequest([], limit: 1)) }
        try bench.judge()
    }

    @Test func `what was not used for a while is pruned, and what others fetch stays`() async throws {
        let bench = try await CacheBench()
        try bench.scratch.file("nginx/root/other", "other")
        let old = try bench.fetch(bench.request(bench.address))
        let kept = try bench.fetch(bench.request("\(bench.server.plain)/other"))
        let cut = try await bench.exercise(["-", "kill=2000"], address: "\(bench.server.plain)/file?2")
        #expect(cut.exitCode == 137)
        try bench.scratch.file("cache/partial/.\(bench.digest).state.partial-1", "torn")
        usleep(30_000)
        let listed = try bench.cache.list()
        #expect(Set(listed.map(\.digest)) == [old.sha256, kept.sha256])
        #expect(listed.map(\.size).sorted() == [5, 1_000_000])
        let time = try FileFingerprint.now(in: bench.cache.root)
        #expect(try bench.cache.prune(notUsedSince: FileTime(seconds: 0, nanoseconds: 0)).digests == [])
        usleep(30_000)
        // A look at an input is a use of it.
        #expect(try bench.cache.find(kept.sha256) != nil)
        let pruned = try bench.cache.prune(notUsedSince: time)
        #expect(pruned.digests == [old.sha256] && pruned.partials == 1)
        #expect(try bench.cache.list().map(\.digest) == [kept.sha256])
        let later = FileTime(seconds: time.seconds + 1000, nanoseconds: 0)
        #expect(try bench.cache.prune(notUsedSince: later, keeping: [kept.sha256]).digests == [])
        #expect(try bench.cache.prune(notUsedSince: later).digests == [kept.sha256])
        #expect(try HostFile.names(in: bench.cache.root.appending("partial")) == [])
        #expect(try InputCache(bench.scratch.path.appending("none")).list() == [])
    }

    @Test func `verifying reads everything and is no use of it`() async throws {
        let bench = try await CacheBench()
        try bench.scratch.file("nginx/root/other", "other")
        let one = try bench.fetch(bench.request(bench.address))
        let two = try bench.fetch(bench.request("\(bench.server.plain)/other"))
        let before = try bench.cache.list().map(\.lastUsed)
        #expect(try bench.cache.verify() == [])
        #expect(try bench.cache.list().map(\.lastUsed) == before)
        try HostFile.setMode(of: two.path, EntryMode(0o644))
        try StagedFile.write(Array("otheR".utf8), to: two.path)
        #expect(try bench.cache.verify() == [two.sha256])
        #expect(try bench.cache.list().map(\.digest) == [one.sha256])
    }
}
