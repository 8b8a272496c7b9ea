internal import APKOVL
internal import Artefact
public import SystemPackage

extension NodeBuild {
    /// Refuses an output that would replace what the build is made from, under whatever name.
    ///
    /// - Parameters:
    ///   - target: Where something is about to be written.
    ///   - sources: Files that the build was told to read; those of layers are known here.
    /// - Throws: ``BuildError`` with ``BuildError/Code/outputIsInput``.
    public func refuse(_ target: FilePath, amongInputs sources: [FilePath]) throws(BuildError) {
        guard let identity = (try? HostFile.status(of: target))?.identity else { return }
        let layers = overlay.tree.entries.compactMap { entry -> FilePath? in
            guard case .file(.file(let path, _)) = entry.kind else { return nil }
            return path
        }
        for source in sources + layers where (try? HostFile.status(of: source))?.identity == identity {
            throw BuildError(
                .outputIsInput, subject: target.string, detail: "is an input of this build; name another output")
        }
    }
}
