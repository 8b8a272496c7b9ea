internal import Artefact
internal import SystemPackage

/// A directory on the host that is laid over the tree as it stands: regular files, directories and symbolic links.
///
/// Entries come sorted, whatever order the directory has. Owner and group are always root: who checked the layer out
/// does not matter.
struct LayerDirectory {
    /// Whose permission bits the entries get.
    enum Modes {
        /// 0755 for directories and for what its owner may execute, 0644 for the rest: files that ksbuild brings along.
        case plain
        /// Their own, but that only the owner may write: what a umask left open depends on who checked the layer out.
        case own
    }

    /// Directories of the release that a layer may pass through but whose mode it must not set: a checkout under a
    /// strict umask would make `/etc` unreadable for everyone but root.
    static let systemDirectories: Set<String> = [
        "bin", "dev", "etc", "etc/apk", "etc/apk/keys", "etc/conf.d", "etc/init.d", "etc/local.d", "etc/network",
        "etc/runlevels", "etc/runlevels/boot", "etc/runlevels/default", "etc/runlevels/shutdown",
        "etc/runlevels/sysinit", "etc/ssh", "etc/ssl", "etc/ssl/certs", "home", "lib", "media", "mnt", "opt", "proc",
        "run", "sbin", "srv", "sys", "usr", "usr/bin", "usr/lib", "usr/libexec", "usr/local", "usr/local/bin",
        "usr/local/sbin", "usr/local/share", "usr/sbin", "usr/share", "var", "var/cache", "var/lib", "var/log",
    ]

    /// The deepest nesting that is followed.
    static let maximumDepth = 64

    /// What is in the directory, each directory before what it holds.
    private(set) var entries: [TreeEntry] = []
    private let origin: String
    private let modes: Modes

    /// Reads a directory.
    ///
    /// - Throws: ``OverlayError`` with ``OverlayError/Code/unusualLayerEntry`` for what an overlay cannot carry,
    ///   ``ArtefactError`` for what cannot be read.
    init(_ root: FilePath, origin: String, modes: Modes) throws {
        self.origin = origin
        self.modes = modes
        let status = try HostFile.status(of: root)
        guard status.kind == .directory else {
            throw OverlayError(
                .unusualLayerEntry, subject: root.string,
                detail: "is no directory; a layer is a directory whose content is laid over the tree")
        }
        try read(root, below: nil, depth: 0)
    }

    private mutating func read(_ directory: FilePath, below parent: EntryPath?, depth: Int) throws {
        guard depth < Self.maximumDepth else {
            throw refuse(directory, "is nested deeper than \(Self.maximumDepth) directories")
        }
        for name in try HostFile.names(in: directory) {
            let source = directory.appending(name)
            let path: EntryPath
            do throws(ArtefactError) {
                path = if let parent { try parent.appending(name) } else { try EntryPath(name) }
            } catch {
                throw refuse(source, error.detail)
            }
            let status = try HostFile.status(of: source, followingLinks: false)
            guard status.kind == .symlink || !status.mode.hasSpecialBits else {
                throw refuse(source, "has mode \(status.mode): set-id and sticky bits are not carried; remove them")
            }
            guard parent != nil || status.kind == .directory else {
                throw refuse(
                    source, "stands in the root of the layer, where Alpine's init takes directories only; move it down")
            }
            switch status.kind {
            case .directory:
                entries.append(entry(path, .directory, status, plain: .directory))
                try read(source, below: path, depth: depth + 1)
            case .file:
                // What cannot be read is found now and not when half of the overlay is written.
                try HostFile.open(source).close()
                let plain: EntryMode = status.mode.bits & 0o100 != 0 ? .executable : .file
                entries.append(entry(path, .file(.file(source, size: status.size)), status, plain: plain))
            case .symlink:
                let target = try HostFile.target(ofLink: source)
                guard !target.isEmpty, target.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                    throw refuse(source, "is a link whose target holds control characters")
                }
                entries.append(
                    TreeEntry(path: path, kind: .symlink(target: target), mode: .symlink, origin: origin))
            case .special:
                throw refuse(source, "is a device, socket or pipe; only files, directories and links are carried")
            }
        }
    }

    private func entry(
        _ path: EntryPath, _ kind: TreeEntry.Kind, _ status: HostFile.Status, plain: EntryMode
    ) -> TreeEntry {
        let mode = modes == .plain ? plain : EntryMode(status.mode.bits & ~0o022)
        let isPrivate = kind != .directory && mode.bits & 0o077 == 0
        return TreeEntry(path: path, kind: kind, mode: mode, origin: origin, isSecret: isPrivate)
    }

    private func refuse(_ source: FilePath, _ why: String) -> OverlayError {
        OverlayError(.unusualLayerEntry, subject: source.string, detail: why)
    }

    /// The entry as it goes over what is there: directories that are there already, or are the release's own, keep
    /// their mode, and a layer that says otherwise is told so.
    static func fit(_ entry: TreeEntry, over present: TreeEntry?) -> (TreeEntry, String?) {
        guard entry.isDirectory else { return (entry, nil) }
        var kept = entry
        if let present, present.isDirectory {
            kept = present
        } else if systemDirectories.contains(entry.path.string) {
            kept.mode = .directory
        } else if entry.path.string == "root" {
            kept.mode = .privateDirectory
        }
        guard kept.mode != entry.mode else { return (kept, nil) }
        return (kept, "\(entry.origin): directory \(entry.path) has mode \(entry.mode); the node's stays \(kept.mode)")
    }
}
