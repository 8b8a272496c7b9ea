import Artefact
import SystemPackage
import TestSupport

@testable import ISOBuild

/// A random edit of an image: what it adds, replaces and removes, and what a reader must find afterwards.
struct RandomGraft {
    /// What a reader finds at a path.
    struct Row: Hashable {
        var kind: String
        var mode: UInt16
        var owner: UInt32
        var group: UInt32
        var size: UInt64
        var modified: Int64?
        var digest: String
        var target: String
    }

    private(set) var tree = FileTree()
    private(set) var removed: [EntryPath] = []
    /// The entries that are gone or no longer what they were, and those that are new, by their paths.
    private(set) var minus: [String: Row] = [:]
    private(set) var plus: [String: Row] = [:]

    /// What firmware boots, and where directories that lie too deep are moved.
    private static let untouched = ["boot.bin", "boot.cat", "rr_moved", ".rr_moved"]

    /// Makes an edit of the image that holds `present`.
    init(
        _ number: Int, seed: UInt64, present: [String: Row], nameSpace: ISONameSpace, epoch: Int64
    ) throws {
        var random = SeededGenerator(seed: seed &+ UInt64(number))
        var left = present
        let paths = present.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.filter { path in
            !Self.untouched.contains { path == $0 || path.hasPrefix($0 + "/") }
        }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            guard let path = paths.randomElement(using: &random), left[path] != nil else { continue }
            guard let place = try? EntryPath(path) else { continue }
            removed.append(place)
            for (below, row) in left where below == path || below.hasPrefix(path + "/") {
                minus[below] = row
                left[below] = nil
            }
        }
        let files = paths.filter { left[$0].map { $0.kind != "d" } ?? false }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            guard let path = files.randomElement(using: &random), let place = try? EntryPath(path) else { continue }
            let isLink = nameSpace == .rockRidge && Int.random(in: 0..<4, using: &random) == 0
            let bytes = [UInt8](repeating: 0x52, count: [0, 5, 2048, 5000].randomElement(using: &random) ?? 0)
            _ = try tree.overlay(
                TreeEntry(
                    path: place, kind: isLink ? .symlink(target: "new/target") : .file(.bytes(bytes)),
                    mode: isLink ? .symlink : .file, origin: "replaced"))
        }
        let folders = [""] + paths.filter { left[$0]?.kind == "d" && $0.utf8.count < 1000 }
        let base = number % 50 == 1 ? "" : folders.randomElement(using: &random) ?? ""
        try add(
            TreeGenerator.tree(number, seed: seed), below: base.isEmpty ? "" : base + "/", beside: left, nameSpace)
        for entry in tree.entries {
            let path = entry.path.string
            if let row = left[path] {
                if entry.isDirectory { continue }
                minus[path] = row
            }
            plus[path] = Self.row(of: entry, epoch: epoch)
        }
    }

    /// An edit that only adds what is not there.
    init(adding tree: FileTree, epoch: Int64) throws {
        self.tree = tree
        for entry in tree.entries { plus[entry.path.string] = Self.row(of: entry, epoch: epoch) }
    }

    /// Adds generated entries but for those that the image cannot take beside what it holds.
    private mutating func add(
        _ generated: FileTree, below base: String, beside left: [String: Row], _ nameSpace: ISONameSpace
    ) throws {
        var blocked: Set<String> = []
        var taken: Set<[UInt8]> = []
        for path in left.keys { taken.insert(Self.short(path, left[path]?.kind == "d", nameSpace)) }
        for var entry in generated.entries {
            guard let path = try? EntryPath(base + entry.path.string) else {
                blocked.insert(entry.path.string)
                continue
            }
            let parent = entry.path.parent?.string
            var isBlocked = parent.map(blocked.contains) ?? false
            if let row = left[path.string] {
                isBlocked = isBlocked || (row.kind == "d") != entry.isDirectory
            } else if nameSpace != .rockRidge {
                isBlocked = isBlocked || taken.contains(Self.short(path.string, entry.isDirectory, nameSpace))
            }
            if case .symlink = entry.kind { isBlocked = isBlocked || nameSpace != .rockRidge }
            if tree[path] != nil || path.components.count > 120 { isBlocked = true }
            if isBlocked {
                blocked.insert(entry.path.string)
                continue
            }
            entry.path = path
            try tree.insert(entry)
        }
    }

    /// The directory as it stands, and the identifier that the name gets there.
    private static func short(_ path: String, _ isDirectory: Bool, _ nameSpace: ISONameSpace) -> [UInt8] {
        var components = path.split(separator: "/").map(String.init)
        guard let name = components.popLast() else { return [] }
        let names = [(name: name, isDirectory: isDirectory)]
        let last = nameSpace == .joliet ? ISOIdentifiers.joliet(names)[0] : ISOIdentifiers.primary(names)[0]
        return Array(components.joined(separator: "/").utf8) + last
    }

    private static func row(of entry: TreeEntry, epoch: Int64) -> Row {
        var row = Row(
            kind: "d", mode: entry.mode.bits, owner: entry.owner, group: entry.group, size: entry.size,
            modified: entry.modified ?? epoch, digest: "", target: "")
        switch entry.kind {
        case .directory: break
        case .file(let content):
            row.kind = "f"
            if case .bytes(let bytes) = content { row.digest = Digest(of: bytes).hex }
        case .symlink(let target):
            row.kind = "l"
            row.target = target
        }
        return row
    }

    /// The edit as `Tests/Peers/graft.py` reads it.
    var lines: String {
        var text = ""
        for (sign, rows) in [("-", minus), ("+", plus)] {
            for (path, row) in rows.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                let fields = [
                    sign, row.kind, String(row.mode, radix: 8), "\(row.owner)", "\(row.group)", "\(row.size)",
                    "\(row.modified ?? 0)", row.digest, hexadecimal(path), hexadecimal(row.target),
                ]
                text += fields.joined(separator: "\t") + "\n"
            }
        }
        return text
    }

    private func hexadecimal(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// What an image holds, read whole.
    static func rows(of image: FilePath, _ nameSpace: ISONameSpace? = nil) throws -> [String: Row] {
        let reader = if let nameSpace { try ISOReader(image, nameSpace: nameSpace) } else { try ISOReader(image) }
        var rows: [String: Row] = [:]
        for entry in try reader.entries() {
            var row = Row(
                kind: "d", mode: entry.mode.bits, owner: entry.owner, group: entry.group, size: entry.size,
                modified: entry.modified, digest: "", target: "")
            switch entry.kind {
            case .directory: break
            case .file, .special:
                row.kind = "f"
                row.digest = Digest(of: try reader.read(entry, limit: 1 << 24)).hex
            case .symlink(let target):
                row.kind = "l"
                row.target = target
            }
            rows[entry.path] = row
        }
        return rows
    }
}
