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
        let key: String
        let keyPosition: SourcePosition
        let value: ConfigValue
    }

    let value: Value
    let position: SourcePosition
    /// Where it stands: `access.users[0].name`.
    let path: String
    /// Where its like stand: `access.users[].name`.
    let schemaPath: String
}

extension CheckedNode {
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
