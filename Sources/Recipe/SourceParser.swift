internal import Yams

/// Turns the text of a recipe into a tree, and refuses what makes YAML hard to read or costly to hold.
///
/// Anchors, aliases, merge keys, tags, complex keys and further documents are faults. Keys that are given twice are
/// all found, not only the first pair. What the document may cost is bounded before and after it is composed.
struct SourceParser {
    /// The deepest nesting.
    static let maximumDepth = 32
    /// The most values, keys included.
    static let maximumNodes = 100_000
    /// The most keys that are found to be given twice.
    static let maximumDuplicates = 64

    private let file: String
    private var scalars: [Unicode.Scalar]
    private var lineStarts: [Int]
    /// Keys that a later one of the same mapping repeats, by place, with their names.
    private var repeated: [SourcePosition: String] = [:]
    private(set) var faults: [ConfigurationFault] = []
    private var nodes = 0

    /// Composes the tree of a text.
    ///
    /// - Returns: The tree, or `nil` where it cannot be had, and all faults found on the way.
    static func parse(_ source: SourceText, file: String) -> (root: SourceNode?, faults: [ConfigurationFault]) {
        var parser = SourceParser(source, file: file)
        let root = parser.compose()
        return (root, parser.faults)
    }

    private init(_ source: SourceText, file: String) {
        self.file = file
        scalars = Array(source.text.unicodeScalars)
        lineStarts = [0]
        for (index, scalar) in scalars.enumerated() where scalar == "\n" { lineStarts.append(index + 1) }
    }

    private mutating func compose() -> SourceNode? {
        guard !refuseAnchors() else { return nil }
        while true {
            do {
                let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
                guard let root = try parser.singleRoot() else {
                    report(.start, "", "is empty", "write one with 'ksbuild init'")
                    return nil
                }
                return withExtendedLifetime(parser) { convert(root, path: "", depth: 0) }
            } catch let error as YamlError {
                guard setAside(error) else {
                    report(error)
                    return nil
                }
            } catch {
                report(.start, "", "cannot be read as YAML: \(error)")
                return nil
            }
        }
    }

    private var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Finds anchors before anything can refer to them, so that no document unfolds into millions of values.
    ///
    /// The search runs over a copy in which no `*` is left, and so no alias: each becomes a character of private use,
    /// which a recipe cannot hold, of the same width.
    private mutating func refuseAnchors() -> Bool {
        guard scalars.contains("&") else { return false }
        let original = scalars
        defer { scalars = original }
        scalars = scalars.map { $0 == "*" ? Self.noAlias : $0 }
        guard let parser = try? Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8),
            let root = try? parser.singleRoot()
        else { return false }
        var anchors: [SourcePosition] = []
        withExtendedLifetime(parser) {
            var pending = [root]
            while let node = pending.popLast() {
                if node.anchor != nil { anchors.append(place(node)) }
                switch node {
                case .sequence(let sequence): pending.append(contentsOf: sequence)
                case .mapping(let mapping): for pair in mapping { pending.append(contentsOf: [pair.key, pair.value]) }
                case .scalar, .alias: break
                }
            }
        }
        for anchor in anchors.sorted().prefix(Self.maximumDuplicates) {
            report(anchor, "", "has an anchor, and recipes have neither anchors nor aliases", "write the value out")
        }
        return !anchors.isEmpty
    }

    private static let noAlias = Unicode.Scalar(0xe000) ?? " "

    /// Gives the first of two equal keys another name and remembers it, so that the rest can be composed.
    private mutating func setAside(_ error: YamlError) -> Bool {
        guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first,
            repeated.count < Self.maximumDuplicates
        else { return false }
        let position = SourcePosition(line: context.mark.line, column: context.mark.column)
        guard lineStarts.indices.contains(position.line - 1) else { return false }
        var index = lineStarts[position.line - 1] + position.column - 1
        let isQuoted = scalars.indices.contains(index) && (scalars[index] == "'" || scalars[index] == "\"")
        if isQuoted { index += 1 }
        guard let stamp = Unicode.Scalar(0xe100 + UInt32(repeated.count)), scalars.indices.contains(index),
            !name.isEmpty, isQuoted || name.unicodeScalars.first == scalars[index]
        else { return false }
        scalars[index] = stamp
        repeated[position] = name
        return true
    }

    private mutating func convert(_ node: Yams.Node, path: String, depth: Int) -> SourceNode? {
        let position = place(node)
        nodes += 1
        guard nodes <= Self.maximumNodes else {
            if nodes == Self.maximumNodes + 1 {
                report(position, path, "is one value too many: a recipe holds at most \(Self.maximumNodes)")
            }
            return nil
        }
        guard depth < Self.maximumDepth else {
            report(position, path, "is nested deeper than \(Self.maximumDepth) levels")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            let isUntagged = scalar.tag.rawValue.isEmpty || (!isPlain && scalar.tag == "tag:yaml.org,2002:str")
            if !isUntagged { refuse(tag: scalar.tag, position, path) }
            return SourceNode(value: .scalar(scalar.string, isPlain: isPlain), position: position)
        case .sequence(let sequence):
            if !sequence.tag.rawValue.isEmpty { refuse(tag: sequence.tag, position, path) }
            var items: [SourceNode] = []
            for (index, item) in sequence.enumerated() {
                if let item = convert(item, path: "\(path)[\(index)]", depth: depth + 1) { items.append(item) }
            }
            return SourceNode(value: .sequence(items), position: position)
        case .mapping(let mapping):
            if !mapping.tag.rawValue.isEmpty { refuse(tag: mapping.tag, position, path) }
            return SourceNode(value: .mapping(pairs(mapping, path: path, depth: depth)), position: position)
        case .alias:
            report(position, path, "is an alias, and recipes have none", "write the value out")
            return nil
        }
    }

    private mutating func pairs(_ mapping: Yams.Node.Mapping, path: String, depth: Int) -> [SourceNode.Pair] {
        var pairs: [SourceNode.Pair] = []
        var setAside: [(name: String, position: SourcePosition)] = []
        for (key, value) in mapping {
            let position = place(key)
            guard case .scalar(let scalar) = key else {
                report(position, path, "has a key that is a list or a mapping", "keys are plain words")
                continue
            }
            if let name = repeated[position] {
                nodes += 1
                setAside.append((name, position))
                continue
            }
            let isTagged = !["", "tag:yaml.org,2002:str"].contains(scalar.tag.rawValue)
            if isTagged { refuse(tag: scalar.tag, position, path) }
            if scalar.string == "<<", scalar.style == .plain {
                report(position, path, "is merged from elsewhere ('<<'), which recipes cannot do", "write the keys out")
                continue
            }
            nodes += 1
            guard let value = convert(value, path: joined(path, scalar.string), depth: depth + 1) else { continue }
            pairs.append(SourceNode.Pair(key: scalar.string, keyPosition: position, value: value))
        }
        for (name, first) in setAside {
            let last = pairs.first { $0.key == name }?.keyPosition ?? first
            report(
                last, joined(path, name), "is given twice (the first stands at \(first.line):\(first.column))",
                "keep one of them")
        }
        return pairs
    }

    private mutating func refuse(tag: Tag, _ position: SourcePosition, _ path: String) {
        report(position, path, "has the tag \(shown(tag.rawValue)), and recipes have no tags", "remove the tag")
    }

    private func place(_ node: Yams.Node) -> SourcePosition {
        node.mark.map { SourcePosition(line: $0.line, column: $0.column) } ?? .none
    }

    private mutating func report(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let position = SourcePosition(line: mark.line, column: mark.column)
            switch problem {
            case "found undefined alias":
                report(
                    position, "", "is an alias, and recipes have none", "write the value out, or quote a text with '*'")
            case "but found another document":
                report(position, "", "begins a second document, and a recipe is one", "remove the '---'")
            default:
                let around = context.map { "\($0.text) that began at \($0.mark.line):\($0.mark.column), " } ?? ""
                report(position, "", "is no YAML: \(around)\(problem)", Self.hint(for: problem))
            }
        case .duplicatedKeysInMapping(let names, let context):
            report(
                SourcePosition(line: context.mark.line, column: context.mark.column), names.first ?? "",
                "is given twice", "keep one of them")
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            report(.start, "", "cannot be read as YAML: \(problem)")
        case .no, .memory, .dataCouldNotBeDecoded:
            report(.start, "", "cannot be read as YAML")
        }
    }

    private static func hint(for problem: String) -> String {
        switch problem {
        case "found character that cannot start any token":
            "indent with blanks and quote a text that begins with '@', '`' or '%'"
        case "found a tab character that violates indentation",
            "found a tab character where an indentation space is expected":
            "indent with blanks"
        case "mapping values are not allowed in this context": "quote a text that holds ': ', and check the indentation"
        case "did not find expected key", "did not find expected '-' indicator": "check the indentation"
        case "could not find expected ':'": "write 'KEY: VALUE' with a blank after the colon"
        default: ""
        }
    }

    private mutating func report(_ position: SourcePosition, _ path: String, _ problem: String, _ hint: String = "") {
        faults.append(ConfigurationFault(file: file, position: position, keyPath: path, problem: problem, hint: hint))
    }
}

/// A key path and one more key, quoted where it is no plain word.
func joined(_ path: String, _ key: String) -> String {
    let isPlain =
        !key.isEmpty && key.utf8.count <= 64
        && key.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95
        }
    if isPlain { return path.isEmpty ? key : "\(path).\(key)" }
    return "\(path)[\(shown(key))]"
}
