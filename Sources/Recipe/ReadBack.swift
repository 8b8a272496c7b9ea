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
        let image = try ISOReader(path)
        var found: [String: ISOEntry] = [:]
        for entry in try image.entries() where !entry.path.isEmpty { found[entry.path] = entry }
        for entry in tree.entries {
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
        if let stranger = found.keys.sorted().first {
            throw BuildError(.defect, subject: target.string, detail: "holds \(stranger), which was not written")
        }
    }
}
