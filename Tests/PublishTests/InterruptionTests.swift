import Artefact
import Bundle
import BundleSamples
import Glibc
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// Commands that are killed at random moments and run again until one ends.
@Suite(.serialized) struct InterruptionTests {
    /// Runs a command and kills it after a while.
    ///
    /// - Returns: Whether it ended by itself, and well.
    private static func runAndKill(
        _ project: borrowing PublishProject, _ words: [String], afterMilliseconds limit: Int,
        _ environment: [String: String]
    ) async throws -> Bool {
        let seconds = "\(limit / 1000)." + String("\(1000 + limit % 1000)".dropFirst())
        let words = ["--signal", "KILL", seconds, try Product.ksbuild.string] + words
        var result = try await run("timeout", words, in: project.scratch.path, environment: environment)
        // The one that was killed before it holds its lock until the kernel has ended it.
        for _ in 0..<100 where result.exitCode == 75 {
            try await Task.sleep(for: .milliseconds(50))
            result = try await run("timeout", words, in: project.scratch.path, environment: environment)
        }
        #expect([0, 137].contains(result.exitCode), "\(words): \(result.exitCode) \(result.errors)")
        return result.succeeded
    }

    /// How long a command takes that nobody kills, in milliseconds.
    private static func time(
        _ project: borrowing PublishProject, _ words: [String], _ environment: [String: String]
    ) async throws -> Int {
        let begun = ContinuousClock.now
        let result = try await run(
            try Product.ksbuild.string, words, in: project.scratch.path, environment: environment)
        try #require(result.succeeded, "\(result.errors)")
        return max(20, Int((ContinuousClock.now - begun) / .milliseconds(1)))
    }

    /// Pushes and pulls again and again, killed at so many random moments, and resumed until each is done.
    private static func killed(_ times: Int, seed: UInt64) async throws {
        let project = try PublishProject(megabytes: 24)
        let registry = try await DockerRegistry(in: project.scratch)
        let bundle = try project.build("1.4.0")
        let files = try HostFile.names(in: bundle).count
        let common = ["--ca-file", registry.authority.string]
        let environment = registry.environment
        func place(_ number: Int) -> String { "oci://\(registry.host)/r\(number)" }
        let push = try await time(project, ["publish", place(0)] + common, environment)
        let pull = try await time(project, ["pull", "\(place(0)):1.4.0", "--out", "p0"] + common, environment)
        var random = SeededGenerator(seed: seed)
        var kills = 0
        var round = 0
        while kills < times {
            round += 1
            let before = registry.requests.count
            while true {
                let limit = Int.random(in: 5...(push + 5), using: &random)
                if try await runAndKill(
                    project, ["publish", place(round)] + common, afterMilliseconds: limit, environment)
                {
                    break
                }
                kills += 1
                // Nobody sees a tag before all is there.
                if kills.isMultiple(of: 3) {
                    let seen = try await run(
                        try Product.ksbuild.string,
                        ["pull", "\(place(round)):1.4.0", "--out", "seen-\(kills)"] + common,
                        in: project.scratch.path, environment: environment)
                    #expect([0, 66].contains(seen.exitCode), "\(seen.errors)")
                }
            }
            // No blob that was complete is sent again: each one, and the empty configuration, was ended once.
            let ends = registry.requests.dropFirst(before).filter {
                $0.hasPrefix("PUT /v2/r\(round)/blobs/uploads/") && $0.hasSuffix(" 201")
            }
            #expect(ends.count == files + 1, "\(ends.count) uploads were ended for \(files + 1) blobs")
            let out = "p\(round)"
            while true {
                let limit = Int.random(in: 5...(pull + 5), using: &random)
                let words = ["pull", "\(place(round)):1.4.0", "--out", out] + common
                let isDone = try await runAndKill(project, words, afterMilliseconds: limit, environment)
                let there = project.scratch.path.appending(out).pushing("bundles/1.4.0")
                if HostFile.exists(there) { #expect(try BundleVerification.read(there).isGood) }
                if isDone { break }
                kills += 1
            }
            let there = project.scratch.path.appending(out)
            #expect(try PublishProject.contents(there.pushing("bundles/1.4.0")) == PublishProject.contents(bundle))
            #expect(try HostFile.names(in: there).allSatisfy { !$0.hasPrefix(".") })
        }
    }

    @Test func `a push and a pull that are killed at random moments go on, and nothing complete is moved again`()
        async throws
    {
        try await Self.killed(5, seed: 5)
    }

    @Test func `the same, killed a hundred times`() async throws { try await Self.killed(100, seed: 100) }

    @Test func `what a registry has of a piece that was cut off is not sent again`() async throws {
        let project = try PublishProject(megabytes: 24)
        let front = try await RegistryFront(in: project.scratch, "sessions")
        try project.build("1.4.0")
        let words = ["publish", "oci://\(front.host)/a", "--plain-http"]
        var limit = 300
        var cut: UInt64 = 0
        // Small files are never cut off; without a cut in the middle of the large one there is nothing to see.
        while cut < 100_000, limit < 10_000 {
            if try await Self.runAndKill(project, words, afterMilliseconds: limit, [:]) { break }
            cut = try await front.largestUpload()
            limit += 150
        }
        try #require(cut >= 100_000, "every attempt was killed elsewhere")
        let before = front.requests.count
        let done = try await project.command("publish", "oci://\(front.host)/a", "--plain-http")
        #expect(done.succeeded, "\(done.errors)")
        var sent: [String: UInt64] = [:]
        for request in front.requests.dropFirst(before) where request.method == "PATCH" && request.status == 202 {
            sent[request.path, default: 0] += request.bytes
        }
        #expect(sent.values.max() == (24 << 20) - cut, "\(sent), cut off at \(cut)")
    }

    @Test func `Ctrl-C ends it with a word and a code of its own`() async throws {
        let project = try PublishProject(megabytes: 24)
        let front = try await RegistryFront(in: project.scratch, "sessions")
        try project.build("1.4.0")
        let folder = project.scratch.path
        let words = [
            "-c", #"echo $$ >number; exec "$@""#, "sh", try Product.ksbuild.string, "publish", "oci://\(front.host)/a",
        ]
        async let running = run("sh", words, in: folder)
        try await front.waitForUpload()
        let number = try HostFile.read(folder.appending("number"), limit: 20)
        let process = try #require(Int32(String(decoding: number.dropLast(), as: UTF8.self)))
        #expect(kill(process, SIGINT) == 0)
        let ended = try await running
        #expect(ended.exitCode == 130, "\(ended.errors)")
        #expect(ended.errors.contains("goes on"), "\(ended.errors)")
        #expect(try await project.command("publish", "oci://\(front.host)/a").succeeded)
    }

    @Test func `a directory whose publication is killed shows nothing, and is filled by the next`() async throws {
        let project = try PublishProject(megabytes: 24)
        let bundle = try project.build("1.4.0")
        var random = SeededGenerator(seed: 9)
        let whole = try await Self.time(project, ["publish", "dir:first"], [:])
        for _ in 0..<5 {
            let limit = Int.random(in: 5...whole, using: &random)
            let isDone = try await Self.runAndKill(project, ["publish", "dir:pub"], afterMilliseconds: limit, [:])
            let there = project.scratch.path.pushing("pub/1.4.0")
            if HostFile.exists(there) {
                #expect(try PublishProject.contents(there) == PublishProject.contents(bundle))
            } else {
                #expect(!isDone)
                #expect(!HostFile.exists(project.scratch.path.pushing("pub/latest")))
            }
        }
        #expect(try await project.command("publish", "dir:pub").succeeded)
        #expect(try HostFile.names(in: project.scratch.path.appending("pub")) == ["1.4.0", "latest"])
    }
}
