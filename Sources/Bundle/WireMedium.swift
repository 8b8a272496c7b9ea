internal import Artefact

/// The recipe of a medium as JSON has it: in a manifest, and in what is told of one.
public struct WireMedium: Codable, Sendable {
    /// What it is for: `boot` or `seed`.
    public let kind: String
    /// The release name.
    public let file: String
    /// The size in bytes, where it was composed.
    public let size: UInt64?
    /// The digest, where it was composed.
    public let sha256: String?
    /// The name of the overlay on it; of a boot medium.
    public let overlay: String?
    /// What every kernel on it is told; of a boot medium.
    public let arguments: [String]?

    /// Takes what a recipe says.
    public init(_ recipe: MediumRecipe) {
        kind = recipe.kind.rawValue
        file = recipe.file
        size = recipe.result?.size
        sha256 = recipe.result?.sha256.hex
        guard case .boot(let overlay, let arguments) = recipe.composition else {
            overlay = nil
            arguments = nil
            return
        }
        self.overlay = overlay
        self.arguments = arguments
    }

    /// What it says; keys that its kind does not have are left to the comparison with the canonical text.
    var recipe: MediumRecipe {
        get throws {
            func refuse(_ why: String) -> BundleError {
                BundleError(.invalidManifest, subject: Manifest.fileName, detail: why)
            }
            let composition: MediumRecipe.Composition
            switch MediumRecipe.Kind(rawValue: kind) {
            case .boot:
                guard let overlay, let arguments else {
                    throw refuse("has a boot medium without 'overlay' or 'arguments'")
                }
                composition = .boot(overlay: overlay, arguments: arguments)
            case .seed: composition = .seed
            case nil: throw refuse("has a medium of unknown kind '\(kind)'")
            }
            guard (size == nil) == (sha256 == nil) else {
                throw refuse("has a medium with one of 'size' and 'sha256', which go together")
            }
            let result = try size.flatMap { size in
                try sha256.map { MediumRecipe.Result(size: size, sha256: try Digest(hex: $0)) }
            }
            return MediumRecipe(file: file, composition: composition, result: result)
        }
    }
}
