internal import APKOVL
internal import Archive
internal import Artefact
public import SystemPackage

extension Side {
    /// Reads an overlay.
    ///
    /// - Parameter path: The archive, made by ksbuild or by others.
    /// - Throws: `ArchiveError` for one that cannot be unpacked.
    public init(overlay path: FilePath) throws {
        self.init(.overlay, named: path.string)
        try take(overlay: path)
        size = try HostFile.status(of: path).size
    }

    /// Takes in the overlay of a bundle or an image.
    mutating func take(overlay path: FilePath) throws {
        var tree = ComparedTree()
        var reader = try ArchiveReader(path)
        while let member = try reader.next() {
            // As busybox tar unpacks it: without what leads to the root, and a directory without its slash.
            let place = member.name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            guard !place.isEmpty else { continue }
            let file = ComparedFile(
                kind: Self.kind(member.kind), mode: member.mode, owner: member.owner, group: member.group,
                size: member.kind == .file ? member.size : 0, target: Self.target(member.kind), digest: nil,
                isSecret: false, text: nil)
            try tree.put(place, file) { body in try reader.forEachChunk(body) }
        }
        trees["overlay"] = tree
        let facts = try OverlayLint.inspect(path).facts
        services = facts.runlevels
        world = facts.world
        if description == nil { self.facts += [("host name", facts.hostname ?? "(none)")] }
    }

    private static func kind(_ kind: ArchiveMember.Kind) -> String {
        switch kind {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .hardlink: "hard link"
        case .other(let what): what
        }
    }

    private static func target(_ kind: ArchiveMember.Kind) -> String? {
        switch kind {
        case .symlink(let target), .hardlink(let target): target
        default: nil
        }
    }
}
