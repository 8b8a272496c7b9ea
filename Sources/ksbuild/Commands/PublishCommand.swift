import ArgumentParser
import Artefact
import Bundle
import Diff
import Netboot
import Publish
import Registry
import SystemPackage

struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Put a bundle into a directory, an OCI image layout or a registry.",
        discussion: """
            What is there already is not moved again, and a publication that was interrupted goes on where it stopped. \
            Nothing appears under its name before it is complete. With --netboot it is laid out for nodes that boot over \
            the network: what a web server offers, with a script for iPXE.
            """)

    @Argument(
        help: ArgumentHelp(
            "dir:PATH, oci-layout:PATH[:TAG] or oci://REGISTRY/REPOSITORY[:TAG]; none with --netboot.",
            valueName: "destination"))
    var destination: String?

    @Argument(help: "The version, or a bundle's directory; without it the live version, or else the newest.")
    var version: String?

    @Option(help: ArgumentHelp("Lay it out in this directory for booting over the network.", valueName: "dir"))
    var netboot: String?

    @Option(
        help: ArgumentHelp(
            "The address under which the directory of --netboot is served, http://HOST/PATH", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("A further tag that moves from version to version.", valueName: "tag"))
    var tag: String?

    @Flag(help: "The same as --tag latest; in a directory 'latest' is always kept.")
    var latest = false

    @Flag(help: "Move a tag that stands for something else.")
    var replace = false

    @Flag(help: "Publish a bundle that holds secrets.")
    var allowSecrets = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var trust: TrustOptions
    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if latest && tag != nil { throw ValidationError("--latest and --tag exclude each other") }
        guard (netboot == nil) == (url == nil) else { throw ValidationError("--netboot DIR and --url URL go together") }
        if netboot != nil {
            guard version == nil else {
                throw ValidationError("--netboot takes a version at most, and no other destination")
            }
            if tag != nil || latest || replace || json {
                throw ValidationError("--tag, --latest, --replace and --json do not go with --netboot")
            }
        } else if destination == nil {
            throw ValidationError(
                "name a destination: dir:PATH, oci-layout:PATH[:TAG] or oci://REGISTRY/REPOSITORY[:TAG]")
        }
        if let tag, !RegistryReference.isTag(tag) { throw ValidationError("--tag: '\(tag)' is no tag") }
    }

    func run() async throws {
        if let netboot, let url { return try layOut(in: FilePath(netboot), servedAt: url) }
        let place = try Place(destination ?? "")
        if case .folder = place, tag != nil || latest || replace {
            throw ValidationError("--tag, --latest and --replace go with oci-layout: and oci://")
        }
        guard !place.isPinned else { throw ValidationError("a destination has no digest; name a tag") }
        let reporter = PublishReporter(report, "publish")
        let bundle = try BundleFolder(source(version), trusting: trust.keys())
        guard allowSecrets || !bundle.manifest.secrets else {
            throw PublishError(
                .secrets, subject: "version \(bundle.manifest.version)",
                detail:
                    "holds secrets (files of mode 0400), which everyone who can pull it would "
                    + "have; keep them out of the "
                    + "recipe, or say --allow-secrets")
        }
        var outcome: PublishReport
        switch place {
        case .folder(let path):
            outcome = try FolderPublication(bundle, in: path, report: reporter.show).run()
            // Notes are for people; a bundle that cannot be looked into is published all the same.
            do { try writeChanges(of: bundle, in: path) } catch {
                outcome.warnings.append("no notes on the changes were written: \(error)")
            }
        case .layout(let path, let tag, _):
            let layout = ImageLayout(path)
            try layout.create()
            outcome = try await publication(bundle, layout, tag, reporter).run()
        case .registry(let reference):
            let client = registry.client(reference, out: folder.path, report: reporter)
            outcome = try await publication(bundle, client, reference.tag, reporter).run()
        }
        try reporter.conclude(outcome, json: json)
    }

    private func publication(
        _ bundle: BundleFolder, _ repository: any Repository, _ tag: String?, _ reporter: PublishReporter
    ) -> RepositoryPublication {
        RepositoryPublication(
            bundle, in: repository, tag: tag, latest: latest ? "latest" : self.tag, isReplacing: replace,
            report: reporter.show)
    }

    /// Lays the bundle out for booting over the network; the only argument is its version then.
    private func layOut(in target: FilePath, servedAt url: String) throws {
        let bundle = try BundleFolder(source(destination), trusting: trust.keys())
        let tree = try NetbootTree(bundle.path, bundle.manifest, servedAt: url, allowsSecrets: allowSecrets)
        let outcome = try tree.publish(to: target)
        guard !report.quiet else { return }
        let overlays = "\(outcome.overlays) overlay\(outcome.overlays == 1 ? "" : "s")"
        Console.print("\(outcome.path): \(outcome.isIdentical ? "identical" : "written"), \(overlays)")
        Console.print("  boot: \(tree.scriptAddress)")
    }

    /// Writes notes on the version beside its folder, where an older one is there to compare it with.
    private func writeChanges(of bundle: BundleFolder, in path: FilePath) throws {
        let version = bundle.manifest.version
        let older = try FolderPublication.versions(in: path).filter { $0 < version }.max()
        guard let older else { return }
        let notes = ReleaseNotes(
            Difference(
                try Side(bundle: path.appending(older.description), named: older.description),
                try Side(bundle: bundle.path, named: version.description), showsText: false))
        try StagedFile.write(Array(notes.text.utf8), to: path.appending("\(version).CHANGES.md"))
    }

    /// The bundle that is meant.
    private func source(_ version: String?) throws -> FilePath {
        let store = BundleStore(folder.path)
        if let version {
            if HostFile.exists(FilePath(version)) { return FilePath(version) }
            let known = try Version(version)
            guard HostFile.exists(store.path(of: known)) else {
                throw BundleError(.notFound, subject: "version \(known)", detail: "is not in \(folder.path)")
            }
            return store.path(of: known)
        }
        let live = try store.list().first { $0.isLive }?.version
        guard let version = try live ?? store.versions().last else {
            throw BundleError(
                .notFound, subject: folder.path.string, detail: "holds no bundle; build one with 'ksbuild bundle'")
        }
        return store.path(of: version)
    }
}
