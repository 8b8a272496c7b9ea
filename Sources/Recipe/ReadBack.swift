internal import Artefact
internal import ISOBuild
internal import SystemPackage

/// Reads an image that was just written and holds it against the tree that it was made from.
enum ReadBack {
    /// Files up to this size are compared byte for byte; of larger ones the size, since their bytes passed through the
    /// same writer and their digest is verified when the bundle is.
    static let comparedBytes: UInt64 = 4 << 20

    /// Requires that every entry is on the image as it is in the tree, and nothing else is.
    ///
    /// - Parameters:
    ///   - tree: What was written.
    ///   - path: Where it can be read.
    ///   - target: What messages call it.
    /// - Throws: ``BuildError`` with ``BuildError/Code/defect``.
    static func require(_ tree: FileTree, in path: FilePath, meantFor target: FilePath) throws {
        let found = try compare(tree, with: path, meantFor: target)
        if let stranger = found.keys.sorted().first {
            throw BuildError(.defect, subject: target.string, detail: "holds \(stranger), which was not written")
        }
    }

    /// Requires that every entry is on the image as it is in the tree, and all else is what another image has, at the
    /// very place where it has it.
    ///
    /// - Parameters:
    ///   - tree: What was added.
    ///   - base: The image to which it was added.
    ///   - path: Where the result can be read.
    ///   - target: What messages call it.
    /// - Throws: ``BuildError`` with ``BuildError/Code/defect``.
    static func require(
        _ tree: FileTree, graftedOnto base: FilePath, in path: FilePath, meantFor target: FilePath
    ) throws {
        let source = try ISOReader(base).entries()
        let directories = Set(source.lazy.filter(\.isDirectory).map(\.path))
        var found = try compare(tree, with: path, meantFor: target, keeping: directories)
        func defect(_ why: String) -> BuildError {
            BuildError(.defect, subject: target.string, detail: "does not read back as it was composed: \(why)")
        }
        for entry in source {
            if try tree[EntryPath(entry.path)] != nil, !entry.isDirectory { continue }
            guard let present = found.removeValue(forKey: entry.path) else { throw defect("\(entry.path) is lost") }
            guard present.kind == entry.kind, present.mode == entry.mode, present.size == entry.size,
                entry.isDirectory || present.extents == entry.extents
            else { throw defect("\(entry.path) is not what \(base) has") }
        }
        if let stranger = found.keys.sorted().first { throw defect("\(stranger) was not written") }
    }

    /// Compares what the tree holds, but for directories that were there before and stay as they are.
    ///
    /// - Returns: The entries of the image that the tree does not hold, by path.
    private static func compare(
        _ tree: FileTree, with path: FilePath, meantFor target: FilePath, keeping directories: Set<String> = []
    ) throws -> [String: ISOEntry] {
        let image = try ISOReader(path)
        var found: [String: ISOEntry] = [:]
        for entry in try image.entries() where !entry.path.isEmpty { found[entry.path] = entry }
        for entry in tree.entries where !directories.contains(entry.path.string) {
            let name = entry.path.string
            func defect(_ why: String) -> BuildError {
                BuildError(
                    .defect, subject: target.string, detail: "does not read back as it was written: \(name) \(why)")
            }
            guard let present = found.removeValue(forKey: name) else { throw defect("is missing") }
            guard present.mode == entry.mode else { throw defect("has mode \(present.mode), not \(entry.mode)") }
            guard case .file(let content) = entry.kind else { continue }
            guard present.size == content.size else { throw defect("has \(present.size) bytes, not \(content.size)") }
            guard content.size <= comparedBytes else { continue }
            var expected: [UInt8] = []
            try content.forEachChunk { chunk in
                unsafe chunk.withUnsafeBufferPointer { bytes in unsafe expected.append(contentsOf: bytes) }
            }
            guard try image.read(present, limit: Int(comparedBytes)) == expected else {
                throw defect("has other bytes")
            }
        }
        return found
    }
}
