internal import Node

/// Finding secrets in a configuration that is passed on, by what its keys are called.
extension ConfigValue.Pair {
    /// Whether the key names a secret of KubeSolo's (`portainer.edgeKey`, `pki.caKey`, `bootstrapToken`) or sounds like
    /// one, and a value is there.
    var holdsSecret: Bool {
        switch value {
        case .null, .bool, .mapping, .sequence: return false
        case .string(let text) where text.isEmpty: return false
        case .integer, .real, .string: break
        }
        let name = key.lowercased()
        return ["key", "token", "secret", "password", "passphrase", "credential", "kubeconfig"].contains {
            name.hasSuffix($0)
        }
    }
}

extension ConfigValue {
    /// The same value with every secret replaced by a note.
    var withoutSecrets: ConfigValue {
        switch self {
        case .sequence(let values): .sequence(values.map(\.withoutSecrets))
        case .mapping(let pairs):
            .mapping(
                pairs.map { $0.holdsSecret ? Pair($0.key, .string("(secret)")) : Pair($0.key, $0.value.withoutSecrets) }
            )
        case .null, .bool, .integer, .real, .string: self
        }
    }
}
