/// A version of an Alpine package, compared as apk does.
///
/// `NUMBER{.NUMBER}{LETTER}{_SUFFIX{NUMBER}}{~HEX}{-rNUMBER}` of `apk-package(5)`. Suffixes `alpha`, `beta`, `pre` and
/// `rc` come before the plain version; `cvs`, `svn`, `git`, `hg` and `p` after it.
public struct PackageVersion: Hashable, Sendable, CustomStringConvertible {
    /// The version as it is written.
    public let text: String
    private let tokens: [Token]

    private enum Token: Hashable, Sendable {
        case firstNumber([UInt8])
        case number([UInt8])
        case letter(UInt8)
        case suffix(Int)
        case suffixNumber([UInt8])
        case commit([UInt8])
        case revision([UInt8])
        case invalid

        /// The order in which tokens may follow each other; where one version ends, the later kind is the smaller.
        var rank: Int {
            switch self {
            case .firstNumber: 0
            case .number: 1
            case .letter: 2
            case .suffix: 3
            case .suffixNumber: 4
            case .commit: 5
            case .revision: 6
            case .invalid: 8
            }
        }
    }

    private static let suffixes = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"]
    private static let plainSuffix = 4
    private static let endRank = 7

    /// Takes a version.
    ///
    /// - Returns: `nil` for a text that apk does not accept as one, or that is longer than 255 bytes.
    public init?(_ text: String) {
        self.init(asWritten: text)
        guard tokens.last != .invalid else { return nil }
    }

    /// Takes what an index says is a version, which apk compares up to where it stops being one.
    init(asWritten text: String) {
        self.text = text
        var tokens: [Token] = []
        if text.utf8.count > 255 || !Self.read(Array(text.utf8)[...], into: &tokens) { tokens.append(.invalid) }
        self.tokens = tokens
    }

    /// Appends the tokens up to the end, or up to what cannot be one.
    ///
    /// - Returns: Whether all of it is a version.
    private static func read(_ bytes: ArraySlice<UInt8>, into tokens: inout [Token]) -> Bool {
        var rest = bytes
        func digits() -> [UInt8]? {
            let run = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(run.count)
            return run.isEmpty ? nil : Array(run)
        }
        guard let first = digits() else { return false }
        tokens.append(.firstNumber(first))
        while rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard let next = digits() else { return false }
            tokens.append(.number(next))
        }
        if let letter = rest.first, (0x61...0x7a).contains(letter) {
            rest = rest.dropFirst()
            tokens.append(.letter(letter))
        }
        while rest.first == UInt8(ascii: "_") {
            let word = rest.dropFirst().prefix { (0x61...0x7a).contains($0) }
            guard let order = suffixes.firstIndex(where: { !$0.isEmpty && word.elementsEqual($0.utf8) }) else {
                return false
            }
            rest = rest.dropFirst(word.count + 1)
            tokens.append(.suffix(order))
            if let number = digits() { tokens.append(.suffixNumber(number)) }
        }
        if rest.first == UInt8(ascii: "~") {
            let hash = rest.dropFirst().prefix { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            guard !hash.isEmpty else { return false }
            rest = rest.dropFirst(hash.count + 1)
            tokens.append(.commit(Array(hash)))
        }
        if rest.starts(with: "-r".utf8) {
            rest = rest.dropFirst(2)
            guard let number = digits() else { return false }
            tokens.append(.revision(number))
        }
        return rest.isEmpty
    }

    /// Compares with another version.
    ///
    /// - Parameters:
    ///   - other: The version on the right of the operator.
    ///   - fuzzy: Whether `other` may be a beginning of this version, as `~` asks.
    /// - Returns: Below zero when this version is older, zero when apk calls them equal, above zero when it is newer.
    public func compared(to other: PackageVersion, fuzzy: Bool = false) -> Int {
        for (left, right) in zip(tokens, other.tokens) {
            guard left.rank == right.rank else { return Self.order(left, right) }
            let order = Self.compare(left, right)
            if order != 0 { return order }
        }
        let shared = min(tokens.count, other.tokens.count)
        if tokens.count == other.tokens.count || fuzzy && other.tokens.count == shared { return 0 }
        return Self.order(tokens.dropFirst(shared).first, other.tokens.dropFirst(shared).first)
    }

    /// Orders two versions that agree up to tokens of different kinds.
    private static func order(_ left: Token?, _ right: Token?) -> Int {
        if case .suffix(let suffix)? = left, suffix < plainSuffix { return -1 }
        if case .suffix(let suffix)? = right, suffix < plainSuffix { return 1 }
        return (right?.rank ?? endRank) - (left?.rank ?? endRank)
    }

    private static func compare(_ left: Token, _ right: Token) -> Int {
        switch (left, right) {
        case (.number(let a), .number(let b)):
            a.first == 0x30 || b.first == 0x30 ? compareText(a, b) : compareNumbers(a, b)
        case (.firstNumber(let a), .firstNumber(let b)), (.suffixNumber(let a), .suffixNumber(let b)),
            (.revision(let a), .revision(let b)):
            compareNumbers(a, b)
        case (.commit(let a), .commit(let b)): compareText(a, b)
        case (.letter(let a), .letter(let b)): Int(a) - Int(b)
        case (.suffix(let a), .suffix(let b)): a - b
        default: 0
        }
    }

    private static func compareNumbers(_ left: [UInt8], _ right: [UInt8]) -> Int {
        let a = left.drop { $0 == 0x30 }
        let b = right.drop { $0 == 0x30 }
        return a.count == b.count ? compareText(Array(a), Array(b)) : a.count - b.count
    }

    private static func compareText(_ left: [UInt8], _ right: [UInt8]) -> Int {
        left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
    }

    /// The version as it is written.
    public var description: String { text }
}
