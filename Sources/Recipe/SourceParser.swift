internal import Yams

/// Turns the text of a recipe into a tree, and refuses what makes YAML hard to read or costly to hold.
///
/// Anchors, aliases, merge keys, tags, complex keys, directives and further documents are faults. Keys that are given
/// twice are all found where there are few, not only the first pair. What is composed is an ``InertText``, so that no
/// alias is ever followed, and what the document may cost is bounded before and after.
struct SourceParser {
    /// The deepest nesting.
    static let maximumDepth = 32
    /// The most values, keys included.
    static let maximumNodes = 250_000
    /// The most anchors that are reported.
    static let maximumAnchors = 64
    /// The most keys that are found to be given twice, in a small recipe.
    static let maximumDuplicates = InertText.maximumNames
    /// How many characters are composed again at most to find further keys that are given twice.
    static let maximumRepetition = 1 << 20

    private let file: String
    private var inert: InertText
    /// Keys that a later one of the same mapping repeats, by place, with their names.
    private var repeated: [SourcePosition: String] = [:]
    private(set) var faults: [ConfigurationFault] = []
    private var nodes = 0

    /// Composes the tree of a text.
    ///
    /// - Returns: The tree, or `nil` where it cannot be had, and all faults found on the way.
    static func parse(_ source: SourceText, file: String) -> (root: SourceNode?, faults: [ConfigurationFault]) {
        guard let inert = InertText(source) else {
            let fault = ConfigurationFault(
                file: file, position: .start, keyPath: "",
                problem: "names thousands of characters of private use, which no recipe needs", hint: "remove them")
            return (nil, [fault])
        }
        var parser = SourceParser(inert, file: file)
        let root = parser.compose()
        return (root, parser.faults)
    }

    private init(_ inert: InertText, file: String) {
        self.file = file
        self.inert = inert
    }

    private mutating func compose() -> SourceNode? {
        if let directive = inert.directive {
            report(
                directive, "", "is a directive ('%'), and recipes have none",
                "remove the line, or quote a text that begins with '%'")
            return nil
        }
        while true {
            do {
                let parser = try Yams.Parser(yaml: inert.text, resolver: .basic, encoding: .utf8)
                guard let root = try parser.singleRoot() else {
                    report(.start, "", "is empty", "write one with 'ksbuild init'")
                    return nil
                }
                return withExtendedLifetime(parser) {
                    refuseAnchors(root) ? nil : convert(root, path: "", depth: 0)
                }
            } catch let error as YamlError {
                guard setAside(error) else {
                    reportRepeated()
                    report(error)
                    return nil
                }
            } catch {
                report(.start, "", "cannot be read as YAML: \(error)")
                return nil
            }
        }
    }

    /// Finds anchors, without which there is nothing that an alias could mean.
    private mutating func refuseAnchors(_ root: Yams.Node) -> Bool {
        var anchors: [SourcePosition] = []
        var pending = [root]
        while let node = pending.popLast() {
            if node.anchor != nil { anchors.append(place(node)) }
            switch node {
            case .sequence(let sequence): pending.append(contentsOf: sequence)
            case .mapping(let mapping): for pair in mapping { pending.append(contentsOf: [pair.key, pair.value]) }
            case .scalar, .alias: break
            }
        }
        for anchor in anchors.sorted().prefix(Self.maximumAnchors) {
            report(anchor, "", "has an anchor, and recipes have neither anchors nor aliases", "write the value out")
        }
        return !anchors.isEmpty
    }

    /// Gives the first of two equal keys another name and remembers it, so that the rest can be composed.
    private mutating func setAside(_ error: YamlError) -> Bool {
        guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first,
            repeated.count < min(Self.maximumDuplicates, max(2, Self.maximumRepetition / max(1, inert.count)))
        else { return false }
        let position = SourcePosition(line: context.mark.line, column: context.mark.column)
        guard inert.rename(name, at: position) else { return false }
        repeated[position] = inert.original(name)
        return true
    }

    /// Reports the keys that were set aside where no tree is to be had.
    private mutating func reportRepeated() {
        for (position, name) in repeated.sorted(by: { $0.key < $1.key }) {
            report(position, joined("", name), "is given twice", "keep one of them")
        }
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
            guard !isPlain || isOrdinary(scalar.string, position, path) else { return nil }
            let isUntagged = scalar.tag.rawValue.isEmpty || (!isPlain && scalar.tag == "tag:yaml.org,2002:str")
            if !isUntagged { refuse(tag: scalar.tag, position, path) }
            return SourceNode(value: .scalar(inert.original(scalar.string), isPlain: isPlain), position: position)
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
            refuseAlias(position, path)
            return nil
        }
    }

    /// Whether a plain scalar is a scalar and nothing that a stand-in was put in place of.
    private mutating func isOrdinary(_ text: String, _ position: SourcePosition, _ path: String) -> Bool {
        if inert.isAlias(text) {
            refuseAlias(position, path)
            return false
        }
        if inert.isMarkedKey(text) {
            report(position, path, "begins with '?' like a key that is a list or a mapping", "keys are plain words")
            return false
        }
        return true
    }

    private mutating func refuseAlias(_ position: SourcePosition, _ path: String) {
        report(position, path, "is an alias, and recipes have none", "write the value out, or quote a text with '*'")
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
            let name = inert.original(scalar.string)
            guard scalar.style != .plain || isOrdinary(scalar.string, position, path) else { continue }
            if name == "<<", scalar.style == .plain {
                report(position, path, "is merged from elsewhere ('<<'), which recipes cannot do", "write the keys out")
                continue
            }
            nodes += 1
            guard let value = convert(value, path: joined(path, name), depth: depth + 1) else { continue }
            pairs.append(SourceNode.Pair(key: name, keyPosition: position, value: value))
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
            case "but found another document":
                report(position, "", "begins a second document, and a recipe is one", "remove the '---'")
            case _ where problem.hasPrefix("Maximum nesting level reached"):
                report(position, "", "is nested deeper than \(Self.maximumDepth) levels")
            default:
                let around = context.map { "\($0.text) that began at \($0.mark.line):\($0.mark.column), " } ?? ""
                report(position, "", "is no YAML: \(around)\(problem)", Self.hint(for: problem))
            }
        case .duplicatedKeysInMapping(let names, let context):
            let position = SourcePosition(line: context.mark.line, column: context.mark.column)
            // What Yams calls a key that has no text.
            if names.first == "<uncovertable>" {
                report(position, "", "has a key that is a list or a mapping", "keys are plain words")
            } else {
                report(position, joined("", inert.original(names.first ?? "")), "is given twice", "keep one of them")
            }
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
