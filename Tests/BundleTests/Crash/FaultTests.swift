import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Commands that are killed, or refused by the system, at each of their calls; real processes under strace.
struct FaultTests {
    /// A command, and what is live and there before and after it.
    struct Case: Sendable {
        let words: [String]
        let before: String
        let after: String
        let versions: Set<String>
    }

    /// The commands, each on a store with 1.0.0, 2.0.0 and 3.0.0 of which the first two are confirmed and 2.0.0 is live.
    static let cases = [
        Case(
            words: ["publish", "4.0.0"], before: "2.0.0", after: "2.0.0",
            versions: ["1.0.0", "2.0.0", "3.0.0", "4.0.0"]),
        Case(
            words: ["fleet", "4.0.0"], before: "2.0.0", after: "2.0.0",
            versions: ["1.0.0", "2.0.0", "3.0.0", "4.0.0"]),
        Case(words: ["activate", "3.0.0"], before: "2.0.0", after: "3.0.0", versions: ["1.0.0", "2.0.0", "3.0.0"]),
        Case(words: ["rollback"], before: "2.0.0", after: "1.0.0", versions: ["1.0.0", "2.0.0", "3.0.0"]),
        Case(words: ["confirm"], before: "3.0.0", after: "3.0.0", versions: ["1.0.0", "2.0.0", "3.0.0"]),
        Case(words: ["prune", "0"], before: "2.0.0", after: "2.0.0", versions: ["1.0.0", "2.0.0"]),
    ]

    /// What goes wrong at a call.
    enum Fault: Sendable, CaseIterable {
        case killed, noSpace, inputOutput, interrupted, readOnly, tooManyFiles

        /// How strace is told.
        var injection: String {
            switch self {
            case .killed: "signal=KILL"
            case .noSpace: "error=ENOSPC"
            case .inputOutput: "error=EIO"
            case .interrupted: "error=EINTR"
            case .readOnly: "error=EROFS"
            case .tooManyFiles: "error=EMFILE"
            }
        }

        private static let changing = [
            "openat", "mkdir", "link", "linkat", "symlink", "rename", "unlink", "rmdir", "write", "copy_file_range",
            "ftruncate", "fsync", "syncfs", "chmod", "fchmod", "close",
        ]
        private static let reading = ["read", "pread64", "newfstatat", "fstat", "statx", "getdents64", "readlink"]

        /// The calls that it happens to.
        var calls: [String] {
            switch self {
            case .tooManyFiles: ["openat"]
            case .interrupted: ["openat", "write", "copy_file_range", "fsync", "ftruncate", "flock"]
            case .inputOutput: Self.changing + Self.reading
            default: Self.changing
            }
        }
    }

    /// A store on a disk in memory, and copies of it.
    private struct Bench: ~Copyable {
        let workshop: Workshop
        let folder: Scratch
        var template: FilePath { folder.path.appending("template") }
        var out: FilePath { folder.path.appending("out") }

        init(_ command: Case) async throws {
            let workshop = try Workshop()
            let folder = try Scratch(inMemory: true)
            let store = BundleStore(folder.path.appending("template"))
            for version in ["1.0.0", "2.0.0", "3.0.0"] {
                _ = try store.publish(
                    try Samples.stage(version, overlay: "overlay of \(version)", iso: workshop.iso))
            }
            for version in ["1.0.0", "2.0.0"] {
                _ = try store.activate(Version(version), Samples.occasion)
                _ = try store.confirm(nil, Samples.occasion)
            }
            if command.words == ["confirm"] { _ = try store.activate(Version("3.0.0"), Samples.occasion) }
            self.workshop = workshop
            self.folder = folder
        }

        func renew() async throws {
            try HostFile.removeTree(out)
            let copying = try await run("cp", ["-a", template.string, out.string])
            try #require(copying.succeeded, "\(copying.errors)")
        }

        func exercise(_ words: [String], _ prefix: [String] = []) async throws -> ProgramResult {
            let words = prefix + [try CrashTests.exercise.string, out.string, workshop.iso.string] + words
            return try await run(words[0], Array(words.dropFirst()))
        }
    }

    @Test(arguments: cases)
    func `a command that is killed or refused at some of its calls`(command: Case) async throws {
        try await explore(command, every: 5)
    }

    @Test(arguments: cases)
    func `every call: a command that is killed or refused there`(command: Case) async throws {
        try await explore(command, every: 1)
    }

    private func explore(_ command: Case, every stride: Int) async throws {
        let bench = try await Bench(command)
        try await bench.renew()
        let counts = try await Self.counts(of: command.words, bench)
        var tried = 0
        var index = 0
        for fault in Fault.allCases {
            for name in fault.calls {
                guard let count = counts[name] else { continue }
                for number in count.first...count.last {
                    index += 1
                    guard index.isMultiple(of: stride) else { continue }
                    tried += 1
                    try await bench.renew()
                    let result = try await bench.exercise(
                        command.words,
                        [
                            "strace", "-qqq", "-o", "/dev/null", "-e", "trace=\(name)", "-e",
                            "inject=\(name):\(fault.injection):when=\(number)",
                        ])
                    try judge(bench.out, command, fault, result, "\(command.words) \(fault) at \(name) \(number)")
                    let again = try await bench.exercise(
                        command.words[0] == "rollback"
                            && (try BundleStore(bench.out).current()) == Version(command.after)
                            ? ["activate", command.after] : command.words)
                    try judgeMended(bench.out, command, again, "\(command.words) \(fault) at \(name) \(number)")
                }
            }
        }
        print("faults: \(command.words.joined(separator: " ")): \(tried) tried")
        #expect(tried > 10)
    }

    /// Which calls of each name a command makes after its own start, which belongs to the loader.
    private static func counts(
        of words: [String], _ bench: borrowing Bench
    ) async throws -> [String: (first: Int, last: Int)] {
        let log = bench.folder.path.appending("calls")
        let result = try await bench.exercise(words, ["strace", "-qq", "-o", log.string])
        try #require(result.succeeded, "\(result.errors)")
        let text = String(decoding: try HostFile.read(log, limit: 64 << 20), as: UTF8.self)
        var counts: [String: (first: Int, last: Int)] = [:]
        var totals: [String: Int] = [:]
        var isRunning = false
        for line in text.split(separator: "\n") {
            guard let open = line.firstIndex(of: "(") else { continue }
            let name = String(line[..<open])
            totals[name, default: 0] += 1
            if line.contains(bench.out.string) && name != "execve" { isRunning = true }
            guard isRunning, let total = totals[name] else { continue }
            counts[name] = (counts[name]?.first ?? total, total)
        }
        return counts
    }

    private func judge(
        _ out: FilePath, _ command: Case, _ fault: Fault, _ result: ProgramResult, _ comment: String
    ) throws {
        let store = BundleStore(out)
        let live = try store.current()?.description
        #expect(live == command.before || live == command.after, "\(comment): \(live ?? "none")")
        if result.exitCode == 0 { #expect(live == command.after, "\(comment)") }
        if fault != .killed {
            #expect(
                result.exitCode == 0 || (result.exitCode == 1 && result.errors.split(separator: "\n").count == 1),
                "\(comment): exit \(result.exitCode): \(result.errors)")
        }
        let versions = try store.versions()
        for version in versions { #expect(try store.verify(version).findings == [], "\(comment)") }
        for version in ["1.0.0", "2.0.0"] { #expect(try versions.contains(Version(version)), "\(comment)") }
        let standing = try store.standing()
        #expect(Set(standing.confirmed.map(\.version.description)).isSuperset(of: ["1.0.0", "2.0.0"]), "\(comment)")
    }

    private func judgeMended(_ out: FilePath, _ command: Case, _ result: ProgramResult, _ comment: String) throws {
        let store = BundleStore(out)
        #expect(result.succeeded, "\(comment): \(result.errors)")
        #expect(try store.current()?.description == command.after, "\(comment)")
        #expect(Set(try store.versions().map(\.description)) == command.versions, "\(comment)")
        for version in try store.versions() { #expect(try store.verify(version).findings == [], "\(comment)") }
        #expect(try hasNoLeftovers(out), "\(comment)")
    }

    @Test func `a disk that fills up in the middle of any file takes nothing away`() async throws {
        let command = Self.cases[0]
        let bench = try await Bench(command)
        // The system writes as much as fits below the limit and refuses the rest, as a full disk does.
        for limit in [0, 1, 7, 100, 400, 500, 900, 1_400] {
            try await bench.renew()
            let result = try await bench.exercise(
                command.words, ["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=\(limit)"])
            #expect(result.exitCode == 1, "\(limit)")
            try judge(bench.out, command, .noSpace, result, "limit \(limit)")
            try judgeMended(bench.out, command, try await bench.exercise(command.words), "limit \(limit)")
        }
    }

    @Test func `a history that cannot grow leaves the pointer where it was`() async throws {
        let command = Self.cases[1]
        let bench = try await Bench(command)
        for limit in 1...400 where limit.isMultiple(of: 37) {
            try await bench.renew()
            let size = Int(try HostFile.status(of: bench.out.appending("history.jsonl")).size)
            let result = try await bench.exercise(
                command.words, ["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=\(size + limit)"])
            try judge(bench.out, command, .noSpace, result, "limit \(limit)")
            #expect(try HostFile.status(of: bench.out.appending("history.jsonl")).size >= UInt64(size))
            #expect(try BundleStore(bench.out).history().damagedLines == [])
            try judgeMended(bench.out, command, try await bench.exercise(command.words), "limit \(limit)")
        }
    }
}
