/// One word of `/etc/apk/world`: `[!]NAME[@TAG][OPERATOR VERSION]`, `apk-world(5)`.
public struct WorldEntry: Hashable, Sendable, CustomStringConvertible {
    /// The word as it is written.
    public let text: String
    /// The name that is asked for, or kept out.
    public let name: String
    /// Whether the package must not be installed.
    public let isExcluded: Bool
    private let comparison: Comparison?

    private struct Comparison: Hashable, Sendable {
        let operation: String
        let version: PackageVersion?
    }

    private static let operations: Set<String> = ["=", "<", "<=", ">", ">=", "~", "~=", "=~", ">~", "<~", ">~=", "<~="]

    /// Takes a word.
    ///
    /// - Returns: `nil` when it is no word of a world: no name, or an operator or version that apk does not know.
    public init?(_ text: String) {
        let isExcluded = text.utf8.first == UInt8(ascii: "!")
        let dependency = text.dropFirst(isExcluded ? 1 : 0)
        let beforeOperator = dependency.prefix { !"<>=~".contains($0) }
        let afterName = dependency.dropFirst(beforeOperator.count)
        let operation = afterName.prefix { "<>=~".contains($0) }
        let version = afterName.dropFirst(operation.count).prefix { $0 != "@" }
        let name = beforeOperator.prefix { $0 != "@" }
        guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        if operation.isEmpty {
            comparison = nil
        } else {
            guard Self.operations.contains(String(operation)), let version = PackageVersion(String(version)) else {
                return nil
            }
            comparison = Comparison(operation: String(operation), version: version)
        }
        self.text = text
        self.name = String(name)
        self.isExcluded = isExcluded
    }

    /// Whether a version of the name satisfies the word; what is provided without a version is older than any.
    func accepts(_ version: PackageVersion?) -> Bool {
        guard let comparison, let wanted = comparison.version else { return true }
        guard let version else { return comparison.operation.contains("<") }
        let isFuzzy = comparison.operation.contains("~")
        let order = version.compared(to: wanted, fuzzy: isFuzzy)
        if comparison.operation.contains("<") {
            return order < 0 || (order == 0 && comparison.operation.utf8.count > 1)
        }
        if comparison.operation.contains(">") {
            return order > 0 || (order == 0 && comparison.operation.utf8.count > 1)
        }
        return order == 0
    }

    /// The word as it is written.
    public var description: String { text }
}
