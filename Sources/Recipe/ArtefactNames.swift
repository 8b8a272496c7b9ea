internal import Bundle
internal import Node

/// What the artefacts of a bundle are called: release names, so that a signed list of checksums stays valid wherever the
/// files are published side by side.
struct ArtefactNames {
    let overlay: String
    let seed: String
    let kubesolo: String
    let alpineImage: String
    let packages: String
    let medium: String
    let completeSeed: String
    let billOfMaterials: String
    let provenance: String

    init(_ node: NodeImage) {
        overlay = "\(node.releaseName).apkovl.tar.gz"
        seed = "\(node.releaseName).cidata.iso"
        kubesolo = "\(node.releaseName).kubesolo"
        packages = "\(node.releaseName).packages.tar"
        medium = "\(node.releaseName).iso"
        completeSeed = "\(node.releaseName).seed.iso"
        billOfMaterials = "\(node.releaseName).spdx.json"
        provenance = "\(node.releaseName).provenance.json"
        alpineImage = node.alpine.imageName(node.architecture)
    }

    /// The artefacts' names by their roles.
    var all: [Manifest.Role: String] {
        [.overlay: overlay, .seed: seed, .kubesolo: kubesolo, .alpineISO: alpineImage, .packages: packages]
    }
}
