internal import Archive
internal import Artefact

/// What the form of the archive does to a boot (`initramfs-init`, busybox tar, apk's `apk_db_read_overlay`).
enum ArchiveRules {
    private static let suffix = ".apkovl.tar.gz"

    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        fileName(contents) + contents.members.flatMap(name) + contents.members.flatMap(attributes)
            + contents.members.flatMap(records) + beneathLinks(contents) + whole(contents)
    }

    private static func fileName(_ contents: OverlayContents) -> [LintFinding] {
        let name = contents.fileName
        guard !name.hasSuffix(suffix) else { return [] }
        let why =
            name.contains(suffix)
            ? "init takes it for an encrypted overlay, asks for a password and ends" : "init does not find it"
        return [.error("file-name", name, why, "name it NAME\(suffix), in lower case")]
    }

    /// apk learns from the names that tar lists which files belong to the overlay.
    private static func name(_ member: ArchiveMember) -> [LintFinding] {
        let name = member.name
        if name.hasPrefix("./") || name == "." {
            return [
                .error(
                    "member-dot-slash", name, "apk does not know it for the overlay's, so a package's file replaces it",
                    "store names without './'")
            ]
        }
        if name.hasPrefix("/") || name.split(separator: "/").contains("..") {
            return [.error("member-outside", name, "leads out of the root", "store names relative to the root")]
        }
        if !name.contains("/") {
            return [
                .error(
                    "member-without-slash", name, "apk stops reading the list of the overlay's files here",
                    member.kind == .directory ? "store directories with a slash at the end" : "put it into a directory")
            ]
        }
        if member.kind == .directory, !name.hasSuffix("/") {
            return [
                .warning(
                    "directory-without-slash", name, "apk takes it for a file and resets the directory's mode",
                    "store directories with a slash at the end")
            ]
        }
        return []
    }

    /// The names that the initramfs knows, by which busybox tar sets owners whatever the numbers say.
    private static let knownOwners: [String: UInt32] = ["root": 0, "lp": 4, "nobody": 65534]
    private static let knownGroups: [String: UInt32] = [
        "root": 0, "tty": 5, "disk": 6, "lp": 7, "wheel": 10, "shadow": 42,
    ]

    /// What busybox tar reads of a field where a pax record says otherwise.
    private static func inHeader(_ field: ArchiveMember.Disagreement.Field, of member: ArchiveMember) -> String? {
        member.disagreements.first { $0.field == field }?.header
    }

    /// busybox tar passes over records of sizes and numbers: it unpacks other members, or gives them to others, than
    /// the programs that read them.
    private static func records(_ member: ArchiveMember) -> [LintFinding] {
        let fields: [ArchiveMember.Disagreement.Field] = [.size, .uid, .gid]
        return member.disagreements.filter { fields.contains($0.field) }.map { difference in
            .error(
                "record-ignored", member.name,
                "busybox tar reads \(difference.field.rawValue) \(difference.header), not the \(difference.record) of its "
                    + "pax record", "store it in the header, as busybox tar and GNU tar's default format do")
        }
    }

    private static func attributes(_ member: ArchiveMember) -> [LintFinding] {
        var findings: [LintFinding] = []
        if case .other(let kind) = member.kind {
            findings.append(
                .error("special-file", member.name, "is a \(kind)", "leave it out; devfs and mdev make devices"))
        }
        if member.kind == .file, member.mode.bits & 0o6000 != 0 {
            findings.append(
                .warning(
                    "set-id-file", member.name, "runs with its owner's rights (mode \(member.mode))", "clear the bits"))
        }
        let (ownerName, groupName) = (
            inHeader(.uname, of: member) ?? member.ownerName, inHeader(.gname, of: member) ?? member.groupName
        )
        let ownerDiffers = knownOwners[ownerName].map { $0 != member.owner } ?? false
        let groupDiffers = knownGroups[groupName].map { $0 != member.group } ?? false
        if ownerDiffers || groupDiffers {
            findings.append(
                .warning(
                    "owner-by-name", member.name,
                    "tar goes by the names \(ownerName):\(groupName), not by \(member.owner):\(member.group)",
                    "store numbers alone"))
        }
        if member.recordKeys.contains(where: { $0.contains("xattr") || $0.contains(".acl.") }) {
            findings.append(
                .warning("extended-attributes", member.name, "busybox tar drops its extended attributes", "do without"))
        }
        return findings
    }

    /// busybox tar makes links that lead elsewhere at the end, so what is to go beneath them fails, and the boot with it.
    private static func beneathLinks(_ contents: OverlayContents) -> [LintFinding] {
        var links: Set<String> = []
        for member in contents.members {
            guard case .symlink(let target) = member.kind else { continue }
            guard target.hasPrefix("/") || target.split(separator: "/").contains("..") else { continue }
            links.insert(OverlayContents.place(of: member.name))
        }
        guard !links.isEmpty else { return [] }
        return contents.entries.keys.sorted().compactMap { path in
            var above = path.utf8[...]
            while let slash = above.lastIndex(of: UInt8(ascii: "/")) {
                above = above[..<slash]
                let parent = String(Substring(above))
                guard links.contains(parent) else { continue }
                return .error(
                    "beneath-link", path, "stands beneath the link \(parent), tar fails and the boot ends",
                    "put it where the link leads")
            }
            return nil
        }
    }

    private static func whole(_ contents: OverlayContents) -> [LintFinding] {
        var findings = contents.duplicates.map { path in
            LintFinding.warning(
                "duplicate-member", path, "is stored more than once, the last one wins", "store it once")
        }
        if contents.summary.gzipMembers == 0 {
            findings.append(
                .error(
                    "not-gzip", contents.fileName, "init unpacks gzip only, and the boot ends", "compress it with gzip")
            )
        }
        if contents.summary.remainder == .archive {
            findings.append(
                .error(
                    "second-archive", contents.fileName, "tar ignores the second archive in it", "make one of the two"))
        }
        if contents.summary.hasBytesAfterGzip || contents.summary.remainder == .bytes {
            findings.append(
                .warning(
                    "bytes-after-archive", contents.fileName, "has bytes after its end, which nobody reads", "cut them")
            )
        }
        return findings
    }
}

/// Directory entries set the final mode and owner of the system's own directories.
enum DirectoryRules {
    private static let system = [
        "etc", "etc/init.d", "etc/conf.d", "etc/runlevels", "etc/apk", "etc/network", "etc/ssh", "home", "usr",
        "usr/bin",
        "usr/local", "usr/local/bin", "var", "var/lib",
    ]

    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        system.compactMap { path in
            guard let member = contents.entries[path], member.kind == .directory else { return nil }
            let isOpen = member.mode.bits & 0o022 != 0
            let isClosed = member.mode.bits & 0o555 != 0o555
            guard member.owner != 0 || isOpen || isClosed else { return nil }
            return .error(
                "system-directory", path, "would belong to \(member.owner):\(member.group) with mode \(member.mode)",
                "store it as 0755, owned by root, or leave it out")
        }
    }
}
