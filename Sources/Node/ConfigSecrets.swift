/// Finding secrets in a configuration that is passed on, by what its keys are called.
///
/// A key that sounds like a secret makes one of everything below it, wherever a text or a number is there. What is found
/// here is what files are marked secret for, what plans leave out and what warnings are about.
extension ConfigValue {
    /// A step from a value to one inside it.
    package enum Step: Hashable, Sendable {
        /// To the value of a key.
        case key(String)
        /// To an item of a sequence, from 0.
        case item(Int)
    }

    /// Whether a secret is in it.
    package var holdsSecrets: Bool { !secretPaths.isEmpty }

    /// Where its secrets are; of a secret inside another, the outer one.
    package var secretPaths: [[Step]] {
        var paths: [[Step]] = []
        _ = replacingSecrets(at: []) { path, value in
            paths.append(path)
            return value
        }
        return paths
    }

    /// The same value with every secret replaced by a note.
    package var withoutSecrets: ConfigValue { replacingSecrets(at: []) { _, _ in .string("(secret)") } }

    private func replacingSecrets(
        at path: [Step], _ replacement: ([Step], ConfigValue) -> ConfigValue
    ) -> ConfigValue {
        switch self {
        case .sequence(let values):
            return .sequence(
                values.enumerated().map { $1.replacingSecrets(at: path + [.item($0)], replacement) })
        case .mapping(let pairs):
            let isSelector = Self.isSelector(pairs, at: path)
            return .mapping(
                pairs.map { pair in
                    let below = path + [.key(pair.key)]
                    let isSecret =
                        SecretName.matches(pair.key) && pair.value.saysSomething
                        && !(isSelector && pair.key == "key")
                    return Pair(
                        pair.key,
                        isSecret ? replacement(below, pair.value) : pair.value.replacingSecrets(at: below, replacement))
                })
        case .null, .bool, .integer, .real, .string: return self
        }
    }

    /// Whether there is a text or a number in it.
    private var saysSomething: Bool {
        switch self {
        case .null, .bool: false
        case .string(let text): !text.isEmpty
        case .integer, .real: true
        case .sequence(let values): values.contains(where: \.saysSomething)
        case .mapping(let pairs): pairs.contains(where: \.value.saysSomething)
        }
    }

    /// Whether a mapping is one of Kubernetes' taints, tolerations or requirements, whose `key` is the name of a label.
    private static func isSelector(_ pairs: [Pair], at path: [Step]) -> Bool {
        if pairs.contains(where: { ["effect", "operator", "value", "values"].contains($0.key) }) { return true }
        guard case .item? = path.last, case .key(let list)? = path.dropLast().last else { return false }
        return ["taints", "tolerations", "matchExpressions"].contains { list.lowercased().hasSuffix($0.lowercased()) }
    }
}

/// Names of keys that sound like secrets: `edgeKey`, `edge_key_b64`, `bootstrapToken`, `dbPass`.
enum SecretName {
    private static let parts = [
        "key", "token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "kubeconfig",
    ]
    private static let words: Set<String> = ["pass", "pwd", "pw", "psk", "pin", "creds", "cred"]

    /// Whether a key sounds like a secret.
    static func matches(_ key: String) -> Bool {
        let letters = String(String.UnicodeScalarView(key.unicodeScalars.filter(\.properties.isAlphabetic)))
            .lowercased()
        return parts.contains { letters.contains($0) } || Self.words(of: key).contains { words.contains($0) }
    }

    /// The words of a name that is written in `camelCase` or with signs between them.
    private static func words(of key: String) -> [String] {
        var words: [String] = [""]
        var previousIsLower = false
        for scalar in key.unicodeScalars {
            let properties = scalar.properties
            if !properties.isAlphabetic || (previousIsLower && properties.isUppercase) { words.append("") }
            if properties.isAlphabetic { words[words.count - 1] += properties.lowercaseMapping }
            previousIsLower = properties.isLowercase
        }
        return words
    }
}
