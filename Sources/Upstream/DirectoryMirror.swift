internal import Artefact
public import SystemPackage

/// A mirror that is a directory on this host, laid out as the upstreams lay out their servers.
///
/// Below the root, or below `alpine/` and `kubesolo/` in it: `vX.Y/releases/ARCH/NAME.iso` and `TAG/ASSET`.
public struct DirectoryMirror: Mirror, Hashable {
    /// The directory.
    public let root: FilePath

    /// Takes a directory; it is looked at when something is asked for.
    public init(root: FilePath) { self.root = root }

    /// The places that are looked at for an input, in this order.
    public func candidates(for input: UpstreamInput) -> [FilePath] {
        [root.appending(input.project).pushing(input.path), root.pushing(input.path)]
    }

    /// The first place that holds the input as a regular file.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notFound``, which lists the places, and names what the
    ///   directories there hold instead.
    public func locate(_ input: UpstreamInput) throws(UpstreamError) -> FilePath {
        let candidates = candidates(for: input)
        for path in candidates {
            if let status = try? HostFile.status(of: path), status.kind == .file { return path }
        }
        guard let status = try? HostFile.status(of: root), status.kind == .directory else {
            throw UpstreamError(.notFound, subject: root.string, detail: "is no directory that could be a mirror")
        }
        let places = candidates.map(\.string).joined(separator: " and ")
        throw UpstreamError(
            .notFound, subject: root.string,
            detail: "the mirror does not hold \(input.name) (looked for \(places))\(neighbours(candidates, input))")
    }

    /// The repositories of a branch that the mirror holds, in the order in which init finds them on a medium: by name.
    ///
    /// - Parameters:
    ///   - branch: `v3.23`.
    ///   - architecture: Alpine's name of the processor.
    /// - Returns: `community` and `main`, as far as they are there, each with the directory that holds its index.
    public func repositories(
        branch: String, architecture: String
    ) -> [(name: String, directory: FilePath)] {
        ["community", "main"].compactMap { name in
            let place = FilePath(branch).appending(name).appending(architecture)
            for directory in [root.appending("alpine").pushing(place), root.pushing(place)]
            where HostFile.exists(directory.appending("APKINDEX.tar.gz")) {
                return (name, directory)
            }
            return nil
        }
    }

    /// What lies where the input should be, for the message: files like it, else the releases.
    private func neighbours(_ candidates: [FilePath], _ input: UpstreamInput) -> String {
        for path in candidates {
            guard let names = try? HostFile.names(in: path.removingLastComponent()) else { continue }
            let ending = path.extension ?? ""
            let similar = names.filter { $0.hasSuffix(".\(ending)") }
            guard !similar.isEmpty else { continue }
            return "; there is \(similar.listed(most: 3))"
        }
        let release = input.path.components.first?.string ?? ""
        for directory in [root.appending(input.project), root] {
            guard let names = try? HostFile.names(in: directory) else { continue }
            let releases = names.filter { $0.hasPrefix("v") }
            guard !releases.isEmpty, !releases.contains(release) else { continue }
            return "; it has \(releases.suffix(4).joined(separator: ", ")) but no \(release)"
        }
        return ""
    }
}
