internal import APKOVL
internal import Artefact
internal import Attestation
internal import Node
internal import SystemPackage
internal import Upstream

extension NodeBuild {
    /// What a bundle holds: Alpine's release, every package that the node installs, KubeSolo, and each file of the
    /// overlay with the layer that it comes from.
    ///
    /// - Parameters:
    ///   - recipe: The recipe that the node was resolved from.
    ///   - names: What the artefacts are called.
    ///   - artefacts: Those that were made before, by name.
    ///   - repositories: The packages that the bundle carries.
    ///   - fleet: The nodes of a fleet, and what they do not have in common.
    /// - Returns: The document.
    /// - Throws: `ArtefactError` where a file of a layer cannot be read.
    func billOfMaterials(
        _ recipe: DecodedRecipe, _ names: ArtefactNames, _ artefacts: [String: WrittenFile],
        carrying repositories: [MediumRepository], of fleet: FleetEvidence? = nil
    ) throws -> SPDXDocument {
        var bundle = SPDXPackage(SPDXIdentifier("Bundle"), name: node.name, version: node.stamp.version)
        bundle.purpose = "INSTALL"
        var common = try overlayPackage(recipe.recipe, names, artefacts, except: fleet?.ownPaths ?? [])
        if let fleet {
            common.name = "overlays"
            common.fileName = nil
            common.comment = fleet.comment
        }
        var packages = [bundle, alpinePackage(names), common]
        let pairs =
            fleet.map { nodePackages($0.fleet, artefacts) } ?? [
                (nil, seedPackage("Seed", names.seed, artefacts))
            ]
        for pair in pairs { packages += [pair.overlay, pair.seed].compactMap { $0 } }
        packages += kubesoloPackages(names)
        if !repositories.isEmpty { packages.append(filePackage("Repositories", names.packages, artefacts)) }
        let parts = packages.dropFirst().filter { $0.identifier != Self.kubernetes }
        var relationships = parts.map { SPDXDocument.Relationship(bundle.identifier, .contains, $0.identifier) }
        if packages.contains(where: { $0.identifier == Self.kubernetes }) {
            relationships.append(.init(Self.kubesolo, .contains, Self.kubernetes))
        }
        for (overlay, seed) in pairs {
            relationships.append(.init(seed.identifier, .generatedFrom, overlay?.identifier ?? Self.overlay))
            if let overlay { relationships.append(.init(overlay.identifier, .contains, Self.overlay)) }
        }
        for (package, repository) in installedPackages(repositories) {
            packages.append(package)
            relationships.append(
                .init(repository == 0 ? Self.alpine : Self.repositories, .contains, package.identifier))
        }
        return SPDXDocument(
            name: node.releaseName, created: LockDate(seconds: node.stamp.epoch)?.description ?? "",
            comment: "Files are those of the overlay; links and directories, which have no bytes, are not listed. "
                + "Of a file that is a secret there is the path alone, without a digest.",
            packages: packages, relationships: relationships)
    }

    /// What is said of bytes whose origin nobody knows.
    private static let unvouched = "no pin, lock or checksum file says that these are the bytes of that release"

    private static let alpine = SPDXIdentifier("Alpine")
    private static let overlay = SPDXIdentifier("Overlay")
    private static let kubesolo = SPDXIdentifier("KubeSolo")
    private static let kubernetes = SPDXIdentifier("Kubernetes")
    private static let repositories = SPDXIdentifier("Repositories")

    /// A package that is one artefact of the bundle.
    private func filePackage(_ name: String, _ file: String, _ artefacts: [String: WrittenFile]) -> SPDXPackage {
        var package = SPDXPackage(SPDXIdentifier(name), name: file, version: node.stamp.version)
        package.fileName = file
        package.purpose = "ARCHIVE"
        package.checksums = (artefacts[file]?.digest).map { [.init("SHA256", $0.hex)] } ?? []
        return package
    }

    private func seedPackage(_ name: String, _ file: String, _ artefacts: [String: WrittenFile]) -> SPDXPackage {
        var package = filePackage(name, file, artefacts)
        package.comment = "NoCloud seed, which carries the overlay"
        return package
    }

    /// Overlay and seed of each node of a fleet.
    private func nodePackages(
        _ fleet: Fleet, _ artefacts: [String: WrittenFile]
    ) -> [(overlay: SPDXPackage?, seed: SPDXPackage)] {
        fleet.nodes.map { node in
            let names = ArtefactNames(fleet.image(of: node))
            return (
                filePackage("Overlay-\(node.name)", names.overlay, artefacts),
                seedPackage("Seed-\(node.name)", names.seed, artefacts)
            )
        }
    }

    private func alpinePackage(_ names: ArtefactNames) -> SPDXPackage {
        var package = SPDXPackage(
            Self.alpine, name: "alpine-\(node.alpine.flavor.rawValue)", version: node.alpine.version)
        package.purpose = "OPERATING-SYSTEM"
        package.fileName = names.alpineImage
        if isImageVouchedFor {
            package.supplier = Self.alpineLinux
            package.location = UpstreamServer.address(
                UpstreamInput.alpineImage(node.alpine, node.architecture).lockName)
        } else {
            package.comment = Self.unvouched
        }
        package.checksums = inputs.alpineImage.map { [.init("SHA256", $0.digest.hex)] } ?? []
        return package
    }

    private func kubesoloPackages(_ names: ArtefactNames) -> [SPDXPackage] {
        let release = node.kubesolo.version.description
        var package = SPDXPackage(Self.kubesolo, name: "kubesolo", version: release)
        package.purpose = "APPLICATION"
        package.fileName = names.kubesolo
        if isBinaryVouchedFor {
            package.supplier = "Organization: Portainer"
            // The digest is that of the file of this name in the archive.
            package.location =
                UpstreamServer.address(
                    UpstreamInput.kubeSolo(KubeSoloAsset(node.kubesolo, node.architecture)).lockName) + "#kubesolo"
            package.packageURL = "pkg:github/portainer/kubesolo@\(Self.escaped(release))"
        }
        let remark = isBinaryVouchedFor ? "" : "; \(Self.unvouched)"
        package.checksums = inputs.kubesolo.map { [.init("SHA256", $0.pin.digest.hex)] } ?? []
        guard let minor = KubernetesRelease.minor(ofKubeSolo: release) else {
            package.comment = "which Kubernetes it holds is not known\(remark)"
            return [package]
        }
        package.comment = "variant \(node.kubesolo.variant.rawValue), holds Kubernetes \(minor)\(remark)"
        return [package, SPDXPackage(Self.kubernetes, name: "kubernetes", version: minor)]
    }

    private func overlayPackage(
        _ recipe: Recipe, _ names: ArtefactNames, _ artefacts: [String: WrittenFile], except paths: Set<EntryPath>
    ) throws -> SPDXPackage {
        var package = filePackage("Overlay", names.overlay, artefacts)
        let origins = Dictionary(
            recipe.placesAsWritten.map { ("layer \($0.key)", "layer \($0.value)") }, uniquingKeysWith: { a, _ in a })
        for entry in overlay.tree.entries {
            guard case .file(let content) = entry.kind, !paths.contains(entry.path) else { continue }
            let path = "./\(entry.path)"
            guard !entry.isSecret else {
                package.secretPaths.append(path)
                continue
            }
            var (sha1, sha256) = (SHA1Stream(), DigestStream())
            try content.forEachChunk { chunk in
                sha1.update(chunk)
                sha256.update(chunk)
            }
            package.files.append(
                SPDXFile(
                    path: path, sha1: sha1.finalize(), sha256: sha256.finalize(),
                    origin: origins[entry.origin] ?? entry.origin))
        }
        return package
    }

    /// The packages that the node installs, each with the place of its repository: 0 is that of Alpine's image.
    private func installedPackages(
        _ repositories: [MediumRepository]
    ) -> [(package: SPDXPackage, repository: Int)] {
        var carried: [String: (digest: Digest, repository: MediumRepository)] = [:]
        for repository in repositories {
            for file in repository.packages {
                carried["\(file.information.name)-\(file.information.version)"] = (file.digest, repository)
            }
        }
        return (inputs.packages?.closure.members ?? []).map { member in
            let entry = member.package
            let release = "\(entry.name)-\(entry.version)"
            var package = SPDXPackage(
                SPDXIdentifier("Package-\(release)"), name: entry.name, version: entry.version)
            let source = member.repository == 0 ? nil : carried[release]
            let isOwn = source?.repository.key != nil
            package.supplier = isOwn ? nil : Self.alpineLinux
            package.license = entry.license
            package.source = entry.origin.isEmpty ? nil : "built from the source package \(entry.origin)"
            // Only of what has no address: whoever fetches a file compares all its checksums with the whole of it.
            if let sha1 = entry.controlSHA1 {
                if source == nil { package.checksums = [.init("SHA1", sha1)] }
                package.comment = "APKINDEX (C:) has SHA1 \(sha1) of the control segment"
            }
            if let source {
                package.checksums = [.init("SHA256", source.digest.hex)]
                package.location =
                    isOwn ? nil : UpstreamServer.address("\(carriedName(of: source.repository))/\(entry.fileName)")
            }
            package.packageURL =
                "pkg:apk/\(isOwn ? "" : "alpine/")\(Self.escaped(entry.name))@\(Self.escaped(entry.version))"
                + "?arch=\(Self.escaped(entry.architecture))"
            return (package, member.repository)
        }
    }

    private static let alpineLinux = "Organization: Alpine Linux"

    /// A part of a package URL: every byte but letters, digits and `. - _ ~` as `%XX`.
    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { text, byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || ".-_~".utf8.contains(byte)
            text += isPlain ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }
    }
}
