public import Artefact

/// How the boot medium of a bundle is composed of its artefacts, and what it is then.
///
/// The bundle holds the parts and not the medium: what a medium repeats of Alpine's image would be on the disk again for
/// every version.
public struct MediumRecipe: Hashable, Sendable {
    /// The release name of the medium.
    public var file: String
    /// Its size in bytes.
    public var size: UInt64
    /// Its digest.
    public var sha256: Digest
    /// The name of the overlay on the medium and in the first root.
    public var overlay: String
    /// The words that every kernel on it is told.
    public var arguments: [String]

    /// Joins the parts.
    public init(file: String, size: UInt64, sha256: Digest, overlay: String, arguments: [String]) {
        self.file = file
        self.size = size
        self.sha256 = sha256
        self.overlay = overlay
        self.arguments = arguments
    }

    /// The artefacts of which every medium is composed, exactly one of each; `packages` may come with them.
    static let parts: [Manifest.Role] = [.alpineISO, .overlay, .kubesolo]

    /// What breaks the contract, if anything does.
    func fault(among artefacts: [Manifest.Artefact]) -> String? {
        for role in Self.parts where artefacts.count(where: { $0.role == role }) != 1 {
            return "has a medium, and not one artefact with the role \(role.rawValue) to compose it of"
        }
        guard artefacts.count(where: { $0.role == .packages }) <= 1 else { return "has several artefacts of packages" }
        guard Manifest.isFileName(file), !artefacts.contains(where: { $0.file.lowercased() == file.lowercased() })
        else { return "'medium.file' is no name that a file may have beside those of the bundle" }
        guard Int64(exactly: size) != nil else { return "'medium.size' is a size that no file can have" }
        guard Manifest.isFileName(overlay) else { return "'medium.overlay' is no name that a file may have" }
        let isWord: (String) -> Bool = { word in
            (1...1024).contains(word.utf8.count) && word.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        }
        guard arguments.count <= 256, arguments.allSatisfy(isWord) else {
            return "'medium.arguments' are not up to 256 words of printable ASCII"
        }
        return nil
    }
}
