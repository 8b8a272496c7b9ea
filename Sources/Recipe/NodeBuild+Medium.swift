internal import APKOVL
internal import Archive
public import Artefact
internal import Bundle
internal import Node
public import SystemPackage
internal import Upstream

extension NodeBuild {
    /// Writes the boot medium: one image that holds system, overlay, binary and packages.
    ///
    /// - Parameters:
    ///   - target: Where it will stand.
    ///   - overlayFile: The overlay, written before.
    ///   - scratch: A folder for what is made on the way.
    /// - Returns: What was written.
    /// - Throws: ``BuildError`` with ``BuildError/Code/missingInput`` where an input is not at hand, or what
    ///   ``MediumComposer`` throws.
    public func writeMedium(to target: FilePath, overlayFile: WrittenFile, scratch: FilePath) throws -> WrittenFile {
        guard let image = inputs.alpineImage else {
            throw BuildError.missingInput(node.alpine.imageName(node.architecture), option: "--iso FILE")
        }
        guard let kubesolo = inputs.kubesolo else {
            throw BuildError.missingInput("the KubeSolo binary", option: "--kubesolo FILE")
        }
        report(.step("compose the boot medium"))
        let parts = mediumParts(
            base: image.path, overlay: overlayFile, kubesolo: (kubesolo.path, kubesolo.pin.size))
        let medium = try MediumComposer.compose(parts, for: target, scratch: scratch)
        report(.detail("\(parts.arguments.joined(separator: " "))"))
        report(.detail("\(medium.size) bytes, sha256 \(medium.digest)"))
        return try medium.commit()
    }

    /// What the boot medium is that a bundle's artefacts are composed to.
    ///
    /// - Parameters:
    ///   - names: The names of the artefacts.
    ///   - folder: A folder for what is made on the way.
    ///   - artefacts: The artefacts by name.
    /// - Returns: The recipe, with the digest of the medium that was composed and dropped.
    /// - Throws: What ``MediumComposer`` throws.
    func mediumRecipe(
        _ names: ArtefactNames, in folder: FilePath, _ artefacts: [String: WrittenFile]
    ) throws -> MediumRecipe {
        guard let base = artefacts[names.alpineImage], let overlay = artefacts[names.overlay],
            let kubesolo = artefacts[names.kubesolo]
        else { throw BuildError(.defect, subject: names.medium, detail: "lacks a part that it is composed of") }
        report(.step("compose the boot medium"))
        let parts = mediumParts(base: base.path, overlay: overlay, kubesolo: (kubesolo.path, kubesolo.size))
        let medium = try MediumComposer.compose(parts, for: folder.appending(".\(names.medium)"), scratch: folder)
        return MediumRecipe(
            file: names.medium, size: medium.size, sha256: medium.digest, overlay: parts.overlay.name,
            arguments: parts.arguments)
    }

    /// The repositories as an artefact of a bundle, where there are any.
    func packagesArtefact(_ names: ArtefactNames) -> [StagedArtefact] {
        guard !inputs.repositories.isEmpty else { return [] }
        return [
            StagedArtefact(.packages, file: names.packages) { target, _ in
                try TarFile.write(inputs.repositories, epoch: node.stamp.epoch, to: target)
            }
        ]
    }

    private func mediumParts(
        base: FilePath, overlay file: WrittenFile, kubesolo: (path: FilePath, size: UInt64)
    ) -> MediumParts {
        let name = Overlay.fileName(node)
        return MediumParts(
            base: base, overlay: (file, name), kubesolo: kubesolo, repositories: inputs.repositories,
            arguments: MediumArguments.words(node, overlay: name), epoch: node.stamp.epoch,
            holdsSecrets: overlay.tree.holdsSecrets)
    }
}
