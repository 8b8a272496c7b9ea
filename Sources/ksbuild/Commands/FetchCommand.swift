import ArgumentParser
import Artefact
import Fetch
import Recipe
import SystemPackage
import Upstream

struct FetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch", abstract: "Bring what the lock names into the cache, verified; or write the lock.",
        discussion: """
            Without --update-lock nothing is chosen: every input is fetched as ksbuild.lock has it. Inputs that are in \
            the cache cost nothing, and a transfer that was interrupted goes on where it stopped.
            """)

    /// What a list is for.
    enum ListFormat: String, ExpressibleByArgument, CaseIterable {
        case text, json, curl, wget
    }

    @Flag(help: "Look up what the recipe needs, show what changes about ksbuild.lock, and write it.")
    var updateLock = false

    @Flag(help: "With --update-lock: show what changes and write nothing.")
    var dryRun = false

    @Flag(help: "Print what the lock names, and fetch nothing.")
    var list = false

    @Option(help: "The form of the list: text, json, or the input of curl --config or wget --input-file.")
    var format: ListFormat = .text

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Fetch from here instead of upstream's servers: an address or a directory; more than one are asked in turn.",
            valueName: "url"))
    var mirror: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("The same as --mirror, for a directory of 'ksbuild mirror'.", valueName: "dir"),
        completion: .directory)
    var from: String?

    @Option(
        help: ArgumentHelp(
            "The public key that must have signed Alpine's image, as Alpine's web site gives it.", valueName: "file"),
        completion: .file())
    var alpineKey: String?

    @Option(
        help: ArgumentHelp("The fingerprint of that key, where it is not Alpine's own.", valueName: "fingerprint"))
    var alpineKeyFingerprint: String?

    @Argument(
        help: ArgumentHelp("With --update-lock: inputs to look up anew although they are locked.", valueName: "name"))
    var names: [String] = []

    @OptionGroup var recipe: RecipeOption
    @OptionGroup var cache: CacheOption
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if !updateLock, !names.isEmpty || dryRun || alpineKey != nil {
            throw ValidationError("names, --dry-run and --alpine-key go with --update-lock")
        }
        if list && updateLock { throw ValidationError("--list and --update-lock exclude each other") }
        if from != nil && !mirror.isEmpty { throw ValidationError("--from and --mirror exclude each other") }
        if alpineKey == nil && alpineKeyFingerprint != nil {
            throw ValidationError("--alpine-key-fingerprint goes with --alpine-key")
        }
    }

    private var mirrors: MirrorList {
        MirrorList(from.map { [$0] } ?? mirror, relativeTo: Host.workingDirectory.string)
    }

    func run() async throws {
        let file = try LockFile(recipe, isReplaced: updateLock)
        if list { return Console.print(try InputList.text(of: file.required(), format)) }
        let fetcher = try InputFetcher(cache.open(), mirrors, transfer, report)
        guard updateLock else {
            try requireLocked(try file.required())
            let inputs = try await fetcher.fetch(try file.required().entries)
            if !report.quiet { Console.print("\(inputs.count) inputs are in the cache") }
            return
        }
        let decoded = try recipe.decode()
        let work = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-")
        let reporter = Reporter(report)
        if let fault = file.fault {
            reporter.show(.warning("\(fault); it is written anew, and what it named is not held against what comes"))
        }
        guard let date = LockDate(seconds: Host.now) else {
            throw ValidationError("the clock of this host shows a time that no lock can hold; set it")
        }
        let old = try file.lock ?? InputLock()
        let update = LockUpdate(
            fetcher: fetcher, signer: try signer(work.path), replacing: old, names: names, date: date,
            scratch: work.path, report: reporter.show)
        let new: InputLock
        do {
            new = try await update.run(decoded)
        } catch {
            // A program that was asked may have got the signal, too.
            try fetcher.requireGoingOn()
            throw error
        }
        try fetcher.requireGoingOn()
        let changes = InputLock.changes(from: old, to: new)
        for change in changes { Console.print(change.description) }
        for entry in new.entries where entry.trust == .firstUse {
            reporter.show(
                .warning("\(entry.name): nothing says what its digest should be; from now on it stays the same"))
        }
        guard !changes.isEmpty || file.lock == nil else { return Console.print("\(file.path): nothing changed") }
        if dryRun { return Console.print("\(file.path): would be written") }
        try StagedFile.write(try new.encoded(), to: file.path)
        Console.print("\(file.path): written, \(new.entries.count) inputs")
    }

    /// The release of `--alpine` must be the one that the lock names.
    private func requireLocked(_ lock: InputLock) throws {
        guard recipe.alpine != nil else { return }
        let decoded = try recipe.decode().locked(by: lock, named: "the lock")
        guard !decoded.hasImage(in: lock) else { return }
        throw FetchError(
            .noLock, subject: recipe.lock ?? InputLock.fileName,
            detail: "names no image of the release that --alpine asks for; --update-lock looks it up")
    }

    private func signer(_ scratch: FilePath) throws -> LockUpdate.AlpineSigner? {
        guard let alpineKey else { return nil }
        var fingerprint = OpenPGPFingerprint.alpineReleases
        if let text = alpineKeyFingerprint {
            guard let given = OpenPGPFingerprint(text) else {
                throw ValidationError("--alpine-key-fingerprint: '\(text)' is no fingerprint of 40 hexadecimal digits")
            }
            fingerprint = given
        }
        return LockUpdate.AlpineSigner(
            key: FilePath(alpineKey), fingerprint: fingerprint,
            check: OpenPGPCheck(
                searchPath: Host.variable("PATH") ?? "/usr/bin:/bin", scratch: scratch, now: Host.now))
    }
}
