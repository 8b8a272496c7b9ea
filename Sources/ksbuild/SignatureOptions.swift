import ArgumentParser
import Artefact
import Bundle
import Recipe
import SystemPackage

/// Which keys count when a bundle is judged.
struct TrustOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A public key, or its file: one that is given must have signed the bundle. Given, it counts instead of the recipe's.",
            valueName: "key"))
    var trust: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The recipe whose 'trust' counts (default: \(RecipeFile.defaultName), where that is there).",
            valueName: "file"), completion: Completion.recipe)
    var recipe: String?

    /// The keys of which one must have signed; with none, nothing need be signed.
    ///
    /// - Parameter others: Keys that another option of the command names; they count as those of `--trust` do.
    /// - Returns: The keys.
    /// - Throws: `BundleError` for what is no key, `ArtefactError` for a file that cannot be read.
    func keys(besides others: [String] = []) throws -> [MinisignPublicKey] {
        let given = trust + others
        guard given.isEmpty else { return try given.map(Self.key) }
        let path = FilePath(recipe ?? RecipeFile.defaultName)
        guard recipe != nil || HostFile.exists(path) else { return [] }
        return try RecipeFile.trust(path, surroundings: Host.surroundings)
    }

    private static func key(_ text: String) throws -> MinisignPublicKey {
        if text.hasPrefix("RW"), text.utf8.count == MinisignPublicKey.textLength {
            return try MinisignPublicKey(parsing: text, named: text)
        }
        return try MinisignPublicKey(ofFile: FilePath(text))
    }
}

/// By which key a bundle is signed.
struct SigningOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Sign by this private key of 'ksbuild keygen --signing'.", valueName: "file"),
        completion: .file())
    var sign: String?

    @Flag(name: .long, help: "Write a signature for 'ssh-keygen -Y verify' as well.")
    var sshSignature = false

    /// Who signs.
    ///
    /// - Throws: `ValidationError` for an SSH signature alone; `BundleError` where the key cannot be used, or the
    /// bundle would not be trusted by its own recipe.
    func signer(for decoded: DecodedRecipe) throws -> BundleSigner? {
        if sshSignature, sign == nil { throw ValidationError("--ssh-signature goes with --sign KEY") }
        let trusted = decoded.recipe.trust
        let names = trusted.map(\.identifier).joined(separator: ", ")
        guard let sign else {
            guard trusted.isEmpty else {
                throw BundleError(
                    .invalidStage, subject: decoded.file,
                    detail: "trusts only what is signed by \(names), so the bundle could not be activated; "
                        + "name the private key with --sign")
            }
            return nil
        }
        let key = try MinisignSecretKey(ofFile: FilePath(sign))
        guard trusted.isEmpty || trusted.contains(key.publicKey) else {
            throw BundleError(
                .invalidKey, subject: sign,
                detail: "is key \(key.publicKey), and \(decoded.file) trusts only \(names), so the bundle could not be "
                    + "activated; sign by another key, or add \(key.publicKey.text) to 'trust'")
        }
        return BundleSigner(key, writesSSHSignature: sshSignature)
    }
}

extension BundleSignature {
    /// What `--json` calls it.
    var word: String {
        switch self {
        case .none: "none"
        case .unchecked: "unchecked"
        case .trusted: "trusted"
        }
    }

    /// The name of the key that signed.
    var signer: String? {
        switch self {
        case .none: nil
        case .unchecked(let name): name
        case .trusted(let key): key.identifier
        }
    }

    /// What is known of who made a bundle, in words.
    var sentence: String {
        switch self {
        case .none: "not signed"
        case .unchecked(let name):
            "signed by \(name), which was not checked: no key is given with --trust or in the recipe"
        case .trusted(let key): "signed by \(key), which is trusted"
        }
    }
}
