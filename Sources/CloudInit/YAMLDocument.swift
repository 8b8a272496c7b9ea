internal import Yams

/// A user's YAML document, read with everything bounded that somebody could make expensive.
struct YAMLDocument {
    /// A key at the top of the document and where it stands.
    struct Key: Hashable {
        let name: String
        let line: Int
        let column: Int
    }

    /// The whole document.
    let pairs: [YAMLValue.Pair]
    /// The keys at its top.
    let keys: [Key]

    /// The largest document, in bytes.
    static let maximumBytes = 4 << 20
    /// The most values, counted after aliases have been written out.
    static let maximumNodes = 100_000
    /// The deepest nesting.
    static let maximumDepth = 64

    /// Stands for `*` while the document is looked through without its aliases: a character of private use.
    private static let noAlias: Unicode.Scalar = "\u{e000}"

    /// Reads a document that is a mapping.
    ///
    /// The first reading has no aliases, which shows whether a key is a collection or an alias: those are refused before
    /// the second reading resolves aliases, because comparing such keys could take forever.
    ///
    /// - Parameters:
    ///   - text: The document.
    ///   - name: What messages call it.
    /// - Throws: ``CloudInitError`` with ``CloudInitError/Code/invalidUserData``.
    init(_ text: String, named name: String) throws(CloudInitError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw CloudInitError(
                .invalidUserData, subject: name, detail: "is larger than \(Self.maximumBytes) bytes")
        }
        if text.unicodeScalars.contains("*") {
            var masked = String.UnicodeScalarView()
            masked.append(contentsOf: text.unicodeScalars.map { $0 == "*" ? Self.noAlias : $0 })
            let tree = try Self.compose(String(masked), name)
            var check = Conversion(name: name)
            try check.refuseKeys(of: tree)
        }
        let tree = try Self.compose(text, name)
        var conversion = Conversion(name: name)
        guard case .mapping(let mapping) = tree, case .mapping(let pairs) = try conversion.value(of: tree, depth: 0)
        else { throw Self.fault(name, tree.mark, "is no mapping; write KEY: VALUE lines") }
        self.pairs = pairs
        keys = mapping.map { pair in
            Key(name: pair.key.scalar?.string ?? "", line: pair.key.mark?.line ?? 1, column: pair.key.mark?.column ?? 1)
        }
    }

    private static func compose(_ text: String, _ name: String) throws(CloudInitError) -> Yams.Node {
        do {
            let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
            if let root = try parser.singleRoot() { return root }
            return Yams.Node([(Yams.Node, Yams.Node)]())
        } catch let error as YamlError {
            throw Self.fault(error, name)
        } catch {
            throw CloudInitError(.invalidUserData, subject: name, detail: "cannot be read as YAML")
        }
    }

    fileprivate static func fault(_ name: String, _ mark: Mark?, _ detail: String) -> CloudInitError {
        let place = mark.map { ":\($0.line):\($0.column)" } ?? ""
        return CloudInitError(.invalidUserData, subject: name + place, detail: detail)
    }

    private static func fault(_ error: YamlError, _ name: String) -> CloudInitError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = context.map { " (\($0.text.trimmed) from \($0.mark.line):\($0.mark.column))" } ?? ""
            return fault(name, mark, "is no valid YAML: \(problem.trimmed)\(around)")
        case .duplicatedKeysInMapping(let names, let context):
            return fault(name, context.mark, "the key '\(names.first?.prefix(80) ?? "")' is given twice")
        case .reader(let problem, let offset, _, _):
            return fault(name, nil, "is no valid YAML: \(problem.trimmed)\(offset.map { " at byte \($0)" } ?? "")")
        default:
            return fault(name, nil, "cannot be read as YAML")
        }
    }

    /// A walk over the tree that Yams made.
    private struct Conversion {
        let name: String
        var nodes = 0

        init(name: String) { self.name = name }

        /// Tags of YAML's own that a document may name; what else there is no reader of cloud-init takes.
        static let tags: Set<String> = ["binary", "bool", "float", "int", "null", "str", "timestamp"]

        mutating func refuseKeys(of node: Yams.Node) throws(CloudInitError) {
            try count(node, depth: 0)
            switch node {
            case .mapping(let mapping):
                for pair in mapping {
                    guard case .scalar(let key) = pair.key,
                        key.style != .plain || key.string.unicodeScalars.first != noAlias
                    else {
                        throw fault(name, pair.key.mark, "has a key that is not simply a word")
                    }
                    try refuseKeys(of: pair.value)
                }
            case .sequence(let sequence): for item in sequence { try refuseKeys(of: item) }
            case .scalar, .alias: break
            }
        }

        mutating func value(of node: Yams.Node, depth: Int) throws(CloudInitError) -> YAMLValue {
            try count(node, depth: depth)
            switch node {
            case .scalar(let scalar): return try value(of: scalar)
            case .sequence(let sequence):
                try refuseTag(sequence.tag, sequence.mark, unless: "seq")
                var items: [YAMLValue] = []
                for item in sequence { items.append(try value(of: item, depth: depth + 1)) }
                return .sequence(items)
            case .mapping(let mapping):
                try refuseTag(mapping.tag, mapping.mark, unless: "map")
                var pairs: [YAMLValue.Pair] = []
                for (key, item) in mapping {
                    guard case .scalar(let scalar) = key else {
                        throw fault(name, key.mark, "has a key that is not simply a word")
                    }
                    // Comparing keys has left 'str' as the tag of those that had none.
                    let isUntagged = scalar.style == .plain && scalar.tag.shortName == "str"
                    let name = isUntagged ? YAMLValue.scalar(scalar.string, isPlain: true) : try value(of: scalar)
                    pairs.append(.init(key: name, value: try value(of: item, depth: depth + 1)))
                }
                return .mapping(pairs)
            case .alias(let alias): throw fault(name, alias.mark, "has an alias that means nothing")
            }
        }

        private func value(of scalar: Yams.Node.Scalar) throws(CloudInitError) -> YAMLValue {
            let isPlain = scalar.style == .plain || scalar.style == .any
            let tag = scalar.tag.shortName
            if tag.isEmpty || (tag == "str" && !isPlain) { return .scalar(scalar.string, isPlain: isPlain) }
            if tag == "str" { return .text(scalar.string) }
            guard Self.tags.contains(tag) else {
                throw fault(name, scalar.mark, "has the tag '\(tag.prefix(80))', which cloud-init does not take")
            }
            return .tagged(tag, scalar.string)
        }

        private func refuseTag(_ tag: Tag, _ mark: Mark?, unless own: String) throws(CloudInitError) {
            guard tag.shortName.isEmpty || tag.shortName == own else {
                throw fault(name, mark, "has the tag '\(tag.shortName.prefix(80))', which cloud-init does not take")
            }
        }

        private mutating func count(_ node: Yams.Node, depth: Int) throws(CloudInitError) {
            nodes += 1
            guard nodes <= maximumNodes else {
                throw fault(name, node.mark, "holds more than \(maximumNodes) values")
            }
            guard depth <= maximumDepth else {
                throw fault(name, node.mark, "is nested deeper than \(maximumDepth) levels")
            }
        }
    }
}

extension Tag {
    /// The tag without the prefix of YAML's own; empty where none is written, and for `!`, which PyYAML passes over.
    fileprivate var shortName: String {
        let text = description
        let prefix = "tag:yaml.org,2002:"
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text == "!" ? "" : text
    }
}

extension String {
    /// On one line, without blanks at its ends.
    fileprivate var trimmed: String {
        split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
