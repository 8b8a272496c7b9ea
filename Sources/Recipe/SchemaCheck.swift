internal import Node

/// Holds a tree against the schema: finds every fault of structure and keeps what fits.
struct SchemaCheck {
    private let file: String
    private(set) var faults: [ConfigurationFault] = []

    /// Checks a whole recipe.
    ///
    /// - Returns: What fits, or `nil` where the recipe is no mapping, and all faults.
    static func check(_ root: SourceNode, file: String) -> (root: CheckedNode?, faults: [ConfigurationFault]) {
        var check = SchemaCheck(file: file)
        let node = check.node(root, RecipeSchema.root, path: "", schemaPath: "", isSecret: false)
        return (node, check.faults)
    }

    private init(file: String) { self.file = file }

    private mutating func node(
        _ source: SourceNode, _ schema: Schema, path: String, schemaPath: String, isSecret: Bool
    ) -> CheckedNode? {
        let value: CheckedNode.Value?
        switch schema {
        case .object(let fields): value = object(source, fields, path: path, schemaPath: schemaPath)
        case .table(let form, let schema): value = table(source, form, schema, path: path, schemaPath: schemaPath)
        case .list(let schema, let most):
            value = list(source, schema, most: most, path: path, schemaPath: schemaPath, isSecret: isSecret)
        case .configuration: value = configuration(source, path: path, schemaPath: schemaPath)
        case .text, .choice, .flag, .integer, .byteCount:
            value = scalar(source, schema, path: path, isSecret: isSecret)
        }
        return value.map { CheckedNode(value: $0, position: source.position, path: path, schemaPath: schemaPath) }
    }

    private mutating func object(
        _ source: SourceNode, _ fields: [SchemaField], path: String, schemaPath: String
    ) -> CheckedNode.Value? {
        guard let pairs = mapping(source, path, schemaPath) else { return nil }
        var entries: [CheckedNode.Entry] = []
        for pair in pairs {
            guard let field = fields.first(where: { $0.name == pair.key }) else {
                unknown(pair, among: fields, path)
                continue
            }
            let below = schemaPath.isEmpty ? field.name : "\(schemaPath).\(field.name)"
            let value = node(
                pair.value, field.schema, path: joined(path, pair.key), schemaPath: below, isSecret: field.isSecret)
            if let value {
                entries.append(CheckedNode.Entry(key: pair.key, keyPosition: pair.keyPosition, value: value))
            }
        }
        for field in fields where field.isRequired && !pairs.contains(where: { $0.key == field.name }) {
            var hint = "add it"
            if case .choice(let words) = field.schema, words.count == 1 { hint = "add '\(field.name): \(words[0])'" }
            report(source.position, joined(path, field.name), "is missing", hint)
        }
        return .mapping(entries)
    }

    private mutating func unknown(_ pair: SourceNode.Pair, among fields: [SchemaField], _ path: String) {
        let keyPath = joined(path, pair.key)
        if path.isEmpty, RecipeSchema.announced.contains(pair.key) {
            report(pair.keyPosition, keyPath, "is not supported by this version of ksbuild", "remove it")
            return
        }
        let names = fields.map(\.name)
        let hint =
            NearestWord.find(pair.key, among: names, orKin: .prefix).map { "did you mean '\($0)'?" }
            ?? "known here: \(names.joined(separator: ", "))"
        report(pair.keyPosition, keyPath, "is no key that is known here", hint)
    }

    private mutating func table(
        _ source: SourceNode, _ form: TextForm, _ schema: Schema, path: String, schemaPath: String
    ) -> CheckedNode.Value? {
        guard let pairs = mapping(source, path, schemaPath) else { return nil }
        var entries: [CheckedNode.Entry] = []
        for pair in pairs {
            let below = joined(path, pair.key)
            if !form.accepts(pair.key) {
                let (problem, hint) = complaint(pair.key, form)
                report(pair.keyPosition, below, problem, hint)
            }
            let value = node(pair.value, schema, path: below, schemaPath: "\(schemaPath).*", isSecret: false)
            if let value {
                entries.append(CheckedNode.Entry(key: pair.key, keyPosition: pair.keyPosition, value: value))
            }
        }
        return .mapping(entries)
    }

    private mutating func mapping(
        _ source: SourceNode, _ path: String, _ schemaPath: String
    ) -> [SourceNode.Pair]? {
        if case .mapping(let pairs) = source.value { return pairs }
        var hint = ""
        if source.meaning == .null {
            if schemaPath == FleetSchema.node {
                hint = "write {} for a node with nothing of its own"
            } else if schemaPath.hasPrefix(FleetSchema.node), !schemaPath.hasSuffix(".*") {
                hint = "leave the key out; what the recipe gives stays in force"
            } else {
                hint = "leave the key out, or write {}"
            }
        }
        report(source.position, path, "must be a mapping of keys and values, not \(source.noun)", hint)
        return nil
    }

    private mutating func list(
        _ source: SourceNode, _ schema: Schema, most: Int, path: String, schemaPath: String, isSecret: Bool
    ) -> CheckedNode.Value? {
        guard case .sequence(let items) = source.value else {
            let hint =
                source.meaning == .null
                ? "leave the key out, or write []" : "write [VALUE] or lines that begin with '- '"
            report(source.position, path, "must be a list, not \(source.noun)", hint)
            return nil
        }
        guard items.count <= most else {
            report(source.position, path, "holds \(items.count) values (the most is \(most))")
            return nil
        }
        var values: [CheckedNode] = []
        for (index, item) in items.enumerated() {
            let value = node(
                item, schema, path: "\(path)[\(index)]", schemaPath: "\(schemaPath)[]", isSecret: isSecret)
            if let value { values.append(value) }
        }
        return .list(values)
    }

    private mutating func scalar(
        _ source: SourceNode, _ schema: Schema, path: String, isSecret: Bool
    ) -> CheckedNode.Value? {
        guard let meaning = source.meaning else {
            report(source.position, path, "must be \(Self.noun(schema)), not \(source.noun)")
            return nil
        }
        switch (schema, meaning) {
        case (.text(let form), .text(let text)):
            if form.accepts(text) { return .text(text) }
            let (problem, hint) = isSecret ? ("is not \(form.noun)", form.hint) : complaint(text, form)
            report(source.position, path, problem, hint)
        case (.choice(let words), .text(let text)):
            if words.contains(text) { return .text(text) }
            let hint =
                NearestWord.find(text, among: words, orKin: .prefix).map { "did you mean '\($0)'?" }
                ?? "write \(Self.alternatives(words))"
            report(source.position, path, "does not take \(shown(text))", hint)
        case (.flag, .flag(let flag)): return .flag(flag)
        case (.integer(let range), .integer(let number)):
            if Self.isPadded(source) { break }
            if range.contains(number) { return .integer(number) }
            report(source.position, path, "is \(number), and must be \(Self.words(range))")
            return nil
        case (.byteCount(let least), .integer(let number)):
            if number >= least { return .byteCount(UInt64(number)) }
            report(source.position, path, "is \(number) bytes, and must be at least \(least)")
            return nil
        case (.byteCount(let least), .text(let text)):
            guard TextForm.byteCount.accepts(text) else {
                let (problem, hint) = complaint(text, .byteCount)
                report(source.position, path, problem, hint)
                return nil
            }
            return byteCount(text, atLeast: least, source.position, path)
        default: mismatch(source, schema, meaning, path: path, isSecret: isSecret)
        }
        if case .integer = schema, Self.isPadded(source) {
            report(
                source.position, path, "begins with 0, which some tools take for octal", "write it without the 0",
                isStructural: false)
        }
        return nil
    }

    /// Says what type was wanted and which was found.
    private mutating func mismatch(
        _ source: SourceNode, _ schema: Schema, _ meaning: ScalarMeaning, path: String, isSecret: Bool
    ) {
        var problem = "must be \(Self.noun(schema)), not \(meaning.noun)"
        var hint = ""
        switch (schema, meaning) {
        case (_, .null): hint = "leave the key out, or give it a value"
        case (.text, _), (.choice, _):
            if !isSecret, case .scalar(let text, _) = source.value {
                problem = "must be \(Self.noun(schema)), but \(shown(text)) is \(meaning.noun) to YAML"
                hint = "write it in quotes"
            }
            if case .text(let form) = schema, case .real = meaning { hint = form.hint.isEmpty ? hint : form.hint }
        case (.flag, .text(let text)):
            if let flag = ambiguousWords[text] {
                hint = "write \(flag)"
            } else if ["true", "false"].contains(text.lowercased()) {
                hint = "write \(text.lowercased()) without quotes"
            } else {
                hint = "write true or false"
            }
        case (.integer, .text(let text)):
            hint = Int64(text) == nil ? "write a whole number" : "write \(text) without quotes"
        case (.integer, .real(let number)), (.byteCount, .real(let number)):
            if !isSecret, case .scalar(let text, _) = source.value {
                problem = "must be \(Self.noun(schema)), not \(shown(text).dropFirst().dropLast())"
            }
            if let whole = Int64(exactly: number) { hint = "write \(whole)" }
        default: break
        }
        report(source.position, path, problem, hint, isStructural: !Self.isWhole(meaning, for: schema))
    }

    /// Whether a number is written with a fraction or an exponent and yet whole, which JSON Schema does not mind.
    private static func isWhole(_ meaning: ScalarMeaning, for schema: Schema) -> Bool {
        guard case .real(let number) = meaning, let whole = Int64(exactly: number) else { return false }
        switch schema {
        case .integer(let range): return range.contains(whole)
        case .byteCount(let least): return whole >= least
        default: return false
        }
    }

    private mutating func byteCount(
        _ text: String, atLeast least: Int64, _ position: SourcePosition, _ path: String
    ) -> CheckedNode.Value? {
        guard let count = SizeUnit.byteCount(text) else {
            report(position, path, "is larger than any disk")
            return nil
        }
        guard count >= least else {
            report(position, path, "is \(count) bytes, and must be at least \(least)")
            return nil
        }
        return .byteCount(UInt64(count))
    }

    private mutating func configuration(
        _ source: SourceNode, path: String, schemaPath: String
    ) -> CheckedNode.Value? {
        guard let pairs = mapping(source, path, schemaPath) else { return nil }
        return .configuration(
            pairs.map { pair in
                let value = passedOn(pair.value, joined(path, pair.key))
                let origin = CheckedNode.ConfigurationEntry.Origin(
                    path: path, position: source.position, keyPosition: pair.keyPosition, value: value)
                return CheckedNode.ConfigurationEntry(key: pair.key, value: value, origins: [origin])
            })
    }

    /// Takes a value of somebody else's configuration, and refuses what two readers of YAML understand differently.
    private mutating func passedOn(_ source: SourceNode, _ path: String) -> ConfigValue {
        switch source.value {
        case .sequence(let items):
            var values: [ConfigValue] = []
            for (index, item) in items.enumerated() { values.append(passedOn(item, "\(path)[\(index)]")) }
            return .sequence(values)
        case .mapping(let pairs):
            var values: [ConfigValue.Pair] = []
            for pair in pairs {
                values.append(ConfigValue.Pair(pair.key, passedOn(pair.value, joined(path, pair.key))))
            }
            return .mapping(values)
        case .scalar(let text, let isPlain):
            if isPlain, let flag = ambiguousWords[text] {
                report(
                    source.position, path, "is \(flag) to some readers of YAML and text to others",
                    "write \(flag), or \(shown(text)) in quotes", isStructural: false)
            } else if Self.isPadded(source) {
                report(
                    source.position, path, "begins with 0, which some tools take for octal",
                    "write it without the 0, or in quotes", isStructural: false)
            }
            switch ScalarMeaning(text, isPlain: isPlain) {
            case .null: return .null
            case .flag(let flag): return .bool(flag)
            case .integer(let number): return .integer(number)
            case .real(let number):
                // What is passed on is the shortest text that means the same 64 bits.
                if DecimalText(text) == nil || DecimalText(text) != DecimalText("\(number)") {
                    report(
                        source.position, path, "is a number that 64 bits do not hold as it is written",
                        "write fewer digits, or write it in quotes", isStructural: false)
                }
                return .real(number)
            case .text(let text): return .string(text)
            case .notFinite:
                report(source.position, path, "is no number that JSON knows", isStructural: false)
                return .null
            }
        }
    }

    private func complaint(_ text: String, _ form: TextForm) -> (String, String) {
        // An address may hold a password.
        let isShown = form.isShown && !(text.contains("://") && text.contains("@"))
        let subject = isShown ? "\(shown(text)) " : ""
        guard let explained = form.explain(text) else { return ("\(subject)is not \(form.noun)", form.hint) }
        let hint = explained.hint.isEmpty ? form.hint : explained.hint
        return ("\(subject)is not \(form.noun): it \(explained.problem)", hint)
    }

    private mutating func report(
        _ position: SourcePosition, _ path: String, _ problem: String, _ hint: String = "", isStructural: Bool = true
    ) {
        faults.append(
            ConfigurationFault(
                file: file, position: position, keyPath: path, problem: problem, hint: hint,
                isStructural: isStructural))
    }
}

extension SchemaCheck {
    /// Whether a plain whole number begins with a 0 that means nothing.
    private static func isPadded(_ source: SourceNode) -> Bool {
        guard case .scalar(let text, isPlain: true) = source.value, case .integer = source.meaning else { return false }
        let digits = text.drop { $0 == "+" || $0 == "-" }
        return digits.count > 1 && digits.utf8.first == UInt8(ascii: "0") && digits.utf8.allSatisfy { $0 < 58 }
    }

    private static func noun(_ schema: Schema) -> String {
        switch schema {
        case .object, .table, .configuration: "a mapping"
        case .list: "a list"
        case .text(let form): form.noun
        case .choice(let words): alternatives(words)
        case .flag: "true or false"
        case .integer(let range): "a whole number, \(words(range))"
        case .byteCount: "a number of bytes or a size such as 8GiB"
        }
    }

    private static func words(_ range: ClosedRange<Int64>) -> String {
        "\(range.lowerBound) to \(range.upperBound)"
    }

    private static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension SourceNode {
    /// What a scalar means; `nil` for anything else.
    var meaning: ScalarMeaning? {
        guard case .scalar(let text, let isPlain) = value else { return nil }
        return ScalarMeaning(text, isPlain: isPlain)
    }

    /// What messages call it.
    var noun: String {
        switch value {
        case .scalar: meaning?.noun ?? "text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
