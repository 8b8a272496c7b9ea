public import Bundle
internal import Node
public import SystemPackage

/// Reading `trust`.
extension RecipeReader {
    mutating func readTrust(_ root: CheckedNode) {
        for item in take("trust", of: root)?.items ?? [] {
            guard let text = item.text else { continue }
            do throws(BundleError) {
                let key: MinisignPublicKey
                if let reference = Reference(text) {
                    guard let bytes = follow(item, reference, limit: Self.keyFileLimit, isSecret: false) else {
                        continue
                    }
                    key = try MinisignPublicKey(decoding: bytes, named: "what it refers to")
                } else {
                    key = try MinisignPublicKey(parsing: text, named: shown(text))
                }
                if recipe.trust.contains(key) {
                    fault(item, "key \(key) is listed twice", "keep one of them")
                } else {
                    recipe.trust.append(key)
                }
            } catch {
                inputs.removeAll { $0.keyPath == item.path }
                fault(
                    item, "\(error.subject) \(error.detail)", "give the public key that ksbuild keygen --signing made")
            }
        }
    }
}

extension RecipeFile {
    /// The keys of which one must have signed a bundle, as a recipe says.
    ///
    /// Nothing else that the recipe refers to is read, so that secrets need not be at hand; but all of it must be well
    /// formed, so that no key is passed over that is merely misspelt.
    ///
    /// - Parameters:
    ///   - path: The recipe, as ``decode(_:surroundings:)`` takes it.
    ///   - surroundings: What it may refer to.
    /// - Returns: The keys; none where the recipe does not say.
    /// - Throws: ``RecipeFaults`` with all faults at once.
    public static func trust(
        _ path: FilePath, surroundings: Surroundings
    ) throws(RecipeFaults) -> [MinisignPublicKey] {
        let (bytes, directory) = try read(path, surroundings)
        let file = path.string
        var faults: [ConfigurationFault] = []
        do throws(ConfigurationFault) {
            let (root, sourceFaults) = SourceParser.parse(try SourceText(bytes, file: file), file: file)
            faults = sourceFaults
            if let root {
                let (checked, schemaFaults) = SchemaCheck.check(root, file: file)
                faults += schemaFaults
                if let checked {
                    var reader = RecipeReader(
                        file: file, references: ReferenceReader(directory: directory, surroundings: surroundings))
                    reader.readTrust(checked)
                    faults += reader.faults
                    if faults.isEmpty { return reader.recipe.trust }
                }
            }
        } catch {
            faults = [error]
        }
        throw RecipeFaults(faults.sorted(by: ConfigurationFault.precedes))
    }
}
