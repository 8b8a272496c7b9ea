internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

struct PackageVersionTests {
    private static let samples = [
        "1", "1.0", "1.0.0", "1.0.1", "1.00", "1.01", "1.1", "1.10", "1.9", "2", "10", "01", "1a", "1.0a", "1.0b",
        "1.0-r0",
        "1.0-r1", "1.0-r10", "1.0_alpha", "1.0_alpha1", "1.0_alpha2", "1.0_beta", "1.0_pre", "1.0_rc1", "1.0_rc1-r2",
        "1.0_rc1_git2", "1.0_git20240101", "1.0_cvs", "1.0_svn1", "1.0_hg1", "1.0_p1", "1.0_p1-r3", "1.0_p10",
        "1.0a_p1",
        "1.0~abc123", "1.0~abd123", "1.0_git1~abc-r1", "9.2_p1-r0", "3.23.6-r0", "20260909-r0", "6.5_p20251123-r0",
    ]

    @Test func `every pair of versions is ordered as Alpine's apk orders it`() async throws {
        let pairs = Self.samples.enumerated().flatMap { index, left in Self.samples[index...].map { (left, $0) } }
        let verdicts = try await Self.verdicts(on: pairs)
        try #require(verdicts.count == pairs.count)
        for ((left, right), verdict) in zip(pairs, verdicts) {
            let order = try #require(PackageVersion(left)).compared(to: #require(PackageVersion(right)))
            let mirrored = try #require(PackageVersion(right)).compared(to: #require(PackageVersion(left)))
            #expect(order.signum() == -mirrored.signum(), "\(left) \(right)")
            #expect((order < 0 ? "<" : order > 0 ? ">" : "=") == verdict, "\(left) \(right)")
        }
    }

    /// A text that is a version, or nearly one.
    private static func version(_ generator: inout SeededGenerator) -> String {
        func pick(_ parts: [String]) -> String { parts.randomElement(using: &generator) ?? "" }
        var text = pick(["0", "1", "2", "10", "01", "3"])
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            text += "." + pick(["0", "00", "1", "01", "010", "10", "9", "100", "2"])
        }
        text += pick(["", "", "", "a", "b", "z"])
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            text += pick(["", "_alpha", "_beta", "_pre", "_rc", "_cvs", "_svn", "_git", "_hg", "_p"])
            text +=
                text.hasSuffix("a") ? "" : pick(["", "1", "2", "10", "20240101"].filter { _ in text.contains("_") })
        }
        text += pick(["", "", "", "~abc", "~abd", "~0f"]) + pick(["", "-r0", "-r1", "-r10", "-r01"])
        return Int.random(in: 0..<40, using: &generator) == 0
            ? text + pick(["x", ".", "_", "-", "_foo", "~", " "]) : text
    }

    /// What apk makes of many pairs at once: of each pair the left is a package's version, and apk installs besides what
    /// `install_if` ties to the package being older than, as old as or newer than the right.
    private static func verdicts(on pairs: [(String, String)]) async throws -> [String] {
        let scratch = try Scratch()
        let solver = try await ApkSolver(in: scratch.path)
        var questions: [(repositories: [FilePath], world: [String])] = []
        for start in stride(from: 0, to: pairs.count, by: 500) {
            var text = ""
            for number in start..<min(start + 500, pairs.count) {
                func package(_ name: String, _ version: String, _ rest: String) {
                    let digest = Digest(of: Array("\(name)\(number)".utf8)).hex.prefix(26).uppercased()
                    text += "C:Q1\(digest)A=\nP:\(name)\(number)\nV:\(version)\nA:x86_64\nS:1\nI:1\n\(rest)\n"
                }
                package("x", pairs[number].0, "")
                for (name, sign) in [("lt", "<"), ("eq", "="), ("gt", ">")] {
                    package(name, "1", "i:x\(number)\(sign)\(pairs[number].1)\n")
                }
            }
            let world = (start..<min(start + 500, pairs.count)).map { "x\($0)" }
            questions.append((try solver.repositories([text], under: "v\(start)"), world))
        }
        var verdicts = [String](repeating: "?", count: pairs.count)
        for installed in try await solver.answers(questions) {
            for word in installed ?? [] where !word.hasPrefix("x") {
                guard let number = Int(word.dropFirst(2).prefix { $0 != "-" }) else { continue }
                verdicts[number] = word.hasPrefix("lt") ? "<" : word.hasPrefix("eq") ? "=" : ">"
            }
        }
        return verdicts
    }

    @Test func `random pairs of versions are ordered as Alpine's apk orders them`() async throws {
        var generator = SeededGenerator(seed: 5000)
        var pairs: [(String, String)] = []
        while pairs.count < 5000 {
            let pair = (Self.version(&generator), Self.version(&generator))
            if PackageVersion(pair.0) != nil, PackageVersion(pair.1) != nil { pairs.append(pair) }
        }
        let verdicts = try await Self.verdicts(on: pairs)
        try #require(verdicts.count == pairs.count)
        for ((left, right), verdict) in zip(pairs, verdicts) {
            let order = try #require(PackageVersion(left)).compared(to: #require(PackageVersion(right)))
            #expect((order < 0 ? "<" : order > 0 ? ">" : "=") == verdict, "\(left) \(right)")
        }
        #expect(try await Lab.verdicts(on: Array(pairs.prefix(200))) == Array(verdicts.prefix(200)))
        #expect(Set(verdicts) == ["<", "=", ">"])
    }

    @Test(arguments: [
        "", "a", ".1", "1.", "1..2", "1-r", "1-1", "1_", "1_foo", "1~", "1~xyz", "1 ", "1.0-r1x", "1ab", "v1",
    ])
    func `what apk calls no version is none`(_ text: String) async throws {
        #expect(PackageVersion(text) == nil)
        let result = try await Lab.apk(["version", "--check", text])
        #expect(!result.succeeded)
    }

    @Test(arguments: Self.samples) func `what apk calls a version is one`(_ text: String) async throws {
        #expect(PackageVersion(text)?.text == text)
        let result = try await Lab.apk(["version", "--check", text])
        #expect(result.succeeded, "\(result.output)")
    }

    @Test(arguments: [
        ("a", "a", true, false), ("!a", "a", true, true), ("a@edge", "a", true, false), ("a=1.0-r0", "a", true, false),
        ("a=1.0", "a", false, false), ("a~1", "a", true, false), ("a~1.0", "a", true, false),
        ("a~1.00", "a", false, false),
        ("a>1", "a", true, false), ("a>=1.0-r0", "a", true, false), ("a>1.0-r0", "a", false, false),
        ("a<1.0-r0", "a", false, false), ("a<=1.0-r0", "a", true, false), ("a<2", "a", true, false),
        ("a@tag=1.0-r0", "a", true, false), ("so:libc.musl-x86_64.so.1", "so:libc.musl-x86_64.so.1", true, false),
    ])
    func `a word of a world is met by version 1.0-r0 or not`(_ text: String, _ name: String, _ met: Bool, _ out: Bool)
        throws
    {
        let entry = try #require(WorldEntry(text))
        #expect(entry.name == name)
        #expect(entry.isExcluded == out)
        let index = try PackageIndex(text: Array("P:\(name)\nV:1.0-r0\n\n".utf8), named: "index")
        #expect(index.missing(world: [text]).isEmpty == (met || out))
    }

    @Test(arguments: ["", "!", "@tag", "=1", "a=", "a=x", "a=>1", "a==1", "a b", "ü"])
    func `what is no word of a world is always missing`(_ text: String) throws {
        #expect(WorldEntry(text) == nil)
        let index = try PackageIndex(text: Array("P:a\nV:1.0-r0\n\n".utf8), named: "index")
        #expect(index.missing(world: [text]) == [text])
    }
}
