internal import Node

extension Recipe {
    /// The JSON Schema (2020-12) of recipes, made from the description that the decoder checks with.
    ///
    /// It finds what a schema can: unknown and missing keys, types, words, ranges and the form of texts. What depends on
    /// several keys or on files, the decoder alone finds.
    public static var jsonSchema: String {
        guard case .mapping(let members) = RecipeSchema.root.jsonSchema else { return "{}\n" }
        let head: [ConfigValue.Pair] = [
            ConfigValue.Pair("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ConfigValue.Pair("$id", .string("urn:ksbuild:recipe:v1")),
            ConfigValue.Pair("title", .string("ksbuild recipe")),
            ConfigValue.Pair(
                "description",
                .string(
                    "What depends on several keys, on files or on the way in which a number is written, ksbuild alone "
                        + "finds: a whole number must stand without fraction, exponent and zeros before it.")),
        ]
        return ConfigValue.mapping(head + members).json + "\n"
    }
}

extension Schema {
    /// The schema of this value.
    fileprivate var jsonSchema: ConfigValue {
        switch self {
        case .object(let fields):
            .object(
                ("type", .string("object")),
                ("properties", .mapping(fields.map { ConfigValue.Pair($0.name, $0.jsonSchema) })),
                ("required", fields.contains(where: \.isRequired) ? required(fields) : nil),
                ("additionalProperties", .bool(false)))
        case .table(let form, let value):
            .object(
                ("type", .string("object")), ("propertyNames", .mapping(form.jsonConstraints)),
                ("additionalProperties", value.jsonSchema))
        case .list(let value, let most):
            .object(
                ("type", .string("array")), ("items", value.jsonSchema), ("maxItems", .integer(Int64(most))))
        case .text(let form): .mapping([ConfigValue.Pair("type", .string("string"))] + form.jsonConstraints)
        case .choice(let words): .object(("enum", .texts(words)))
        case .flag: .object(("type", .string("boolean")))
        case .integer(let range): .mapping([ConfigValue.Pair("type", .string("integer"))] + Self.bounds(range))
        case .byteCount(let least):
            .mapping(
                [ConfigValue.Pair("type", .texts(["integer", "string"]))] + Self.bounds(least...Int64.max)
                    + [TextPattern.size(atLeast: least).jsonConstraint])
        case .configuration: .object(("type", .string("object")))
        }
    }

    private func required(_ fields: [SchemaField]) -> ConfigValue {
        .texts(fields.filter(\.isRequired).map(\.name))
    }

    private static func bounds(_ range: ClosedRange<Int64>) -> [ConfigValue.Pair] {
        [
            ConfigValue.Pair("minimum", .integer(range.lowerBound)),
            ConfigValue.Pair("maximum", .integer(range.upperBound)),
        ]
    }
}

extension TextPattern {
    /// The keyword that holds a text to this pattern.
    ///
    /// `$` is the end of the text in ECMA-262, and in Python and Perl also the place before a last line feed.
    var jsonConstraint: ConfigValue.Pair { ConfigValue.Pair("pattern", .string("^\(expression)(?!\\n)$")) }
}

extension TextForm {
    /// The keywords that hold a text to this form.
    var jsonConstraints: [ConfigValue.Pair] {
        var pairs = [pattern.jsonConstraint]
        if let maximum { pairs.append(ConfigValue.Pair("maxLength", .integer(Int64(maximum)))) }
        return pairs
    }
}

extension SchemaField {
    /// The schema of the key's value with what is said of it.
    fileprivate var jsonSchema: ConfigValue {
        guard case .mapping(var pairs) = schema.jsonSchema else { return .null }
        var doc = doc
        switch absent {
        case .value(let value): pairs.append(ConfigValue.Pair("default", value))
        case .follows(let text): doc += " Default: \(text)."
        case .required, .requiredTogether, .nothing: break
        }
        pairs.insert(ConfigValue.Pair("description", .string(doc)), at: 0)
        return .mapping(pairs)
    }
}
