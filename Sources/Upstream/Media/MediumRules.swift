internal import ISOBuild

/// The rules by which Alpine's boot passes over in silence what a medium holds.
enum MediumRules {
    typealias Finding = MediumReport.Finding

    /// Which overlay init takes: what the command line says, else the first of the root.
    static func choice(
        _ overlays: [String], _ commands: [LoaderEntry], _ medium: Medium, _ listings: [String: Medium.Listing]
    ) -> MediumReport.OverlayChoice {
        for command in commands {
            guard let value = command.value(of: "apkovl") else { continue }
            let holders = command.initrds.compactMap { medium.path(of: $0, in: command) }.filter { path in
                listings[path]?.paths.contains(inRAM(value)) == true
            }
            return .commandLine(value: value, initrd: holders.last)
        }
        return overlays.first.map { .found(path: $0) } ?? .none
    }

    /// The path in the initial RAM file system that a value of `apkovl=` without a colon names.
    static func inRAM(_ value: String) -> String { value.split(separator: "/").joined(separator: "/") }

    static func findings(
        _ report: MediumReport, _ medium: Medium, _ listings: [String: Medium.Listing], label: String
    ) -> [Finding] {
        overlays(report, medium) + commandLines(report, medium, listings) + kernels(report, medium, listings)
            + repositories(report, medium) + identity(report, medium, label)
    }

    // MARK: Overlays

    private static func overlays(_ report: MediumReport, _ medium: Medium) -> [Finding] {
        var findings: [Finding] = []
        if report.overlays.count > 1 {
            findings.append(
                .error(
                    "several-overlays", report.overlays[1],
                    "is one of \(report.overlays.count) overlays (\(report.overlays.joined(separator: ", "))), of which"
                        + " init takes the first that the directory lists, \(report.overlays[0]), and no other",
                    "keep one; give the others another name, or put them into a directory"))
        }
        for name in report.overlays where !name.hasSuffix(".apkovl.tar.gz") {
            findings.append(
                .error(
                    "overlay-suffix", name,
                    "matches *.apkovl.tar.gz*, so init takes it for an overlay, and what follows .gz for the cipher that"
                        + " it is encrypted with; the boot ends there when it is the first",
                    "keep checksums and signatures under a name that does not match, or in a directory"))
        }
        guard report.choice == .none else { return findings }
        for path in medium.entries.keys.sorted() where medium.entries[path]?.kind == .file {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            guard name.lowercased().contains(".apkovl.tar.gz") else { continue }
            if path.contains("/") {
                findings.append(
                    .error(
                        "overlay-in-directory", path, "is not found: init looks for overlays in the root only",
                        "put it into the root of the medium, or name it with apkovl="))
            } else {
                findings.append(
                    .error(
                        "overlay-letters", path, "is not found: the pattern *.apkovl.tar.gz* is in small letters",
                        "write the name in small letters"))
            }
        }
        return findings
    }

    // MARK: Command lines

    private static func commandLines(
        _ report: MediumReport, _ medium: Medium, _ listings: [String: Medium.Listing]
    ) -> [Finding] {
        var findings: [Finding] = []
        let values = Set(report.commands.map { $0.value(of: "apkovl") })
        if values.count > 1 {
            let named = values.compactMap { $0 }.sorted()
            findings.append(
                .warning(
                    "overlay-by-entry", report.commands.first { $0.value(of: "apkovl") != nil }?.source ?? "",
                    "some entries of the boot menu say apkovl=\(named.joined(separator: " or apkovl=")) and others do not"
                        + " say the same, so the overlay depends on the entry",
                    "give every entry the same apkovl="))
        }
        for command in report.commands {
            // A menu of GRUB may start what is on another disk; Alpine's starts what is on the medium.
            for name in report.release == nil ? [] : [command.kernel] + command.initrds
            where name.hasPrefix("/") && !name.contains("$") {
                guard medium.path(of: name, in: command) == nil else { continue }
                findings.append(
                    .error(
                        "boot-file-missing", command.source,
                        "the entry \(quoted(command.title)) names \(name), which is not on the medium",
                        "put the file there or change the entry"))
            }
            guard let value = command.value(of: "apkovl"), !value.contains(":") else { continue }
            let files = command.initrds.compactMap { medium.path(of: $0, in: command) }
            let isUnknown = files.contains { listings[$0] == nil || listings[$0]?.unread != nil }
            let isThere = files.contains { listings[$0]?.paths.contains(inRAM(value)) == true }
            guard !isThere, !isUnknown else { continue }
            findings.append(
                .error(
                    "overlay-not-in-initrd", command.source,
                    "the entry \(quoted(command.title)) says apkovl=\(value), and no initrd of it holds that file"
                        + " (\(files.isEmpty ? "it has none" : files.joined(separator: ", "))), so init boots without"
                        + " an overlay",
                    "add the initrd that holds it, or take apkovl= away"))
        }
        return findings
    }

    private static func quoted(_ title: String) -> String { title.isEmpty ? "without a title" : "'\(title)'" }

    // MARK: Kernels

    private static func kernels(
        _ report: MediumReport, _ medium: Medium, _ listings: [String: Medium.Listing]
    ) -> [Finding] {
        var findings: [Finding] = []
        for kernel in report.kernels {
            guard let version = kernel.version else { continue }
            for (path, modules) in kernel.initramfsModules.sorted(by: { $0.key < $1.key }) {
                guard !modules.isEmpty, !modules.contains(version) else { continue }
                findings.append(
                    .error(
                        "initramfs-of-another-kernel", path,
                        "holds modules for \(modules.joined(separator: ", ")), and \(kernel.path) is \(version), so it"
                            + " finds neither disks nor CDs",
                        "take kernel, initramfs and modloop of one release"))
            }
            let known = report.modloops.values.compactMap { $0 }
            guard !known.isEmpty, known.count == report.modloops.count, !known.contains(where: { $0.contains(version) })
            else { continue }
            let path = report.modloops.keys.sorted()[0]
            findings.append(
                .error(
                    "modloop-of-another-kernel", path,
                    "has modules for \(Set(known.flatMap { $0 }).sorted().joined(separator: ", ")), and \(kernel.path) is"
                        + " \(version), so the node has no modules",
                    "take kernel, initramfs and modloop of one release"))
        }
        if report.release != nil, !report.kernels.isEmpty,
            !medium.entries.keys.contains(where: { $0.hasPrefix("boot/modloop-") })
        {
            findings.append(
                .error(
                    "modloop-missing", "boot", "has kernels and no modloop-*, so the node has no modules",
                    "take kernel, initramfs and modloop of one release"))
        }
        return findings
    }

    // MARK: Repositories

    private static func repositories(_ report: MediumReport, _ medium: Medium) -> [Finding] {
        var findings: [Finding] = []
        for index in report.repositories.flatMap(\.indexes) {
            guard let packages = index.packages else { continue }
            if (try? packages.requireSignature()) == nil {
                findings.append(
                    .error(
                        "repository-unsigned", index.path,
                        "carries no signature that apk could check, so apk takes nothing from the repository at boot",
                        "sign it with a key whose public half is in the overlay (abuild-sign)"))
            }
            // With an overlay it counts what its node takes: a repository may be part of a larger one.
            guard report.choice == .none, !index.absent.isEmpty else { continue }
            findings.append(
                .error(
                    "package-file-missing", index.path,
                    "lists \(index.absent.count) packages that are not beside it or have another size: "
                        + MediumReport.shown(index.absent), "put the files there or write the index again"))
        }
        let isMounted = !report.overlays.isEmpty || report.repositories.contains(where: \.isSeenFirst)
        if !report.repositories.isEmpty, !isMounted {
            findings.append(
                .error(
                    "repository-not-mounted", report.repositories[0].path,
                    "is not in a directory of the root, and nothing else keeps the medium mounted until init looks for"
                        + " repositories",
                    "put it one level below the root, or an overlay beside it"))
        }
        if report.kernels.isEmpty, !report.overlays.isEmpty, report.repositories.contains(where: \.isSeenFirst) {
            findings.append(
                .warning(
                    "scan-ends-early", report.overlays[0],
                    "is on one medium with a repository, which ends init's search: a boot medium that comes later is not"
                        + " found",
                    "put the repository two levels below the root"))
        }
        return findings
    }

    // MARK: The whole

    private static func identity(_ report: MediumReport, _ medium: Medium, _ label: String) -> [Finding] {
        var findings: [Finding] = []
        if medium.isPlain {
            let meant = medium.entries.keys.sorted().first { path in
                path.contains("apkovl") || path.hasSuffix("boot_repository") || path.hasSuffix("apkindex.tar.gz")
            }
            if let meant {
                findings.append(
                    .error(
                        "plain-names", meant,
                        "the image has neither Rock Ridge nor Joliet names, and a plain name loses what init looks for",
                        "write the image with Rock Ridge"))
            }
        }
        let architectures = report.repositories.flatMap(\.indexes).map { index in
            index.path.split(separator: "/").dropLast().last.map(String.init) ?? ""
        }
        if let release = report.release,
            let identity = AlpineIdentity(releaseLine: release, architectures: architectures),
            identity.volumeIdentifier != label, !architectures.isEmpty
        {
            findings.append(
                .warning(
                    "label", ".alpine-release",
                    "belongs to an image with the label '\(identity.volumeIdentifier)', by which GRUB looks for it, and"
                        + " this one has '\(label)'",
                    "keep the label of the image that Alpine publishes"))
        }
        return findings
    }
}
