public import Artefact

/// Random numbers that are the same on every machine for the same seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Trees that try a file system writer: names at their limits, collisions, depth, links, modes and awkward sizes.
public struct TreeGenerator {
    private var random: SeededGenerator
    private var tree = FileTree()
    private var directories: [String] = [""]

    /// The tree that belongs to a number; the same on every machine.
    public static func tree(_ number: Int, seed: UInt64) throws -> FileTree {
        var generator = TreeGenerator(random: SeededGenerator(seed: seed &+ UInt64(number) &* 1_000_003))
        switch number % 50 {
        case 0: try generator.fill(entries: 400, linkShare: 0, directoryShare: 0)
        case 1: try generator.descend(levels: number == 1 ? 110 : 30, longest: 3)
        case 2: try generator.descend(levels: 12, longest: 255)
        case 3: try generator.fill(entries: 120, linkShare: 0, directoryShare: 90)
        case 4: try generator.fill(entries: 60, linkShare: 80, directoryShare: 5)
        case 5: break
        default: try generator.fill(entries: Int.random(in: 1...30, using: &generator.random))
        }
        return generator.tree
    }

    private mutating func fill(entries: Int, linkShare: Int = 15, directoryShare: Int = 20) throws {
        for _ in 0..<entries {
            let parent = directoryShare == 0 ? "" : pick(directories)
            let dice = Int.random(in: 0..<100, using: &random)
            try add(below: parent, name: name(), dice < directoryShare, dice >= 100 - linkShare)
        }
    }

    private mutating func descend(levels: Int, longest: Int) throws {
        var parent = ""
        for level in 1...levels {
            let text = String(repeating: pick(["d", "D", "x"]), count: Int.random(in: 1...longest, using: &random))
            try add(below: parent, name: text, true, false)
            parent = parent.isEmpty ? text : "\(parent)/\(text)"
            if level % 3 == 0 { try add(below: parent, name: name(), false, false) }
        }
    }

    private mutating func add(below parent: String, name: String, _ isDirectory: Bool, _ isLink: Bool) throws {
        guard let path = try? EntryPath(parent.isEmpty ? name : "\(parent)/\(name)"), tree[path] == nil else { return }
        let kind: TreeEntry.Kind =
            isDirectory ? .directory : isLink ? .symlink(target: target()) : .file(.bytes(content()))
        let mode: [UInt16] =
            isDirectory
            ? [0o755, 0o700, 0o555, 0o1777, 0o2755] : [0o644, 0o600, 0o400, 0o444, 0o755, 0o4755, 0o666]
        try tree.insert(
            TreeEntry(
                path: path, kind: kind, mode: isLink ? .symlink : EntryMode(pick(mode)),
                owner: pick([0, 0, 1000, 4000]),
                group: pick([0, 0, 27, 4000]), modified: pick([nil, nil, 0, 1, 951_782_399, 4_102_444_799]),
                origin: "generated"))
        if isDirectory { directories.append(path.string) }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    private mutating func content() -> [UInt8] {
        let size = pick([0, 1, 2047, 2048, 2049, 4096, 70_000, -1, -1, -1, -1, -1])
        let count = size < 0 ? Int.random(in: 0...6000, using: &random) : size
        let step = UInt8.random(in: 1...255, using: &random)
        return (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) &* step }
    }

    private mutating func name() -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return String(repeating: pick(["n", "N"]), count: Int.random(in: 240...255, using: &random))
        case 1:
            let length = pick([1, 2, 8, 9, 12, 30, 31, 32, 33, 62, 63, 64, 65, 100, 127, 128, 129, 130, 131, 132])
            return String(repeating: pick(["a", "A", "."]), count: length) + pick(["", ".txt", ".t", ".iso9660", ";1"])
        case 2, 3:
            let pieces = ["é", "e\u{301}", "ß", "中", "文", "😀", "ж", "ﷺ", "ÿ", "\u{FFFD}", "𐍈", "a", ".", " "]
            return (0..<Int.random(in: 1...70, using: &random)).map { _ in pick(pieces) }.joined()
        case 4:
            let pieces = Array(" !\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~").map(String.init)
            return (0..<Int.random(in: 1...20, using: &random)).map { _ in pick(pieces) }.joined()
        case 5:
            return String(repeating: "collision", count: pick([1, 4, 8])) + pick(["", "1", "2", "_1"])
                + pick(["", ".a", ".A", ".b.c"])
        case 6: return pick(["readme", "README", "ReadMe", "Readme"]) + pick(["", ".", ".txt", ".TXT", ".md;1", ";1"])
        case 7: return pick([".", "..", "..."]) + pick(["a", "hidden", "a.b"]) + pick(["", ".", " "])
        default:
            let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789-_").map(String.init)
            return (0..<Int.random(in: 1...20, using: &random)).map { _ in pick(letters) }.joined() + pick(["", ".x"])
        }
    }

    private mutating func target() -> String {
        let parts = ["..", ".", "a", "usr", "bin", "é", String(repeating: "c", count: 120), "x y", "..."]
        let count = pick([1, 1, 2, 3, 5, 9, 40])
        var target = pick(["", "", "/"]) + pick(parts)
        for _ in 1..<count where target.utf8.count < 600 { target += "/" + pick(parts) }
        return target
    }
}
