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
        let layers = overlay.tree.entries.compactMap { entry -> FilePath? in
            guard case .file(.file(let path, _)) = entry.kind else { return nil }
            return path
        }
        try BuildError.requireDistinct(target, from: sources + layers)
    }
}

extension BuildError {
    /// Requires that an output is none of the files that it is made from, under whatever name.
    ///
    /// - Throws: ``BuildError`` with ``BuildError/Code/outputIsInput``.
    public static func requireDistinct(_ target: FilePath, from sources: [FilePath]) throws(BuildError) {
        guard let identity = (try? HostFile.status(of: target))?.identity else { return }
        for source in sources where (try? HostFile.status(of: source))?.identity == identity {
            throw BuildError(
                .outputIsInput, subject: target.string, detail: "is an input of this build; name another output")
        }
    }
}
