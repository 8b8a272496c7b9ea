/// A value of somebody else's configuration that is passed through: order kept, meaning not judged.
public indirect enum ConfigValue: Hashable, Sendable {
    /// No value.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number.
    case integer(Int64)
    /// A number with a fraction.
    case real(Double)
    /// Text.
    case string(String)
    /// Values in order.
    case sequence([ConfigValue])
    /// Keys and values in the order written; keys differ.
    case mapping([Pair])

    /// A key and its value.
    public struct Pair: Hashable, Sendable {
        /// The key.
        public var key: String
        /// The value.
        public var value: ConfigValue

        /// Joins the two.
        public init(_ key: String, _ value: ConfigValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of a key, where this is a mapping that has it.
    public subscript(key: String) -> ConfigValue? {
        guard case .mapping(let pairs) = self else { return nil }
        return pairs.first { $0.key == key }?.value
    }
}
