internal import Artefact

/// The recipe of a medium as the manifest's JSON has it.
struct WireMedium: Codable {
    let kind: String
    let file: String
    let size: UInt64?
    let sha256: String?
    let overlay: String?
    let arguments: [String]?

    init(_ recipe: MediumRecipe) {
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
