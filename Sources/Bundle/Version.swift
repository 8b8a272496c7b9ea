/// The version of a bundle: Semantic Versioning 2.0.0 without build metadata, which is also the name of its directory.
///
/// Build metadata (`+…`) is refused because two versions that differ only there have the same precedence (§10), so
/// that neither is newer than the other. A version begins with a digit, holds nothing but ASCII letters, digits, `.`
/// and `-`, and is at most ``maximumBytes`` long: it is safe in file names, in tags and on command lines.
public struct Version: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The text as written.
    public let description: String
    private let numbers: [String]
    private let prerelease: [String]

    /// Whether it comes before the release that it is named after, as 2.0.0-rc.1 before 2.0.0.
    public var isPreRelease: Bool { !prerelease.isEmpty }

    /// The longest version that is taken, in bytes.
    public static let maximumBytes = 128

    /// Takes `MAJOR.MINOR.PATCH` or `MAJOR.MINOR.PATCH-PRERELEASE`.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidVersion`` and the rule that is broken.
    public init(_ text: String) throws(BundleError) {
        func refuse(_ why: String) -> BundleError {
            BundleError(.invalidVersion, subject: "version \(String(reflecting: text))", detail: why)
        }
        guard text.utf8.count <= Self.maximumBytes else {
            throw BundleError(
                .invalidVersion, subject: "version", detail: "is longer than \(Self.maximumBytes) bytes")
        }
        guard !text.utf8.contains(UInt8(ascii: "+")) else {
            throw refuse("has build metadata, which gives no order between versions; leave out what follows '+'")
        }
        let core = text.prefix { $0 != "-" }
        let numbers = core.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard numbers.count == 3, numbers.allSatisfy(Self.isDigits) else {
            throw refuse("is no semantic version; write MAJOR.MINOR.PATCH such as 1.4.0")
        }
        guard numbers.allSatisfy(Self.hasNoLeadingZero) else { throw refuse("has a number with a leading zero") }
        var prerelease: [String] = []
        if core.endIndex != text.endIndex {
            let rest = text[text.index(after: core.endIndex)...]
            prerelease = rest.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            for identifier in prerelease {
                guard !identifier.isEmpty else { throw refuse("has an empty pre-release identifier") }
                guard identifier.utf8.allSatisfy(Self.isIdentifierByte) else {
                    throw refuse("has a pre-release identifier with more than letters, digits and '-'")
                }
                guard !Self.isDigits(identifier) || Self.hasNoLeadingZero(identifier) else {
                    throw refuse("has a numeric pre-release identifier with a leading zero")
                }
            }
        }
        description = text
        self.numbers = numbers
        self.prerelease = prerelease
    }

    /// Orders by precedence, Semantic Versioning 2.0.0 §11; numbers of any length are compared without overflow.
    public static func < (left: Version, right: Version) -> Bool {
        for (a, b) in zip(left.numbers, right.numbers) where a != b { return precedesAsNumber(a, b) }
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (a, b) in zip(left.prerelease, right.prerelease) where a != b {
            switch (isDigits(a), isDigits(b)) {
            case (true, true): return precedesAsNumber(a, b)
            case (true, false): return true
            case (false, true): return false
            case (false, false): return a.utf8.lexicographicallyPrecedes(b.utf8)
            }
        }
        return left.prerelease.count < right.prerelease.count
    }

    private static func precedesAsNumber(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count ? a.utf8.lexicographicallyPrecedes(b.utf8) : a.utf8.count < b.utf8.count
    }

    private static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func hasNoLeadingZero(_ digits: String) -> Bool {
        digits.utf8.count == 1 || digits.utf8.first != UInt8(ascii: "0")
    }

    private static func isIdentifierByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
    }
}
