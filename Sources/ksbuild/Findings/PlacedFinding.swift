import APKOVL
import Artefact
import Recipe
import SystemPackage

/// One thing that is wrong, with the file it is in and the place there.
struct PlacedFinding {
    /// How bad it is, in the words of SARIF (§3.27.10).
    enum Level: String {
        case error, warning, note
    }

    /// What is to blame within a file that has no lines.
    struct Member {
        let name: String
        /// `member` of an archive or image, or `key` of a recipe.
        let kind: String
    }

    /// The stable name of the rule, such as `member-dot-slash`.
    let rule: String
    let level: Level
    let message: String
    let file: FilePath
    /// From 1; 0 where no line is to blame.
    var line = 0
    /// From 1, counted in Unicode scalars; 0 where no column is to blame.
    var column = 0
    var member: Member?

    init(rule: String, level: Level, message: String, file: FilePath, member: String? = nil) {
        self.rule = rule
        self.level = level
        self.message = message
        self.file = file
        self.member = member.map { Member(name: $0, kind: "member") }
    }

    /// A fault of a recipe: `recipe-form` where the schema of recipes finds it too, else `recipe-value`; or `recipe-doubt`.
    init(_ fault: ConfigurationFault, level: Level) {
        let hint = fault.hint.isEmpty ? "" : "; \(fault.hint)"
        let key = fault.keyPath.isEmpty ? "" : "\(fault.keyPath): "
        rule = level == .error ? fault.isStructural ? "recipe-form" : "recipe-value" : "recipe-doubt"
        self.level = level
        message = "\(key)\(fault.problem)\(hint)"
        file = FilePath(fault.file)
        line = fault.line
        column = fault.column
        member = fault.keyPath.isEmpty ? nil : Member(name: fault.keyPath, kind: "key")
    }

    /// The file of a bundle that a finding names; one that the manifest does not list is named in quotes.
    static func file(_ name: String, in bundle: FilePath) -> FilePath {
        let isQuoted = name.count > 1 && name.hasPrefix("\"") && name.hasSuffix("\"")
        return bundle.pushing(FilePath(isQuoted ? String(name.dropFirst().dropLast()) : name))
    }

    /// A finding of `inspect` in a file; where the file is to blame as a whole, nothing in it is named.
    init(_ finding: Finding, in file: FilePath, isWhole: Bool = false) {
        self.init(
            rule: finding.rule, level: finding.severity == LintFinding.Severity.error.rawValue ? .error : .warning,
            message: isWhole ? finding.message : "\(finding.path): \(finding.message)", file: file,
            member: isWhole ? nil : finding.path)
    }
}
