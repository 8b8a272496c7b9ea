internal import Node

/// A value that fits its schema, with its place; what did not fit is missing from it and has been reported.
struct CheckedNode: Sendable {
    /// The value.
    indirect enum Value: Sendable {
        case text(String)
        case flag(Bool)
        case integer(Int64)
        case byteCount(UInt64)
        case list([CheckedNode])
        /// The keys of an object or a table in the order written.
        case mapping([Entry])
        case configuration([ConfigurationEntry])
    }

    /// A key and its value.
    struct Entry: Sendable {
        let key: String
        let keyPosition: SourcePosition
        let value: CheckedNode
    }

    /// A key of a configuration that is passed on.
    struct ConfigurationEntry: Sendable {
        /// A configuration that gives the key.
        struct Origin: Sendable {
            /// Where the configuration stands: `nodes.edge-001.kubesolo.config`.
            let path: String
            let position: SourcePosition
            let keyPosition: SourcePosition
            /// What this one says of it.
            let value: ConfigValue
        }

        let key: String
        let value: ConfigValue
        /// Who gives it or parts of it, the recipe before the node that is laid over it; never empty.
        let origins: [Origin]
    }

    let value: Value
    let position: SourcePosition
    /// Where it stands: `access.users[0].name`.
    let path: String
    /// Where its like stand: `access.users[].name`.
    let schemaPath: String
}

extension CheckedNode {
    /// The value of a key.
    subscript(_ key: String) -> CheckedNode? { entries.last { $0.key == key }?.value }

    /// Whether a node of a fleet gives it, and not the recipe.
    var isBelowNodes: Bool { path.hasPrefix("nodes") }

    var text: String? {
        guard case .text(let text) = value else { return nil }
        return text
    }

    var flag: Bool? {
        guard case .flag(let flag) = value else { return nil }
        return flag
    }

    var integer: Int64? {
        guard case .integer(let integer) = value else { return nil }
        return integer
    }

    var byteCount: UInt64? {
        guard case .byteCount(let count) = value else { return nil }
        return count
    }

    var items: [CheckedNode] {
        guard case .list(let items) = value else { return [] }
        return items
    }

    var entries: [Entry] {
        guard case .mapping(let entries) = value else { return [] }
        return entries
    }

    var configuration: [ConfigurationEntry] {
        guard case .configuration(let entries) = value else { return [] }
        return entries
    }
}
