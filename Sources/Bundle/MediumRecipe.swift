public import Artefact

/// How a medium of a bundle is composed of its artefacts, and what it is then.
///
/// The bundle holds the parts and not the media: what a medium repeats of Alpine's image, of the binary and of packages
/// would be on the disk again for every version.
public struct MediumRecipe: Hashable, Sendable {
    /// The media that a bundle composes to.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// One image that holds all that a node needs.
        case boot
        /// The complete seed, which is plugged in beside Alpine's image.
        case seed
    }

    /// What is said of a medium of each kind.
    public enum Composition: Hashable, Sendable {
        /// Alpine's image with the overlay under this name, on the medium and in the first root, and with these words for
        /// every kernel on it.
        case boot(overlay: String, arguments: [String])
        /// The artefact `seed` with binary and packages.
        case seed
    }

    /// What the parts were composed to.
    public struct Result: Hashable, Sendable {
        /// Its size in bytes.
        public var size: UInt64
        /// Its digest.
        public var sha256: Digest

        /// Joins the two.
        public init(size: UInt64, sha256: Digest) {
            self.size = size
            self.sha256 = sha256
        }
    }

    /// The release name of the medium.
    public var file: String
    /// How it is composed.
    public var composition: Composition
    /// What it is then; `nil` where that was not found out, so that nothing vouches for what is composed.
    public var result: Result?

    /// Joins the parts.
    public init(file: String, composition: Composition, result: Result?) {
        self.file = file
        self.composition = composition
        self.result = result
    }

    /// What it is for.
    public var kind: Kind {
        switch composition {
        case .boot: .boot
        case .seed: .seed
        }
    }

    /// The artefacts of which every medium of a kind is composed, exactly one of each for a node; `packages` may come with
    /// them.
    static func parts(of kind: Kind) -> [Manifest.Role] {
        switch kind {
        case .boot: [.alpineISO, .overlay, .kubesolo]
        case .seed: [.seed, .kubesolo]
        }
    }

    /// Whether both tell of the same medium; what only one of them knows is no difference.
    func agrees(with other: MediumRecipe) -> Bool {
        file == other.file && composition == other.composition
            && (result == nil || other.result == nil || result == other.result)
    }

    /// What breaks the contract, if anything does.
    static func fault(in media: [MediumRecipe], among artefacts: [Manifest.Artefact]) -> String? {
        guard Set(media.map(\.kind)).count == media.count else { return "has two media of one kind" }
        guard Set(media.map { $0.file.lowercased() }).count == media.count else { return "has two media of one name" }
        for medium in media {
            if let fault = medium.fault(among: artefacts) { return fault }
        }
        return nil
    }

    /// The same of what stands for the media of all nodes: it names the node in the file, and nothing vouches for it.
    private func faultOfFleet(among artefacts: [Manifest.Artefact]) -> String? {
        guard result == nil else { return "has a medium for each node, and one digest" }
        guard file.contains(Self.placeholder) else { return "'media.file' does not name the node" }
        guard let node = artefacts.lazy.compactMap(\.node).first else { return nil }
        return of(node).fault(among: artefacts.filter { $0.node ?? node == node }.map(\.withoutNode))
    }

    /// What stands for the node's name where a medium is told of for all nodes of a fleet.
    public static let placeholder = "{node}"

    /// How the medium of one node of a fleet is composed.
    public func of(_ node: String) -> MediumRecipe {
        func named(_ text: String) -> String {
            text.split(separator: Self.placeholder, omittingEmptySubsequences: false).joined(separator: node)
        }
        var recipe = self
        recipe.file = named(file)
        if case .boot(let overlay, let arguments) = composition {
            recipe.composition = .boot(overlay: named(overlay), arguments: arguments.map(named))
        }
        return recipe
    }

    private func fault(among artefacts: [Manifest.Artefact]) -> String? {
        let isFleet = artefacts.contains { $0.node != nil }
        if isFleet { return faultOfFleet(among: artefacts) }
        for role in Self.parts(of: kind) where artefacts.count(where: { $0.role == role }) != 1 {
            return "has a \(kind.rawValue) medium, and not one artefact with the role \(role.rawValue) to compose it of"
        }
        guard artefacts.count(where: { $0.role == .packages }) <= 1 else { return "has several artefacts of packages" }
        guard Manifest.isFileName(file), !artefacts.contains(where: { $0.file.lowercased() == file.lowercased() })
        else { return "'media.file' is no name that a file may have beside those of the bundle" }
        if let result, Int64(exactly: result.size) == nil { return "'media.size' is a size that no file can have" }
        guard case .boot(let overlay, let arguments) = composition else { return nil }
        guard Manifest.isFileName(overlay) else { return "'media.overlay' is no name that a file may have" }
        let isWord: (String) -> Bool = { word in
            (1...1024).contains(word.utf8.count) && word.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        }
        guard arguments.count <= 256, arguments.allSatisfy(isWord) else {
            return "'media.arguments' are not up to 256 words of printable ASCII"
        }
        return nil
    }
}
