/// Indexes of packages that need, exclude, provide and trigger each other at random.
struct GeneratedIndex {
    private var generator: SeededGenerator
    private let names: [String]
    private let virtuals: [String]
    /// The lines of each repository's index.
    private(set) var texts: [String] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 4...14, using: &generator)
        names = (0..<count).map { "p\($0)" }
        virtuals = (0..<Int.random(in: 1...4, using: &generator)).map { ["virt\($0)", "so:lib\($0).so.1"][$0 % 2] }
        let repositories = Int.random(in: 1...2, using: &generator)
        for _ in 0..<repositories {
            var text = ""
            for name in names where chance(5, of: 6) {
                for version in versions() { text += package(name, version) }
            }
            texts.append(text.isEmpty ? package(names[0], "1") : text)
        }
    }

    private mutating func chance(_ part: Int, of whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &generator) < part
    }

    private mutating func version() -> String {
        ["1", "1.1", "2", "2-r1", "3"].randomElement(using: &generator) ?? "1"
    }

    private mutating func versions() -> [String] {
        var versions: Set<String> = [version()]
        while chance(1, of: 4) { versions.insert(version()) }
        return versions.sorted()
    }

    private mutating func requirement(_ name: String) -> String {
        guard chance(2, of: 5) else { return name }
        return name + (["=", "<", ">", ">=", "<=", "~"].randomElement(using: &generator) ?? "=") + version()
    }

    private mutating func anyName() -> String {
        (chance(3, of: 4) ? names : virtuals).randomElement(using: &generator) ?? "p0"
    }

    /// A world out of the names that there are, now and then with one that there is not.
    mutating func world() -> [String] {
        var words: [String] = []
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let name = anyName()
            words.append(chance(1, of: 8) ? "!" + name : chance(1, of: 25) ? "absent" : requirement(name))
        }
        return words
    }

    private mutating func package(_ name: String, _ version: String) -> String {
        var text = "C:\(identity())\nP:\(name)\nV:\(version)\nA:x86_64\nS:10\nI:10\n"
        if chance(1, of: 3) { text += "k:\(Int.random(in: 1...3, using: &generator) * 10)\n" }
        var depends: [String] = []
        while chance(1, of: 2), depends.count < 4 {
            let other = anyName()
            guard other != name else { continue }
            depends.append(chance(1, of: 7) ? "!" + requirement(other) : requirement(other))
        }
        if !depends.isEmpty { text += "D:\(depends.joined(separator: " "))\n" }
        var provides: [String] = []
        for virtual in virtuals where chance(1, of: 3) {
            provides.append(chance(1, of: 2) ? virtual : "\(virtual)=\(self.version())")
        }
        if chance(1, of: 12), let other = names.randomElement(using: &generator), other != name {
            provides.append(chance(1, of: 2) ? other : "\(other)=\(self.version())")
        }
        if !provides.isEmpty { text += "p:\(provides.joined(separator: " "))\n" }
        if chance(1, of: 6) {
            let words = (0..<Int.random(in: 1...2, using: &generator)).map { _ in requirement(anyName()) }
            text += "i:\(words.joined(separator: " "))\n"
        }
        return text + "\n"
    }

    /// `Q1` and 20 bytes in base 64, as the SHA-1 of a control stream has them.
    private mutating func identity() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = "Q1"
        for _ in 0..<26 { text.append(alphabet[Int.random(in: 0..<64, using: &generator)]) }
        // The last of 27 digits holds four bits.
        return text + String(alphabet[Int.random(in: 0..<16, using: &generator) << 2]) + "="
    }
}
