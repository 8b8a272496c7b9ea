internal import APKOVL
public import Artefact
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
        let name = Overlay.fileName(node)
        let parts = MediumParts(
            base: image.path, overlay: (overlayFile, name), kubesolo: (kubesolo.path, kubesolo.pin.size),
            repositories: FileTree(), arguments: MediumArguments.words(node, overlay: name),
            epoch: node.stamp.epoch, holdsSecrets: overlay.tree.holdsSecrets)
        let written = try MediumComposer.compose(parts, to: target, scratch: scratch)
        report(.detail("\(parts.arguments.joined(separator: " ")), \(written.size) bytes"))
        return written
    }
}
