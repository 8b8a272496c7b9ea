public import Artefact
public import Registry
public import SystemPackage

/// Where bundles are published to and pulled from.
public enum Place: Hashable, Sendable, CustomStringConvertible {
    /// `dir:PATH`: a directory with a folder for each version and `latest`.
    case folder(FilePath)
    /// `oci-layout:PATH[:TAG][@DIGEST]`: an OCI image layout.
    case layout(FilePath, tag: String?, digest: Digest?)
    /// `oci://REGISTRY/REPOSITORY[:TAG][@DIGEST]`.
    case registry(RegistryReference)

    /// Reads a place.
    ///
    /// - Throws: ``PublishError`` with ``PublishError/Code/invalidPlace``, `RegistryError` for a bad reference.
    public init(_ text: String) throws {
        func path(_ text: Substring) throws -> FilePath {
            guard !text.isEmpty else {
                throw PublishError(.invalidPlace, subject: "'\(text)'", detail: "names no directory after the colon")
            }
            return FilePath(String(text))
        }
        if text.hasPrefix("dir:") {
            self = .folder(try path(text.dropFirst(4)))
        } else if text.hasPrefix("oci-layout:") {
            let (name, tag, digest) = try RegistryReference.pinned(String(text.dropFirst(11)))
            self = .layout(try path(name[...]), tag: tag, digest: digest)
        } else if text.hasPrefix("oci://") {
            self = .registry(try RegistryReference(String(text.dropFirst(6))))
        } else {
            // An address of another form may hold a password.
            throw PublishError(
                .invalidPlace, subject: text.contains("@") ? "what is given" : "'\(text.prefix(200))'",
                detail: "is no place; the forms are dir:PATH, oci-layout:PATH[:TAG] and oci://REGISTRY/REPOSITORY[:TAG]"
            )
        }
    }

    /// Whether it names a digest.
    public var isPinned: Bool {
        switch self {
        case .folder: false
        case .layout(_, _, let digest): digest != nil
        case .registry(let reference): reference.digest != nil
        }
    }

    /// The place as it is written.
    public var description: String {
        switch self {
        case .folder(let path): "dir:\(path)"
        case .layout(let path, let tag, let digest):
            "oci-layout:\(path)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@sha256:\($0)" } ?? "")
        case .registry(let reference): "oci://\(reference)"
        }
    }
}
