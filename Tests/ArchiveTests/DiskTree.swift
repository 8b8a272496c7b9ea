import Artefact
import Glibc
import SystemPackage

/// What a tar program left on the disk, in the terms of a tree, so that two listings can be compared line by line.
struct DiskTree {
    /// Which facts take part: not every program restores all of them.
    struct Facts: OptionSet {
        let rawValue: Int
        static let owners = Facts(rawValue: 1)
        static let directoryTimes = Facts(rawValue: 2)
        /// busybox makes links that leave the tree at the very end, and leaves them to root.
        static let linkOwners = Facts(rawValue: 4)
    }

    /// One line for each entry of a tree, as it must be found on the disk.
    static func lines(of entries: [TreeEntry], epoch: Int64, facts: Facts) throws -> [String] {
        try entries.map { entry in
            let time = entry.modified ?? epoch
            let owner = facts.contains(.owners) ? "\(entry.owner):\(entry.group)" : "-"
            switch entry.kind {
            case .directory:
                return "\(entry.path) d \(entry.mode) \(owner) \(facts.contains(.directoryTimes) ? time : 0)"
            case .file(let content):
                return "\(entry.path) f \(entry.mode) \(owner) \(time) \(try fingerprint(content))"
            case .symlink(let target): return "\(entry.path) l \(facts.contains(.linkOwners) ? owner : "-") \(target)"
            }
        }
    }

    /// One line for each entry below a directory.
    static func lines(below root: FilePath, facts: Facts) throws -> [String] {
        var lines: [String] = []
        try walk(root, "", facts) { lines.append($0) }
        return lines
    }

    /// A fingerprint that holds within this process; fast in a debug build.
    private static func fingerprint(_ content: Content) throws -> String {
        var hasher = Hasher()
        try content.forEachChunk { chunk in unsafe chunk.withUnsafeBytes { unsafe hasher.combine(bytes: $0) } }
        return "\(content.size) \(hasher.finalize())"
    }

    private static func walk(
        _ directory: FilePath, _ above: String, _ facts: Facts, _ body: (String) -> Void
    ) throws {
        for name in try HostFile.names(in: directory) {
            let path = directory.appending(name)
            let entry = above.isEmpty ? name : "\(above)/\(name)"
            var status = stat()
            guard unsafe path.withPlatformString({ unsafe lstat($0, &status) }) == 0 else {
                throw Errno(rawValue: Glibc.errno)
            }
            let owner = facts.contains(.owners) ? "\(status.st_uid):\(status.st_gid)" : "-"
            let mode = EntryMode(UInt16(truncatingIfNeeded: status.st_mode))
            let time = status.st_mtim.tv_sec
            switch try HostFile.status(of: path, followingLinks: false).kind {
            case .directory:
                body("\(entry) d \(mode) \(owner) \(facts.contains(.directoryTimes) ? time : 0)")
                try walk(path, entry, facts, body)
            case .symlink:
                let target = try HostFile.target(ofLink: path)
                body("\(entry) l \(facts.contains(.linkOwners) ? owner : "-") \(target)")
            default:
                body(
                    "\(entry) f \(mode) \(owner) \(time) \(try fingerprint(.file(path, size: UInt64(status.st_size))))")
            }
        }
    }
}
