/// An element of an XML document, written with its attributes in the order given.
struct XMLElement: Hashable, Sendable {
    var name: String
    var attributes: [(name: String, value: String)]
    var text: String?
    var children: [XMLElement]

    /// An element with elements in it, or with none.
    init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: [XMLElement] = []) {
        self.name = name
        self.attributes = attributes.map { ($0.key, $0.value) }
        self.children = children
    }

    /// An element with text in it.
    init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
        self.init(name, attributes)
        self.text = text
    }

    static func == (left: XMLElement, right: XMLElement) -> Bool { left.document == right.document }
    func hash(into hasher: inout Hasher) { hasher.combine(document) }

    /// The document with two blanks a level.
    var document: String { render(0) }

    private func render(_ level: Int) -> String {
        let margin = String(repeating: "  ", count: level)
        let words = attributes.map { " \($0.name)=\(XMLText.attribute($0.value))" }.joined()
        if let text { return "\(margin)<\(name)\(words)>\(XMLText.escaped(text))</\(name)>\n" }
        guard !children.isEmpty else { return "\(margin)<\(name)\(words)/>\n" }
        return "\(margin)<\(name)\(words)>\n" + children.map { $0.render(level + 1) }.joined() + "\(margin)</\(name)>\n"
    }
}
