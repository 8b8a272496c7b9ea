import ArgumentParser
import Artefact
import Bundle
import Recipe
import SystemPackage
import Upstream

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every byte of a bundle or file again and say what is not as it should be.")

    @Argument(
        help: ArgumentHelp("A bundle's directory, its version, or a file.", valueName: "bundle|file"),
        completion: .file())
    var subject: String

    @Option(help: ArgumentHelp("The digest that a file must have.", valueName: "digest"))
    var sha256: String?

    @Flag(help: "Build a bundle again from its recipe and lock, and compare every file.")
    var rebuild = false

    @Option(
        help: ArgumentHelp(
            "With --rebuild, the lock of the inputs; by default ksbuild.lock beside the recipe.", valueName: "file"))
    var lock: String?

    @OptionGroup var format: FindingOptions

    @OptionGroup var inputs: InputOptions
    @OptionGroup var trust: TrustOptions
    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    func validate() throws {
        _ = try pin()
        let isAnyNamed = [lock, inputs.iso, inputs.kubesolo, inputs.mirror, inputs.cache.cache].contains { $0 != nil }
        if !rebuild, isAnyNamed {
            throw ValidationError("--lock, --iso, --kubesolo, --mirror and --cache go with --rebuild")
        }
    }

    /// The digest that was given.
    private func pin() throws -> Digest? {
        do throws(UpstreamError) {
            guard let sha256 else { return nil }
            return try Pin.digest(sha256, named: "--sha256")
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() throws {
        let path = FilePath(subject)
        if let status = try? HostFile.status(of: path), status.kind == .file {
            guard trust.trust.isEmpty, trust.recipe == nil else {
                throw ValidationError("--trust and --recipe go with a bundle; a file has no signature of ksbuild's")
            }
            if rebuild { throw ValidationError("--rebuild goes with a bundle; nothing says what a file was made from") }
            return try verifyFile(path)
        }
        let version = HostFile.exists(path) ? nil : try? Version(subject)
        if version == nil { _ = try HostFile.status(of: path) }
        guard sha256 == nil else {
            throw ValidationError("--sha256 goes with a file; what a bundle's files must be is in its manifest")
        }
        let keys = try trust.keys()
        guard let version else { return try conclude(path, BundleVerification.read(path, trusting: keys)) }
        let store = BundleStore(folder.path)
        try conclude(store.path(of: version), store.verify(version, trusting: keys))
    }

    /// What is wrong with the media that a good bundle's artefacts compose to; they are dropped again.
    private func mediaFindings(_ path: FilePath, _ verification: BundleVerification) throws -> [Finding] {
        guard verification.isGood, let manifest = verification.manifest else { return [] }
        return try manifest.media.compactMap { recipe in
            guard recipe.result != nil else { return nil }
            let scratch = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-verify-")
            do {
                _ = try BundledMedium(path, manifest).compose(
                    recipe, for: scratch.path.appending(recipe.file), scratch: scratch.path)
                return nil
            } catch let error as BuildError {
                return Finding(file: recipe.file, problem: "medium", detail: error.detail)
            }
        }
    }

    private func conclude(_ path: FilePath, _ verification: BundleVerification) throws {
        let media = try mediaFindings(path, verification)
        let outcome = try media.isEmpty ? rebuilt(path, verification) : nil
        let departures = (outcome?.departures ?? []).map {
            Finding(file: $0.file, problem: "rebuilt-otherwise", detail: $0.detail)
        }
        let findings =
            verification.findings.map {
                Finding(file: $0.file, problem: $0.problem.rawValue, detail: $0.detail)
            } + media + departures
        if format.sarif {
            try printLog(findings.map { ($0, PlacedFinding.file($0.file, in: path)) })
        } else if format.json {
            try Console.print(
                JSONText.of(
                    Report(
                        path: path.string, kind: "bundle", bytes: verification.bytesRead, sha256: nil, against: nil,
                        signature: verification.signature.word, signer: verification.signature.signer,
                        good: findings.isEmpty, findings: findings, rebuilt: outcome?.departures.isEmpty,
                        unverifiedInputs: outcome?.unverified)))
        } else if !report.quiet {
            if findings.isEmpty {
                Console.print(
                    "\(path): good, \(verification.bytesRead) bytes read, \(verification.signature.sentence)")
            }
            if let outcome { say(outcome, of: path) }
        }
        let texts =
            verification.findings.map(\.description) + (media + departures).map { "\($0.file): \($0.detail)" }
        try conclude(path, texts, verification.failureClass ?? .findings)
    }

    /// What came of building it again, where that is asked for and the bundle is good.
    private func rebuilt(_ path: FilePath, _ verification: BundleVerification) throws -> Rebuild.Outcome? {
        guard rebuild, verification.isGood, let manifest = verification.manifest else { return nil }
        return try Rebuild(
            bundle: verification.path, manifest: manifest,
            recipe: RecipeOption.again(trust.recipe, lock: lock, alpine: manifest.description.alpine.release),
            inputs: inputs, report: report
        ).run()
    }

    private func say(_ outcome: Rebuild.Outcome, of path: FilePath) {
        for line in outcome.explanation { Console.print(printable(line)) }
        guard outcome.departures.isEmpty else { return }
        let note =
            outcome.isVouchedForOtherwise
            ? "; manifest.json says that the inputs were verified in another way, which is in no other file" : ""
        Console.print("\(path): built again, and every file came out the same bit for bit\(note)")
        guard !outcome.unverified.isEmpty else { return }
        Console.print(
            "  nothing vouches for \(outcome.unverified.joined(separator: ", ")): pin or lock what is built from")
    }

    private func verifyFile(_ path: FilePath) throws {
        let reporter = Reporter(report)
        let verification = try FileVerification.read(path, expecting: pin(), report: reporter.show)
        let name = path.lastComponent?.string ?? path.string
        let findings = verification.findings.map { Finding(file: name, problem: nil, detail: $0) }
        if format.sarif {
            try printLog(findings.map { ($0, path) })
        } else if format.json {
            try Console.print(
                JSONText.of(
                    Report(
                        path: path.string, kind: verification.kind.rawValue, bytes: verification.size,
                        sha256: verification.digest.hex, against: verification.reference, signature: nil, signer: nil,
                        good: findings.isEmpty, findings: findings, rebuilt: nil, unverifiedInputs: nil)))
        } else if verification.findings.isEmpty, !report.quiet {
            let against = verification.reference.map { "as \($0) says" } ?? "and nothing says what that should be"
            Console.print(
                "\(path): \(verification.kind.rawValue), \(verification.size) bytes, sha256 \(verification.digest), \(against)"
            )
        }
        try conclude(path, verification.findings, .findings)
    }

    private func conclude(_ path: FilePath, _ findings: [String], _ failureClass: FailureClass) throws {
        guard !findings.isEmpty else { return }
        for finding in findings { Console.error("ksbuild: \(path): \(finding)") }
        throw Outcome(failureClass: failureClass)
    }

    /// Prints what `--sarif` says; what has no word of `docs/bundle.md` is of the rule `file`.
    private func printLog(_ findings: [(Finding, FilePath)]) throws {
        let placed = findings.map { finding, file in
            PlacedFinding(rule: finding.problem ?? "file", level: .error, message: finding.detail, file: file)
        }
        Console.print(try JSONText.of(SARIF(placed)))
    }

    /// What `--json` says.
    private struct Report: Encodable {
        let path: String
        let kind: String
        let bytes: UInt64
        let sha256: String?
        let against: String?
        let signature: String?
        let signer: String?
        let good: Bool
        let findings: [Finding]
        let rebuilt: Bool?
        let unverifiedInputs: [String]?
    }

    /// One finding; the problem is one of the words of `docs/bundle.md`, and only a bundle's findings have one.
    private struct Finding: Encodable {
        let file: String
        let problem: String?
        let detail: String
    }
}
