import ArgumentParser
import Artefact
import Bundle
import SystemPackage

/// What a shell offers for the values of options and arguments.
enum Completion {
    /// A recipe.
    static let recipe = CompletionKind.file(extensions: ["yaml", "yml"])
    /// An ISO image.
    static let image = CompletionKind.file(extensions: ["iso"])

    /// A published version, newest first: those in the folder that `--out` names, else in `out`.
    static let version = CompletionKind.custom { words, _, _ in versions(in: folder(of: words)) }

    /// The folder that the words of a command line name, as ``OutputFolder`` would take it.
    static func folder(of words: [String]) -> FilePath {
        for (index, word) in words.enumerated() {
            if word == "--out", index + 1 < words.count { return FilePath(words[index + 1]) }
            if word.hasPrefix("--out=") { return FilePath(String(word.dropFirst("--out=".count))) }
        }
        return FilePath(OutputFolder.defaultName)
    }

    /// The versions in a folder by their names alone: no manifest is read while someone types; a folder that cannot be
    /// read has none.
    static func versions(in folder: FilePath) -> [String] {
        let names = (try? HostFile.names(in: folder.appending("bundles"))) ?? []
        return names.compactMap { try? Version($0) }.sorted(by: >).map(\.description)
    }
}
