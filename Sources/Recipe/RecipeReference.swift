internal import Node

/// The reference page of recipes, made from the description that the decoder checks with.
public enum RecipeReference {
    /// The page in Markdown, one table for each mapping.
    public static var markdown: String {
        var page = """
            # Recipe reference

            A recipe is a YAML file, `ksbuild.yaml` unless `--recipe` names another. Only `apiVersion` is required;
            everything else has a default that boots. This page is made from the schema that the decoder checks with;
            `ksbuild schema` prints the same as JSON Schema 2020-12.

            The decoder is strict. An unknown key, a wrong type, an address that cannot be right is an error, and all errors
            are reported at once, each with line, column, key and a remedy. Anchors, aliases, merge keys, tags and a second
            document are refused. `${VAR}` is not expanded. Text that looks like a number needs quotes. A recipe has at
            most \(SourceText.maximumBytes >> 20) MiB, \(SourceParser.maximumDepth) levels and \
            \(SourceParser.maximumNodes) values.

            A recipe may come from a pipe: `envsubst < site.yaml | ksbuild plan --recipe /dev/stdin`. Such a recipe has no
            directory, and the paths in it are relative to the working directory.

            Values that stand elsewhere are written `file:PATH`, relative to the recipe or below `~/`, or, where the table
            says so, `env:NAME`. The secrets of ksbuild's own keys are always such references, and `ksbuild plan` shows
            nothing of them. What stands in `kubesolo.config` is passed on; a key in it that sounds like a secret gives a
            warning, and `ksbuild plan` leaves its value out.

            """
        for section in sections(RecipeSchema.root, path: "") { page += "\n" + section }
        page += """

            ## Not yet

            \(RecipeSchema.announced.sorted().map { "`\($0)`" }.joined(separator: ", ")) are not supported by this \
            version.

            """
        return page
    }

    private static func sections(_ schema: Schema, path: String) -> [String] {
        switch schema {
        case .object(let fields):
            let title = path.isEmpty ? "## The recipe" : "## `\(path)`"
            var table = "\(title)\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
            for field in fields {
                table +=
                    "| `\(field.name)` | \(typeName(field.schema)) | \(defaultText(field.absent)) | \(escaped(field.doc)) |\n"
            }
            return [table]
                + fields.flatMap { sections($0.schema, path: path.isEmpty ? $0.name : "\(path).\($0.name)") }
        case .table(let form, let value):
            return sections(value, path: "\(path).<\(form.noun.drop { $0 != " " }.dropFirst())>")
        case .list(let value, _): return sections(value, path: "\(path)[]")
        case .text, .choice, .flag, .integer, .byteCount, .configuration: return []
        }
    }

    private static func typeName(_ schema: Schema) -> String {
        switch schema {
        case .object: "mapping"
        case .table(let form, _): "mapping by \(form.noun.drop { $0 != " " }.dropFirst())"
        case .list(let value, _): "list of: \(typeName(value))"
        case .text(let form): form.noun.split(separator: " ").dropFirst().joined(separator: " ")
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .flag: "`true`, `false`"
        case .integer(let range): "number, \(range.lowerBound) to \(range.upperBound)"
        case .byteCount: "bytes, or a size such as `8GiB`"
        case .configuration: "mapping, passed on"
        }
    }

    private static func defaultText(_ absent: SchemaField.Absent) -> String {
        switch absent {
        case .required, .requiredTogether: "**required**"
        case .value(.sequence(let values)) where !values.isEmpty:
            "`[\(values.map { plain($0) }.joined(separator: ", "))]`"
        case .value(let value): "`\(plain(value))`"
        case .follows(let text): escaped(text)
        case .nothing: "–"
        }
    }

    private static func plain(_ value: ConfigValue) -> String {
        if case .string(let text) = value { return text }
        return value.json
    }

    private static func escaped(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
