import Artefact
import Glibc
import Synchronization
import SystemPackage
import Transfer
import Upstream

/// Set by SIGINT.
private let isInterrupted = Atomic(false)

/// Fetches one file into a cache in a process of its own, to be killed, stopped and measured from outside.
///
/// `fetch-exercise ADDRESS CACHE SHA256|- [KEY=VALUE…]`, where the keys are `kill=BYTES` (dies when so much came),
/// `retries=N`, `backoff=MILLISECONDS`, `sha512=yes`, `rss=yes` (the peak of memory in KiB on standard error). Prints
/// digest, size and path. The exit codes are those of ksbuild.
@main
enum FetchExercise {
    static func main() {
        let words = CommandLine.arguments
        guard words.count >= 4 else { exit(64) }
        var options: [Substring: String] = [:]
        for word in words.dropFirst(4) {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { options[parts[0]] = String(parts[1]) }
        }
        _ = signal(SIGINT) { _ in isInterrupted.store(true, ordering: .relaxed) }
        var settings = TransferSettings()
        settings.retries = options["retries"].flatMap { Int($0) } ?? settings.retries
        settings.backOff = options["backoff"].flatMap { Int($0) }.map { .milliseconds($0) } ?? settings.backOff
        let deadline = options["kill"].flatMap { UInt64($0) }
        do {
            let digest = words[3] == "-" ? nil : try Digest(hex: words[3])
            let request = CacheRequest(
                [words[1]], expecting: TransferExpectation(sha256: digest, wantsSHA512: options["sha512"] != nil),
                limit: 8 << 30)
            let entry = try InputCache(FilePath(words[2])).fetch(
                request, settings,
                report: { event in
                    if let deadline, case .received(let bytes, of: _) = event, bytes >= deadline {
                        kill(getpid(), SIGKILL)
                    }
                }, isCancelled: { isInterrupted.load(ordering: .relaxed) })
            print(entry.sha256, entry.size, entry.path)
            if options["rss"] != nil {
                var usage = rusage()
                unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
                say("peak \(usage.ru_maxrss) KiB")
            }
        } catch {
            say("\(error)")
            exit(code(of: error))
        }
    }

    private static func say(_ text: String) { _ = try? FileDescriptor.standardError.writeAll("\(text)\n".utf8) }

    private static func code(of error: any Error) -> Int32 {
        switch (error as? any Failure)?.failureClass {
        case .usage: 64
        case .data: 65
        case .noInput: 66
        case .unavailable: 69
        case .cannotCreate: 73
        case .io: 74
        case .permission: 77
        case .interrupted: 130
        default: 70
        }
    }
}
