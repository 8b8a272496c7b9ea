import APKOVL

/// What `inspect` says of a file or a bundle: the same facts as lines of text and as JSON.
protocol Inspection: Encodable {
    /// What a person reads, one line each; what others wrote may be in it as it is.
    var lines: [String] { get }
    /// What is wrong, errors first.
    var findings: [Finding] { get }
    /// The findings with the file that each is in.
    var placedFindings: [PlacedFinding] { get }
}

/// One thing that is wrong with what was inspected.
struct Finding: Encodable {
    let severity: String
    let rule: String
    let path: String
    let message: String

    var line: String { "\(severity): \(path): \(message) [\(rule)]" }

    init(severity: LintFinding.Severity, rule: String, path: String, message: String) {
        self.severity = severity.rawValue
        self.rule = rule
        self.path = path
        self.message = message
    }

    init(_ finding: LintFinding, in overlay: String? = nil) {
        self.init(
            severity: finding.severity, rule: finding.rule, path: (overlay.map { $0 + ": " } ?? "") + finding.path,
            message: "\(finding.message); \(finding.remedy)")
    }
}
