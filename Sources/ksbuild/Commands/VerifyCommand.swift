import ArgumentParser
import Artefact
import Bundle
import Recipe
import SystemPackage

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every byte of a bundle or file again and say what is not as it should be.")

    @Argument(help: ArgumentHelp("A bundle's directory, its version, or a file.", valueName: "bundle|file"))
    var subject: String

    @Option(help: ArgumentHelp("The digest that a file must have.", valueName: "digest"))
    var sha256: String?

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    func run() throws {
        let path = FilePath(subject)
        let status = try? HostFile.status(of: path)
        if let status, status.kind == .file { return try verifyFile(path) }
        let isVersion = status == nil && (try? Version(subject)) != nil
        if status == nil && !isVersion { _ = try HostFile.status(of: path) }
        try verifyBundle(isVersion ? BundleStore(folder.path).path(of: Version(subject)) : path)
    }

    private func verifyBundle(_ path: FilePath) throws {
        let verification = try BundleVerification.read(path)
        let findings = verification.findings.map(\.description)
        if json {
            try Console.print(
                JSONText.of(
                    Report(
                        path: path.string, kind: "bundle", bytes: verification.bytesRead, sha256: nil, against: nil,
                        good: verification.isGood, findings: findings)))
        } else if verification.isGood, !report.quiet {
            Console.print("\(path): good, \(verification.bytesRead) bytes read")
        }
        try conclude(path, findings)
    }

    private func verifyFile(_ path: FilePath) throws {
        let reporter = Reporter(report)
        let expected = try sha256.map { try Digest(hex: $0) }
        let verification = try FileVerification.read(path, expecting: expected, report: reporter.show)
        if json {
            try Console.print(
                JSONText.of(
                    Report(
                        path: path.string, kind: verification.kind.rawValue, bytes: verification.size,
                        sha256: verification.digest.hex, against: verification.reference,
                        good: verification.findings.isEmpty, findings: verification.findings)))
        } else if verification.findings.isEmpty, !report.quiet {
            let against = verification.reference.map { "as \($0) says" } ?? "and nothing says what that should be"
            Console.print(
                "\(path): \(verification.kind.rawValue), \(verification.size) bytes, sha256 \(verification.digest), \(against)"
            )
        }
        try conclude(path, verification.findings)
    }

    private func conclude(_ path: FilePath, _ findings: [String]) throws {
        guard !findings.isEmpty else { return }
        for finding in findings { Console.error("ksbuild: \(path): \(finding)") }
        throw Outcome(failureClass: .findings)
    }

    /// What `--json` says.
    private struct Report: Encodable {
        let path: String
        let kind: String
        let bytes: UInt64
        let sha256: String?
        let against: String?
        let good: Bool
        let findings: [String]
    }
}
