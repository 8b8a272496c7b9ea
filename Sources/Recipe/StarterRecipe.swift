internal import Artefact
public import SystemPackage

extension Recipe {
    /// The line of the template that the keys take the place of.
    private static let keysLine = "      authorizedKeys: []"

    /// The text of a first recipe: the template with the keys given as those that may log in.
    ///
    /// The template is a recipe itself, and says what the defaults say.
    ///
    /// - Parameters:
    ///   - templates: The directory that holds `ksbuild.yaml`.
    ///   - keys: Values of `authorizedKeys`: public keys, or references such as `file:~/.ssh/id_ed25519.pub`.
    /// - Returns: YAML, without a fault where the keys are keys.
    /// - Throws: ``ArtefactError`` where the template cannot be read or has lost its place for keys.
    public static func starter(templates: FilePath, keys: [String]) throws -> String {
        let path = templates.appending(RecipeFile.defaultName)
        let bytes = try HostFile.read(path, limit: SourceText.maximumBytes)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count(where: { $0 == keysLine }) == 1 else {
            throw ArtefactError(
                .unsupportedKind, subject: path.string,
                detail: "must hold the line '\(keysLine)' exactly once; install ksbuild again")
        }
        guard !keys.isEmpty else { return lines.joined(separator: "\n") }
        let list = ["      authorizedKeys:"] + keys.map { "        - \(quoted($0))" }
        return lines.flatMap { $0 == keysLine ? list : [String($0)] }.joined(separator: "\n")
    }

    /// The text of a `.gitignore` that goes beside a first recipe.
    ///
    /// - Parameter templates: The directory that holds `gitignore`.
    /// - Returns: The lines for git.
    /// - Throws: ``ArtefactError`` where it cannot be read.
    public static func starterIgnoreList(templates: FilePath) throws -> String {
        String(decoding: try HostFile.read(templates.appending("gitignore"), limit: 65536), as: UTF8.self)
    }

    /// A text in single quotes, YAML 1.2.2 §7.3.2.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
