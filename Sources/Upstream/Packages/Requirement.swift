/// What a package or a world asks of a name: `[!]NAME[OPERATOR VERSION]`, `apk-package(5)`, `apk-world(5)`.
struct Requirement: Hashable, Sendable {
    /// The relations that satisfy it, joined.
    private struct Relations: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        static let equal = Relations(rawValue: 1)
        static let less = Relations(rawValue: 2)
        static let greater = Relations(rawValue: 4)
        static let any: Relations = [.equal, .less, .greater]
    }

    /// As it is written.
    let text: String
    /// The name that is asked for, or kept out.
    let name: String
    /// Whether what satisfies the rest must not be there.
    let isExclusion: Bool
    private let relations: Relations
    private let isFuzzy: Bool
    private let version: PackageVersion?

    /// Takes a word of `depends` or `install_if`.
    ///
    /// - Returns: `nil` where apk cannot read it; a package that has such a word is never installed.
    init?(_ text: String) {
        let isExclusion = text.utf8.first == UInt8(ascii: "!")
        let rest = text.utf8.dropFirst(isExclusion ? 1 : 0)
        let name = rest.prefix { !Self.isOperator($0) }
        let operation = rest.dropFirst(name.count).prefix { Self.isOperator($0) }
        let version = rest.dropFirst(name.count + operation.count)
        guard !name.isEmpty, !name.contains(UInt8(ascii: "@")) else { return nil }
        var relations: Relations = operation.isEmpty ? .any : []
        for sign in operation {
            switch sign {
            case UInt8(ascii: "<"): relations.insert(.less)
            case UInt8(ascii: ">"): relations.insert(.greater)
            default: relations.insert(.equal)
            }
        }
        // `><` asks for the digest of one build, which only an installed system's own world does.
        guard relations != [.less, .greater] else { return nil }
        if operation.isEmpty {
            self.version = nil
        } else {
            guard let version = PackageVersion(String(Substring(version))) else { return nil }
            self.version = version
        }
        self.text = text
        self.name = String(Substring(name))
        self.isExclusion = isExclusion
        self.relations = relations
        isFuzzy = operation.contains(UInt8(ascii: "~"))
    }

    /// Takes a word of a world, without its tag: no repository on a medium has one, and apk takes others then.
    init(_ entry: WorldEntry) {
        let plain = entry.text.prefix { $0 != "@" } + (entry.text.drop { $0 != "@" }.drop { !"<>=~".contains($0) })
        self = Requirement(String(plain)) ?? Requirement(anyVersionOf: entry)
    }

    private init(anyVersionOf entry: WorldEntry) {
        text = entry.text
        name = entry.name
        isExclusion = entry.isExcluded
        relations = .any
        isFuzzy = false
        version = nil
    }

    private static func isOperator(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "~")].contains(byte)
    }

    /// Whether a provider of the name in that version satisfies it.
    ///
    /// A provider without a version counts as older than any.
    func accepts(_ provided: PackageVersion?) -> Bool { matches(provided) != isExclusion }

    private func matches(_ provided: PackageVersion?) -> Bool {
        guard relations != .any, let version else { return true }
        guard let provided else { return relations.contains(.less) }
        let order = provided.compared(to: version, fuzzy: isFuzzy)
        return relations.contains(order < 0 ? .less : order > 0 ? .greater : .equal)
    }
}
