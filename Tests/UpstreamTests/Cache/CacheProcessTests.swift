import Artefact
import Glibc
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer
import Upstream

/// Processes that are killed, stopped, refused by the system and in each other's way.
struct CacheProcessTests {
    @Test func `a fetch that is killed at any byte is gone on with`() async throws { try await killed(times: 20) }

    @Test func `two hundred fetches that are killed at any byte are gone on with`() async throws {
        try await killed(times: 200)
    }

    /// Kills at random offsets; every second time twice.
    private func killed(times: Int) async throws {
        let bench = try await CacheBench(size: 2_000_000)
        var random = SeededGenerator(seed: 5)
        var saved = 0
        for round in 0..<times {
            try HostFile.removeTree(bench.cache.root)
            for _ in 0...(round % 2) {
                let offset = Int.random(in: 1...bench.body.count, using: &random)
                let cut = try await bench.exercise(["-", "kill=\(offset)"])
                #expect(cut.exitCode == 137, "\(cut.errors)")
            }
            try bench.judge("round \(round)")
            let there = Int(try HostFile.status(of: bench.partial).size)
            let done = try await bench.exercise([round % 3 == 0 ? "-" : bench.digest.hex])
            #expect(done.output.hasPrefix("\(bench.digest) 2000000 "), "round \(round): \(done.errors)")
            let last = try #require(try await bench.server.requests().last)
            let isAsked = there < bench.body.count || round % 3 == 0
            if isAsked {
                let kept = min(there, bench.body.count - 1)
                #expect(last.status == 206 && last.range == "bytes=\(kept)-", "round \(round): \(last)")
                #expect(last.bytes == bench.body.count - kept, "round \(round): \(last)")
                saved += kept
            }
            try bench.judge("round \(round)")
        }
        #expect(saved > times * 100_000)
    }

    @Test func `a fetch that is stopped at any instant leaves a beginning at most`() async throws {
        try await stopped(times: 10)
    }

    @Test func `fifty fetches that are stopped at any instant leave beginnings at most`() async throws {
        try await stopped(times: 50)
    }

    private func stopped(times: Int) async throws {
        let bench = try await CacheBench(size: 1_000_000)
        var random = SeededGenerator(seed: 6)
        var endings: [Int: Int] = [:]
        for round in 0..<times {
            try HostFile.removeTree(bench.cache.root)
            let address = "\(bench.server.plain)/slow/file"
            let seconds = Double(Int.random(in: 5...500, using: &random)) / 1000
            let cut = try await bench.exercise(
                ["-"], under: ["timeout", "--preserve-status", "-s", "INT", "\(seconds)"], address: address)
            endings[cut.exitCode, default: 0] += 1
            // Before it begins to listen, the signal ends the program as it ends any other.
            #expect([0, 130].contains(cut.exitCode), "\(cut)")
            try bench.judge("round \(round)")
            if HostFile.exists(bench.cache.root.appending("partial")) {
                let names = try HostFile.names(in: bench.cache.root.appending("partial"))
                #expect(!names.contains { $0.hasSuffix(".lock") }, "\(names)")
            }
            let done = try await bench.exercise([bench.digest.hex], address: address)
            #expect(done.output.hasPrefix("\(bench.digest) 1000000 "), "\(done.errors)")
            try bench.judge("round \(round)")
        }
        #expect(endings[130] != nil)
    }

    @Test func `processes that fetch the same at once download it once`() async throws {
        for pin in [true, false] {
            // It takes the server three seconds, so that each has begun before the first has ended.
            let bench = try await CacheBench(size: 12_000_000)
            let address = "\(bench.server.plain)/slow/file"
            let word = pin ? bench.digest.hex : "-"
            let program = try Product.ksbuild.removingLastComponent().appending("fetch-exercise").string
            let script = "for i in 1 2 3 4; do \"$@\" & done; wait"
            let result = try await run(
                "sh", ["-c", script, "sh", program, address, bench.cache.root.string, word])
            let line = "\(bench.digest) 12000000 \(bench.cache.path(bench.digest))"
            #expect(result.output.split(separator: "\n").map(String.init) == Array(repeating: line, count: 4))
            #expect(result.errors == "")
            let requests = try await bench.server.requests()
            #expect(requests.count == 1, "\(requests)")
            try bench.judge()
        }
    }

    @Test func `a full disk is said to be full, and what came so far is gone on with`() async throws {
        let bench = try await CacheBench(size: 2_000_000)
        let refused = try await bench.exercise(
            [bench.digest.hex],
            under: [
                "strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
                "inject=pwrite64:error=ENOSPC:when=3+",
            ])
        #expect(refused.exitCode == 74, "\(refused.errors)")
        #expect(refused.errors.contains("No space left on device"), "\(refused.errors)")
        #expect(refused.errors.split(separator: "\n").count == 1)
        try bench.judge()
        let there = try HostFile.status(of: bench.partial).size
        #expect(there > 0)
        let done = try await bench.exercise([bench.digest.hex])
        #expect(done.output.hasPrefix("\(bench.digest) "))
        #expect(try await bench.server.requests().last?.range == "bytes=\(there)-")
    }

    @Test func `a disk that cannot synchronise gives no input`() async throws {
        let bench = try await CacheBench()
        let refused = try await bench.exercise(
            [bench.digest.hex],
            under: [
                "strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
                "inject=fsync:error=EIO:when=5+",
            ])
        #expect(refused.exitCode == 74, "\(refused.errors)")
        #expect(try bench.cache.list() == [])
    }

    @Test func `the environment plays no part`() async throws {
        let bench = try await CacheBench()
        let names = ["http_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"]
        let done = try await bench.exercise(
            ["-"], environment: Dictionary(uniqueKeysWithValues: names.map { ($0, "http://127.0.0.1:1") }))
        #expect(done.succeeded, "\(done.errors)")
    }

    @Test func `exit codes tell what happened`() async throws {
        let bench = try await CacheBench()
        let odd = try await OddServer(in: bench.scratch)
        let cases = [
            ("\(bench.server.plain)/none", "-", 66), ("\(odd.base)/status/500", "-", 69),
            (bench.server.secure, "-", 69),
            ("\(bench.server.plain)/loop", "-", 69), ("\(odd.base)/page", bench.digest.hex, 65),
            ("\(bench.server.plain)/private/file", "-", 77), ("ftp://a/", "-", 64),
        ]
        for (address, pin, code) in cases {
            let result = try await bench.exercise([pin, "retries=1", "backoff=1"], address: address)
            #expect(result.exitCode == code, "\(address): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
        }
        try bench.judge()
    }
}
