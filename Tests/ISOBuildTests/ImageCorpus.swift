import Artefact
import SystemPackage

@testable import ISOBuild

/// What a tree must look like to whoever reads its image.
enum ImageListing {
    /// One line per entry, as `Tests/Peers/iso.py` describes them.
    static func lines(of tree: FileTree, epoch: Int64) -> String {
        let joliet = jolietPaths(of: tree)
        var text = ""
        for entry in tree.entries {
            var fields = [String(entry.mode.bits, radix: 8), "\(entry.owner)", "\(entry.group)", "\(entry.size)"]
            fields.append("\(entry.modified ?? epoch)")
            var digest = ""
            var target = ""
            switch entry.kind {
            case .directory: fields.insert("d", at: 0)
            case .file(let content):
                fields.insert("f", at: 0)
                if case .bytes(let bytes) = content { digest = Digest(of: bytes).hex }
            case .symlink(let text):
                fields.insert("l", at: 0)
                target = text
            }
            let paths = [entry.path.string, target, joliet[entry.path] ?? ""].map(hexadecimal)
            text += (fields + [digest] + paths).joined(separator: "\t") + "\n"
        }
        return text
    }

    /// The path of every entry in the Joliet tree, `/` between the components.
    static func jolietPaths(of tree: FileTree) -> [EntryPath: String] {
        var children: [EntryPath?: [TreeEntry]] = [:]
        for entry in tree.entries { children[entry.path.parent, default: []].append(entry) }
        var paths: [EntryPath: String] = [:]
        for entry in tree.entries where paths[entry.path] == nil {
            let siblings = children[entry.path.parent, default: []]
            let names = ISOIdentifiers.joliet(siblings.map { (name: $0.path.name, isDirectory: $0.isDirectory) })
            let parent = entry.path.parent.flatMap { paths[$0] }.map { $0 + "/" } ?? ""
            for (sibling, name) in zip(siblings, names) {
                var text = Fields(bytes: name).wideText
                if !sibling.isDirectory { text.removeLast(2) }
                paths[sibling.path] = parent + text
            }
        }
        return paths
    }

    private static func hexadecimal(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
