internal import Node

/// What a value of a recipe may be: the one description from which the decoder's checks, the JSON Schema and the
/// reference page follow.
indirect enum Schema: Sendable {
    /// A mapping with these keys and no others.
    case object([SchemaField])
    /// A mapping whose keys are of one form and whose values are alike; the noun says what a key names.
    case table(TextForm, Schema)
    /// A list of at most so many values.
    case list(Schema, most: Int)
    /// Text of a form.
    case text(TextForm)
    /// One of these words.
    case choice([String])
    /// True or false.
    case flag
    /// A whole number.
    case integer(ClosedRange<Int64>)
    /// A number of bytes, at least so many, or a text such as `8GiB`.
    case byteCount(atLeast: Int64)
    /// A mapping that is passed on.
    case configuration
}

/// A key of a mapping.
struct SchemaField: Sendable {
    /// What happens where the key is not given.
    enum Absent: Sendable {
        /// It must be given.
        case required
        /// It must be given; of a fleet, by the recipe or by the node that is laid over it.
        case requiredTogether
        /// The value that it then has.
        case value(ConfigValue)
        /// What it then follows from, in words.
        case follows(String)
        /// Nothing follows: the thing is not there.
        case nothing
    }

    let name: String
    let schema: Schema
    let absent: Absent
    /// What the key means, in sentences.
    let doc: String
    /// Whether its value must not be shown.
    var isSecret = false

    init(_ name: String, _ schema: Schema, _ absent: Absent, secret: Bool = false, _ doc: String) {
        isSecret = secret
        self.name = name
        self.schema = schema
        self.absent = absent
        self.doc = doc
    }

    init(_ name: String, _ schema: Schema, secret: Bool = false, _ doc: String) {
        self.init(name, schema, .nothing, doc)
        isSecret = secret
    }

    var isRequired: Bool {
        if case .required = absent { return true }
        return false
    }
}

extension Schema {
    /// The paths of all keys below this value, `*` for a key of a table and `[]` for a place in a list.
    func keyPaths(below path: String = "") -> [String] {
        switch self {
        case .object(let fields):
            fields.flatMap { field in
                let own = path.isEmpty ? field.name : "\(path).\(field.name)"
                return [own] + field.schema.keyPaths(below: own)
            }
        case .table(_, let value): value.keyPaths(below: "\(path).*")
        case .list(let value, _): value.keyPaths(below: "\(path)[]")
        case .text, .choice, .flag, .integer, .byteCount, .configuration: []
        }
    }
}
