internal import Artefact
internal import SystemPackage

/// Making the files of a fleet's nodes: one directory for each, read back, and durable with a single call.
extension BundleStore {
    /// Makes all files of a batch in a staging directory.
    ///
    /// - Parameters:
    ///   - batch: The files.
    ///   - directory: The staging directory.
    /// - Returns: The entries for the manifest, and the digests of what was read by device and inode.
    /// - Throws: ``BundleError`` with ``BundleError/Code/mismatch`` where a file is not what was said of it, and what the
    ///   writer throws.
    func make(
        _ batch: StagedBatch, in directory: FilePath
    ) throws -> (entries: [Manifest.Artefact], known: [[UInt64]: Digest]) {
        let root = directory.appending(BundleNode.directory)
        try disk.makeDirectory(root, mode: .privateDirectory)
        var made: [StagedBatch.Made] = []
        try disk.generate(everythingBelow: root) { made = try batch.writer(directory) }
        guard made.map(\.file) == batch.files else {
            throw BundleError(.mismatch, subject: root.string, detail: "does not hold the files that were announced")
        }
        var entries: [Manifest.Artefact] = []
        var known: [[UInt64]: Digest] = [:]
        entries.reserveCapacity(made.count)
        for one in made {
            let mode = EntryMode(one.isSecret ? 0o400 : 0o444)
            let path = root.appending(one.file.node).appending(one.file.file)
            let status = try HostFile.status(of: path, followingLinks: false)
            let digest = try Digest(ofFile: path)
            guard status.kind == .file, status.size == one.written.size, digest == one.written.digest else {
                throw BundleError(
                    .mismatch, subject: one.file.file, detail: "does not read back as it was written; the disk fails")
            }
            try disk.setMode(of: path, mode)
            known[status.identity] = digest
            entries.append(
                Manifest.Artefact(
                    role: one.file.role, node: one.file.node, file: one.file.file, size: status.size, sha256: digest,
                    mode: mode))
        }
        return (entries, known)
    }

    /// Gives the directories of the nodes their modes and makes all that is below durable.
    func seal(nodesOf manifest: Manifest, in directory: FilePath) throws {
        guard !manifest.nodes.isEmpty else { return }
        let root = directory.appending(BundleNode.directory)
        for node in manifest.nodes { try disk.setMode(of: root.appending(node.name), manifest.directoryMode) }
        try disk.setMode(of: root, manifest.directoryMode)
        try disk.synchronise(fileSystemOf: root)
    }
}
