import ArgumentParser
import Artefact
import SystemPackage
import Upstream

struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Look after the cache of inputs, which all projects of a user share.",
        subcommands: [List.self, Prune.self, Verify.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what the cache holds.")

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var cache: CacheOption

        func run() throws {
            let listed = try cache.open().list()
            if json { return Console.print(try JSONText.of(listed.map(Row.init))) }
            for input in listed { Console.print("\(input.digest)  \(input.size)") }
            let bytes = listed.reduce(0) { $0 + $1.size }
            Console.error("\(cache.open().root): \(listed.count) inputs, \(bytes >> 20) MiB")
        }

        private struct Row: Encodable {
            let sha256: String
            let size: UInt64
            /// Seconds since 1970-01-01.
            let lastUsed: Int64

            init(_ input: InputCache.Listed) {
                sha256 = input.digest.hex
                size = input.size
                lastUsed = input.lastUsed.seconds
            }
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove what was not used for a while; what the lock of this directory names stays.")

        @Option(help: ArgumentHelp("How many days ago the last use must be.", valueName: "days"))
        var olderThan: Int = 30

        @OptionGroup var recipe: RecipeOption
        @OptionGroup var cache: CacheOption

        func validate() throws {
            guard (0...36_500).contains(olderThan) else { throw ValidationError("--older-than takes 0 to 36500 days") }
        }

        func run() throws {
            let kept = Set(try LockFile(recipe).lock?.entries.map(\.sha256) ?? [])
            // With 0 days everything goes that is not named, also what was used in this second.
            let time = FileTime(
                seconds: Host.now - Int64(olderThan) * 86_400 + (olderThan == 0 ? 1 : 0), nanoseconds: 0)
            let pruned = try cache.open().prune(notUsedSince: time, keeping: kept)
            Console.print(
                "removed \(pruned.digests.count) inputs and \(pruned.partials) partial files, \(pruned.bytes >> 20) MiB"
            )
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read every input again; what is not what its name says is removed, and the command ends with 1.")

        @OptionGroup var cache: CacheOption

        func run() throws {
            let bad = try cache.open().verify()
            for digest in bad { Console.print("\(digest): was something else; removed") }
            if !bad.isEmpty { throw Outcome(failureClass: .findings) }
            Console.print("every input is what its name says")
        }
    }
}
