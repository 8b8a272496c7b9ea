internal import APKOVL
internal import Artefact
public import SystemPackage

extension NodeBuild {
    /// Refuses to put the private key that signs a bundle into the bundle, under whatever name.
    ///
    /// - Parameter key: The file of the key.
    /// - Throws: ``BuildError`` with ``BuildError/Code/invalidKey`` where a file of the overlay has the same bytes;
    ///   `ArtefactError` where one cannot be read.
    public func refuse(privateKey key: FilePath) throws {
        let size = try HostFile.status(of: key).size
        let digest = try Digest(ofFile: key)
        for entry in overlay.tree.entries where entry.size == size {
            guard case .file(let content) = entry.kind else { continue }
            var stream = DigestStream()
            try content.forEachChunk { stream.update($0) }
            guard stream.finalize() == digest else { continue }
            throw BuildError(
                .invalidKey, subject: key.string,
                detail: "is the private key that signs, and \(entry.origin) puts it into the overlay as \(entry.path); "
                    + "take it out of there")
        }
    }
}
