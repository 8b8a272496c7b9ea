/// The text of a recipe in a form in which nothing can unfold, so that composing it costs what its length says.
///
/// Every alias of YAML begins with `*`. Each `*` of the recipe therefore becomes a stand-in: a character of private use,
/// which neither stands in the recipe nor comes out of an escape in it. YAML takes it for a letter, so that positions
/// stay as they are, a plain scalar that begins with it is an alias, and anywhere else it is a `*`.
///
/// Keys that are lists and mappings are begun by `?` and cost time at each level around them. A few may stand, so that
/// they are reported where they are; from then on each `?` becomes a stand-in too.
struct InertText {
    /// How many `?` stay what they are.
    static let maximumKeyMarks = 64
    /// How many keys can be given another name.
    static let maximumNames = 64

    private var scalars: [Unicode.Scalar]
    private let lineStarts: [Int]
    private let star: Unicode.Scalar
    private let keyMark: Unicode.Scalar
    private var names: ArraySlice<Unicode.Scalar>

    /// Takes a text without characters of private use; `nil` where its escapes name too many of them.
    init?(_ source: SourceText) {
        var scalars = Array(source.text.unicodeScalars)
        let free = Self.unnamed(in: scalars)
        guard free.count == 2 + Self.maximumNames else { return nil }
        star = free[0]
        keyMark = free[1]
        names = free[2...]
        var lineStarts = [0]
        var marks = 0
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "\n": lineStarts.append(index + 1)
            case "*": scalars[index] = star
            case "?":
                marks += 1
                if marks > Self.maximumKeyMarks { scalars[index] = keyMark }
            default: continue
            }
        }
        self.scalars = scalars
        self.lineStarts = lineStarts
    }

    /// The number of characters.
    var count: Int { scalars.count }

    /// The text to compose.
    var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Where a `%` begins the first line that is neither empty nor a comment.
    var directive: SourcePosition? {
        for (index, start) in lineStarts.enumerated() {
            let word = scalars[start...].first { !($0 == " " || $0 == "\t" || $0 == "\r") }
            if word == "\n" || word == "#" { continue }
            return scalars.indices.contains(start) && scalars[start] == "%"
                ? SourcePosition(line: index + 1, column: 1) : nil
        }
        return nil
    }

    /// A text out of the composed tree as the recipe has it.
    func original(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == star || $0 == keyMark }) else { return text }
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { view.append(scalar == star ? "*" : scalar == keyMark ? "?" : scalar) }
        return String(view)
    }

    /// Whether a plain scalar of the composed tree is an alias.
    func isAlias(_ text: String) -> Bool { text.unicodeScalars.first == star }

    /// Whether a plain scalar of the composed tree is a key that `?` begins.
    func isMarkedKey(_ text: String) -> Bool {
        let start = text.unicodeScalars.prefix(2)
        return start.first == keyMark && (start.count == 1 || start.last == " ")
    }

    /// Gives a key another name, so that it is like no other.
    ///
    /// - Parameters:
    ///   - name: The key as it was composed.
    ///   - position: Where it begins.
    /// - Returns: Whether that could be done without a change to anything else.
    mutating func rename(_ name: String, at position: SourcePosition) -> Bool {
        guard lineStarts.indices.contains(position.line - 1), let first = name.unicodeScalars.first else {
            return false
        }
        var index = lineStarts[position.line - 1] + position.column - 1
        guard scalars.indices.contains(index) else { return false }
        if scalars[index] == "'" || scalars[index] == "\"" {
            index += 1
            guard scalars.indices.contains(index), !["'", "\"", "\\"].contains(scalars[index]) else { return false }
        }
        guard scalars[index] == first, let stamp = names.popFirst() else { return false }
        scalars[index] = stamp
        return true
    }

    /// The first characters of private use that no escape names.
    private static func unnamed(in scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var named: Set<UInt32> = []
        for (index, scalar) in scalars.enumerated() where scalar == "\\" {
            let rest = scalars[(index + 1)...]
            let length = rest.first == "u" ? 4 : rest.first == "U" ? 8 : 0
            guard length > 0 else { continue }
            let digits = String(String.UnicodeScalarView(rest.dropFirst().prefix(length)))
            if let value = UInt32(digits, radix: 16) { named.insert(value) }
        }
        return (0xe000...0xf8ff as ClosedRange<UInt32>).lazy.filter { !named.contains($0) }
            .compactMap(Unicode.Scalar.init).prefix(2 + maximumNames).map { $0 }
    }
}
