internal import Yams

/// A YAML document of texts, lists and tables, as mirrors publish it, read within narrow bounds.
///
/// Anchors, aliases, tags, directives, merge keys, keys that are no text and keys that stand twice are refused. Before the
/// text is composed, each `*` and `?` in it becomes a character of private use: YAML takes those for letters, so that
/// nothing can unfold and no key can be a structure, whatever the text says, and composing costs what the length says.
struct PlainYAML: Hashable, Sendable {
    /// What a document may hold.
    struct Limits: Hashable, Sendable {
        /// The most bytes.
        var bytes = 1 << 20
        /// The most lists and tables within one another.
        var depth = 4
        /// The most values, keys included.
        var values = 16_384
    }

    /// What stands at a place.
    indirect enum Value: Hashable, Sendable {
        /// A scalar, whatever its quotes.
        case text(String)
        /// Values in order.
        case list([PlainYAML])
        /// Values by key.
        case table([String: PlainYAML])

        /// What messages call it.
        var noun: String {
            switch self {
            case .text: "text"
            case .list: "a list"
            case .table: "a table"
            }
        }
    }

    /// What stands there.
    let value: Value
    /// The line where it begins, from 1.
    let line: Int
    /// The column where it begins, from 1, counted in Unicode scalars.
    let column: Int

    private static let star: Unicode.Scalar = "\u{e000}"
    private static let question: Unicode.Scalar = "\u{e001}"

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - bytes: The whole document.
    ///   - named: What to call it in messages.
    ///   - limits: What it may hold.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` and the place, or
    ///   ``UpstreamError/Code/tooComplex`` for more than the limits allow.
    init(bytes: [UInt8], named: String, limits: Limits = Limits()) throws(UpstreamError) {
        let text = try Self.inert(bytes, named, limits)
        var reader = Reader(source: named, limits: limits)
        do {
            let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                throw UpstreamError(.malformed, subject: named, detail: "is empty")
            }
            self = try withExtendedLifetime(parser) { try reader.convert(root, depth: 0) }
        } catch let error as UpstreamError {
            throw error
        } catch let error as YamlError {
            throw reader.refusal(error)
        } catch {
            throw UpstreamError(.malformed, subject: named, detail: "cannot be read as YAML")
        }
    }

    private init(_ value: Value, line: Int, column: Int) {
        self.value = value
        self.line = line
        self.column = column
    }

    /// The text with its stand-ins; refused where it holds what no list of releases needs.
    private static func inert(_ bytes: [UInt8], _ named: String, _ limits: Limits) throws(UpstreamError) -> String {
        guard bytes.count <= limits.bytes else {
            throw UpstreamError(.tooComplex, subject: named, detail: "is larger than \(limits.bytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UpstreamError(.malformed, subject: named, detail: "is not UTF-8")
        }
        var view = String.UnicodeScalarView()
        var line = 1
        var column = 1
        func fault(_ what: String) -> UpstreamError {
            UpstreamError(.malformed, subject: named, line: line, column: column, detail: what)
        }
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            guard !isAfterReturn || scalar == "\n" else { throw fault("follows a carriage return that ends no line") }
            isAfterReturn = scalar == "\r"
            switch scalar {
            case "%" where column == 1: throw fault("is a directive ('%'), which no list of releases has")
            case "*": view.append(star)
            case "?": view.append(question)
            case "\n", "\r", "\t", " "..."~": view.append(scalar)
            case _ where isLetter(scalar): view.append(scalar)
            default: throw fault("is the character U+\(String(scalar.value, radix: 16)), which no list of releases has")
            }
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return String(view)
    }

    /// Whether a character beyond ASCII is neither a control, nor a line break of some tools, nor of private use.
    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2028, 0x2029, 0xfeff, 0xe000...0xf8ff: false
        case 0xa0...0xfffd, 0x10000...0x10ffff: true
        default: false
        }
    }

    /// A text with the stand-ins taken back.
    fileprivate static func original(_ text: String) -> String {
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { view.append(scalar == star ? "*" : scalar == question ? "?" : scalar) }
        return String(view)
    }

    /// Walks a composed document.
    private struct Reader {
        let source: String
        let limits: Limits
        var values = 0

        mutating func convert(_ node: Yams.Node, depth: Int, isKey: Bool = false) throws(UpstreamError) -> PlainYAML {
            let line = node.mark?.line ?? 1
            let column = node.mark?.column ?? 1
            func fault(_ what: String, _ code: UpstreamError.Code = .malformed) -> UpstreamError {
                UpstreamError(code, subject: source, line: line, column: column, detail: what)
            }
            values += 1
            guard values <= limits.values else { throw fault("holds more than \(limits.values) values", .tooComplex) }
            guard node.anchor == nil else { throw fault("has an anchor, which no list of releases has") }
            switch node {
            case .scalar(let scalar):
                let isQuoted = scalar.style != .plain
                // Quotes make a text; Yams notes the same of a key when it compares it with others.
                let isText = (isQuoted || isKey) && scalar.tag == "tag:yaml.org,2002:str"
                guard scalar.tag.rawValue.isEmpty || isText else {
                    throw fault("has a tag, which no list of releases has")
                }
                guard isQuoted || scalar.string.unicodeScalars.first != PlainYAML.star else {
                    throw fault("is an alias, which no list of releases has")
                }
                return PlainYAML(.text(PlainYAML.original(scalar.string)), line: line, column: column)
            case .sequence(let sequence):
                guard sequence.tag.rawValue.isEmpty else { throw fault("has a tag, which no list of releases has") }
                guard depth < limits.depth else {
                    throw fault("is nested deeper than \(limits.depth) levels", .tooComplex)
                }
                var items: [PlainYAML] = []
                for item in sequence { items.append(try convert(item, depth: depth + 1)) }
                return PlainYAML(.list(items), line: line, column: column)
            case .mapping(let mapping):
                guard mapping.tag.rawValue.isEmpty else { throw fault("has a tag, which no list of releases has") }
                guard depth < limits.depth else {
                    throw fault("is nested deeper than \(limits.depth) levels", .tooComplex)
                }
                var table: [String: PlainYAML] = [:]
                for (key, value) in mapping {
                    guard case .scalar = key,
                        case .text(let text) = try convert(key, depth: depth + 1, isKey: true).value
                    else { throw fault("has a key that is no text") }
                    guard text != "<<" else { throw fault("is merged from elsewhere ('<<')") }
                    guard table.updateValue(try convert(value, depth: depth + 1), forKey: text) == nil else {
                        throw fault("has a key twice: '\(text.prefix(60))'")
                    }
                }
                return PlainYAML(.table(table), line: line, column: column)
            case .alias: throw fault("is an alias, which no list of releases has")
            }
        }

        func refusal(_ error: YamlError) -> UpstreamError {
            switch error {
            case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
                .composer(let context, let problem, let mark, _):
                if problem.hasPrefix("Maximum nesting level reached") {
                    return UpstreamError(
                        .tooComplex, subject: source, line: mark.line, column: mark.column,
                        detail: "is nested deeper than \(limits.depth) levels")
                }
                let around = context.map { "\($0.text) that began at \($0.mark.line):\($0.mark.column), " } ?? ""
                return UpstreamError(
                    .malformed, subject: source, line: mark.line, column: mark.column,
                    detail: "is no YAML: \(PlainYAML.original(around + problem))")
            case .duplicatedKeysInMapping(let names, let context):
                return UpstreamError(
                    .malformed, subject: source, line: context.mark.line, column: context.mark.column,
                    detail: "has a key twice: '\(PlainYAML.original(names.first ?? "").prefix(60))'")
            case .no, .memory, .dataCouldNotBeDecoded, .reader, .writer, .emitter, .representer:
                return UpstreamError(.malformed, subject: source, detail: "cannot be read as YAML")
            }
        }
    }
}
